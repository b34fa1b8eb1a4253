"""GAWWN's networks: published sizes as the project's files select them, and what a box or a part changes."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import Tensor, nn

from stackgan.launch import cli
from stackgan.networks.gawwn_box import BoxDiscriminator, BoxGenerator
from stackgan.networks.gawwn_part_generator import PartCompleter
from stackgan.networks.gawwn_parts import PartsDiscriminator, PartsGenerator
from stackgan.networks.spatial import PlacedNoise, PlacedText

CONF = Path(__file__).parents[2] / "conf"
COUNTS = [
    ("gawwn_box", "paper", 73_545_699, 16_763_137),
    ("gawwn_parts", "paper", 26_471_043, 14_667_905),
    ("gawwn_part_generator", "paper", 2_715_949, 946_177),
]
LEFT, RIGHT = [0.0, 0.25, 0.5, 0.5], [0.5, 0.25, 0.5, 0.5]


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def nodes(stage: str, *words: str) -> Any:
    cli.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", [f"stage={stage}", *words]).stage[stage]


@pytest.mark.parametrize(("stage", "network", "generator", "discriminator"), COUNTS)
def test_files_select_the_published_networks(stage: str, network: str, generator: int, discriminator: int) -> None:
    node = nodes(stage, f"stage/network={network}")
    with torch.device("meta"):
        assert count(instantiate(node.generator, text_dim=1024)) == generator
        assert count(instantiate(node.discriminator, text_dim=1024)) == discriminator


def test_layers_of_the_box_generator() -> None:
    with torch.device("meta"):
        network = BoxGenerator(1024)
    # (in * out * kernel^2 + out) of each convolution, and 2 * out of its batch norm, by hand.
    assert count(network.whole) == 16_778_240 + 2_048 + 8_389_120 + 1_024 + 2_097_408 + 512
    assert count(network.text_in_box) == 3 * (4_194_816 + 1_024)
    assert count(network.draw) == 1_179_904 + 512 + 524_416 + 256 + 65_568 + 64 + 1_539
    assert count(network.read_noise) == count(network.read_noise_globally) == 51_712


def test_a_recipe_reaches_the_discriminators() -> None:
    for stage in ("gawwn_box", "gawwn_parts"):
        node = nodes(stage, "stage/network=light", "stage/recipe=modern")
        discriminator = instantiate(node.discriminator, text_dim=8)
        assert not any(isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)) for module in discriminator.modules())
        assert any("parametrizations" in name for name, _ in discriminator.named_parameters())
        assert discriminator.projection is not None


def test_the_thing_moves_with_its_box() -> None:
    """With the path of the whole silenced, what differs from an empty picture is where the box is."""
    generator = BoxGenerator(8, 4, 8, 8).eval()
    text, noise = torch.randn(1, 8), torch.randn(1, 4)

    def drawn(box: list[float]) -> Tensor:
        for weight in generator.whole.parameters():
            nn.init.zeros_(weight)
        picture: Tensor = generator(text, PlacedNoise(noise, torch.tensor([box]))).x_BCHW
        return picture

    nothing = drawn([0.5, 0.5, 0.0, 0.0])
    assert nothing.shape == (1, 3, 128, 128)
    left, right = ((drawn(box) - nothing).abs().sum((0, 1)) > 1e-7 for box in (LEFT, RIGHT))
    assert left.any()
    assert right.any()
    # A box edge at 64 reaches as far as the layers after the meeting do: two pixels of 16x16, and what doublings add.
    assert not left[:, 64 + 32 :].any()
    assert not right[:, : 64 - 32].any()


def test_the_box_s_path_reads_the_box_alone() -> None:
    discriminator = BoxDiscriminator(8, 8, 8, norm="none")
    features, given = torch.randn(1, 16, 16, 16), PlacedText(torch.randn(1, 8), torch.tensor([LEFT]))
    changed = features.clone()
    changed[..., 10:] += 1
    assert torch.equal(discriminator.looked_at(features, given), discriminator.looked_at(changed, given))
    changed[..., 3] += 1
    assert not torch.equal(discriminator.looked_at(features, given), discriminator.looked_at(changed, given))


@pytest.mark.parametrize("kind", ["box", "parts"])
def test_place_and_sentence_reach_the_logit(kind: str) -> None:
    torch.manual_seed(0)
    if kind == "box":
        discriminator: BoxDiscriminator | PartsDiscriminator = BoxDiscriminator(8, 8, 8, norm="none")
        one, other = torch.tensor([LEFT]), torch.tensor([RIGHT])
    else:
        discriminator = PartsDiscriminator(8, 2, 8, 8, norm="none")
        one, other = torch.tensor([[[0.1, 0.1, 1.0], [0.0, 0.0, 0.0]]]), torch.tensor([[[0.1, 0.1, 1.0], [0.9, 0.3, 1.0]]])
    features, text = discriminator.features(torch.randn(1, 3, 128, 128)), torch.randn(1, 8)
    logit = discriminator.conditional(features, PlacedText(text, one))
    assert logit.shape == (1,)
    assert logit != discriminator.conditional(features, PlacedText(text, other))
    assert logit != discriminator.conditional(features, PlacedText(-text, one))


def test_the_local_path_draws_where_parts_are() -> None:
    generator = PartsGenerator(8, 2, 4, 8).eval()
    seen: list[Tensor] = []
    generator.thing.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    parts = torch.tensor([[[0.3, 0.6, 1.0], [0.9, 0.9, 0.0]]])
    assert generator(torch.randn(1, 8), PlacedNoise(torch.randn(1, 4), parts)).x_BCHW.shape == (1, 3, 128, 128)
    assert {tuple(place) for place in seen[0].nonzero()[:, 2:].tolist()} == {(9, 4)}


@pytest.mark.parametrize("network", [BoxGenerator(8, 4, 8, 8), PartsGenerator(8, 2, 4, 8)])
def test_a_bird_that_was_cropped_away_gives_no_nan(network: nn.Module) -> None:
    place = torch.zeros(2, 4) if isinstance(network, BoxGenerator) else torch.zeros(2, 2, 3)
    drawn = network(torch.randn(2, 8), PlacedNoise(torch.randn(2, 4), place)).x_BCHW
    drawn.sum().backward()
    assert drawn.isfinite().all()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in network.parameters())


def test_given_parts_are_kept_and_others_drawn() -> None:
    completer = PartCompleter(8, 3, 4, 8).eval()
    given = torch.tensor([[[0.25, 0.75, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]])
    found = completer(torch.randn(1, 8), torch.randn(1, 4), given)
    assert torch.equal(found[0, 0], given[0, 0])
    assert ((found[0, 1:] > 0) & (found[0, 1:] < 1)).all()


def test_r1_reaches_through_the_spatial_transformer() -> None:
    """The gradient of a gradient, by finite differences, in float64."""
    discriminator = BoxDiscriminator(4, 4, 4, norm="none").double()
    features = torch.randn(1, 8, 16, 16, dtype=torch.float64, requires_grad=True)
    given = PlacedText(torch.randn(1, 4, dtype=torch.float64), torch.tensor([[0.2, 0.3, 0.4, 0.5]]))
    assert torch.autograd.gradgradcheck(lambda x: discriminator.looked_at(x, given), (features,), fast_mode=True)
