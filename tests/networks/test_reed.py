"""GAN-CLS's networks: counts of the published script, its quirks, and what later recipes change."""

from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import nn

from stackgan.launch import cli
from stackgan.launch.places import CONF
from stackgan.networks.reed import GanClsDiscriminator, GanClsGenerator


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def players(network: str, *words: str) -> Any:
    cli.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", ["stage=gan_cls", f"stage/network={network}", *words]).stage.reed


@pytest.mark.parametrize(
    ("network", "generator", "discriminator"), [("paper", 18_909_699, 4_032_321), ("light", 2_008_803, 1_389_665)]
)
def test_files_select_the_published_networks(network: str, generator: int, discriminator: int) -> None:
    """paper: nt 128, nz 100, ngf 128, ndf 64, on 1,024 wide text. light: our own."""
    node = players(network)
    with torch.device("meta"):
        assert count(instantiate(node.generator, text_dim=1024, resolution=64)) == generator
        assert count(instantiate(node.discriminator, text_dim=1024, resolution=64)) == discriminator


def test_the_released_flowers_model() -> None:
    with torch.device("meta"):
        assert count(GanClsDiscriminator(1024, 64, width=128)) == 15_568_129


def test_layers_of_the_generator() -> None:
    with torch.device("meta"):
        network = GanClsGenerator(1024, 64)
    convolutions = [module for module in network.draw if isinstance(module, nn.ConvTranspose2d)]
    assert [tuple(each.weight.shape) for each in convolutions] == [
        (228, 1024, 4, 4), (1024, 512, 4, 4), (512, 256, 4, 4), (256, 128, 4, 4), (128, 3, 4, 4),
    ]  # fmt: skip
    assert [type(module).__name__ for module in network.draw] == [
        "Unflatten", "ConvTranspose2d", "BatchNorm2d", "Residual", "ConvTranspose2d", "BatchNorm2d", "Residual",
        "ConvTranspose2d", "BatchNorm2d", "ReLU", "ConvTranspose2d", "BatchNorm2d", "ReLU", "ConvTranspose2d", "Tanh",
    ]  # fmt: skip


@pytest.mark.parametrize("resolution", [64, 128])
def test_draws_pictures_of_its_resolution(resolution: int) -> None:
    drawn = GanClsGenerator(16, resolution, width=8)(torch.randn(2, 16), torch.randn(2, 100))
    assert drawn.x_BCHW.shape == (2, 3, resolution, resolution)
    assert drawn.x_BCHW.abs().max() <= 1
    logit_B = GanClsDiscriminator(16, resolution, width=8)(drawn.x_BCHW, torch.randn(2, 16))["conditional"]
    assert logit_B.shape == (2,)


def test_both_sentence_and_noise_reach_the_picture() -> None:
    network = GanClsGenerator(16, 64, width=8).eval()
    text, noise = torch.randn(2, 1, 16), torch.randn(2, 1, 100)
    with torch.no_grad():
        pictures = [network(text[i], noise[j]).x_BCHW for i, j in ((0, 0), (1, 0), (0, 1))]
    assert not torch.equal(pictures[0], pictures[1])
    assert not torch.equal(pictures[0], pictures[2])


def biases(network: nn.Module) -> list[nn.Parameter]:
    found = [m.bias for m in network.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
    assert all(bias is not None for bias in found)
    return found  # type: ignore[return-value]


def test_biases_of_convolutions_are_there_and_idle() -> None:
    """The code sets them to 0 before every pass."""
    for network in (GanClsGenerator(16, 64, width=8), GanClsDiscriminator(16, 64, width=8)):
        assert all(not bias.requires_grad and not bias.any() for bias in biases(network))
    without_norm = GanClsDiscriminator(16, 64, width=8, norm="none", spectral=True)
    assert all(bias.requires_grad for bias in biases(without_norm))


def test_first_weights() -> None:
    """Convolutions N(0, 0.02); linear layers uniform to 1 over the root of their inputs, as Torch has them, biases too."""
    torch.manual_seed(0)
    network = GanClsDiscriminator(400, 64, width=16)
    linear = network.conditional_head.read[0]  # type: ignore[index]
    assert isinstance(linear, nn.Linear)
    for value in (linear.weight, linear.bias):
        assert 0.045 < value.detach().abs().max() <= 0.05
    assert network.conditional_head.join[0].weight.detach().std() == pytest.approx(0.02, rel=0.05)  # type: ignore[union-attr]


def test_the_sentence_passes_batch_norm_unless_d_has_none() -> None:
    def norms(network: nn.Module) -> list[bool]:
        return [isinstance(module, nn.BatchNorm1d) for module in network.conditional_head.read]  # type: ignore[union-attr]

    assert norms(GanClsDiscriminator(16, 64, width=8)) == [False, True, False]
    assert norms(GanClsDiscriminator(16, 64, width=8, norm="none")) == [False, False]


def test_recipe_reaches_the_networks() -> None:
    node = players("light", "stage/recipe=modern", "stage.network.condition_dim=12", "stage.network.noise_dim=9")
    discriminator = instantiate(node.discriminator, text_dim=8, resolution=64)
    assert not any(isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)) for module in discriminator.modules())
    assert any("parametrizations" in name for name, _ in discriminator.named_parameters())
    assert discriminator.conditional_head.projection is not None
    generator = instantiate(node.generator, text_dim=8, resolution=64)
    assert generator.noise_dim == 9
    assert generator.read[0].out_features == 12
