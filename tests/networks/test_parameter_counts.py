"""Every network has exactly as many parameters as the published code's, and the project's own files select them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import nn

from stackgan.networks import StageTwoGenerator, paper, pytorch

CONF = Path(__file__).parents[2] / "conf"
RECIPE = {
    "discriminator_norm": "batch",
    "spectral_norm": "false",
    "condition_activation": "relu",
    "sigma_parametrisation": "log_sigma",
}
SHARED = {"text_dim": 1024, "conditioning_augmentation": True}

# name, output size of Stage-II, then Stage-I G and D, Stage-II G (own part) and D, all with 1,024 wide text and 64 px Stage-I.
COUNTS = [
    ("paper", 256, 14_264_192, 4_029_824, 26_290_080, 48_603_520),
    ("simple", 256, 15_034_368, 3_225_472, 26_290_080, 48_603_520),
    ("pytorch", 256, 10_301_248, 5_715_713, 26_290_080, 71_269_122),
    ("coco", 256, 20_020_832, 12_407_425, 37_130_480, 159_889_538),
    ("light", 256, 1_597_072, 1_186_817, 735_348, 4_570_946),
    # 128 px was not released: our own counts, except that this D is StackGAN-v2's D128.
    ("paper", 128, 14_264_192, 4_029_824, 16_831_168, 12_945_792),
    ("pytorch", 128, 10_301_248, 5_715_713, 26_272_448, 18_834_178),
    ("light", 128, 1_597_072, 1_186_817, 587_192, 1_292_610),
]


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def network_config(name: str, **recipe: str) -> Any:
    overrides = [f"+stage/network={name}", *(f"+stage.recipe.{key}={value}" for key, value in (RECIPE | recipe).items())]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(overrides=overrides).stage.network


@pytest.mark.parametrize(("name", "resolution", "first_g", "first_d", "second_g", "second_d"), COUNTS)
def test_files_select_the_published_networks(
    name: str, resolution: int, first_g: int, first_d: int, second_g: int, second_d: int
) -> None:
    config = network_config(name)
    assert config.name == name
    with torch.device("meta"):
        assert count(instantiate(config.stage1.generator, resolution=64, **SHARED)) == first_g
        assert count(instantiate(config.stage1.discriminator, resolution=64, text_dim=1024, condition_dim=128)) == first_d
        second = instantiate(config.stage2.generator, resolution=resolution, first_resolution=64, text_twice=True, **SHARED)
        assert count(second) == second_g
        assert count(instantiate(config.stage2.discriminator, resolution=resolution, text_dim=1024, condition_dim=128)) == second_d


def test_every_file_is_counted() -> None:
    files = {path.stem for path in (CONF / "stage" / "network").glob("*.yaml")} - {"_base"}
    assert files == {row[0] for row in COUNTS}


def test_stage_one_at_256() -> None:
    with torch.device("meta"):
        assert count(paper.StageOneGenerator(1024, 256)) == 71_034_752
        assert count(paper.StageOneDiscriminator(1024, 256)) == 4_152_704


def test_stage_two_with_two_residual_blocks_at_256() -> None:
    with torch.device("meta"):
        assert count(StageTwoGenerator(1024, 256, residual_blocks=2)) == 16_848_800


def test_stage_sums() -> None:
    with torch.device("meta"):
        own = count(StageTwoGenerator(1024, 256))
        assert count(paper.StageOneGenerator(1024, 64)) + own == 40_554_272
        assert count(pytorch.StageOneGenerator(1024, 64)) + own == 36_591_328


def test_layers_of_the_papers_generator() -> None:
    with torch.device("meta"):
        network = paper.StageOneGenerator(1024, 64)
    layers = [size for size in map(count, network.draw) if size]
    assert count(network.augmentation) == 262_400
    assert layers[0] + layers[1] == 3_784_704
    assert layers[2:] == [3_214_336, 4_719_616, 804_352, 1_180_160, 295_168, 3_456]


def test_layers_of_the_pytorch_discriminator() -> None:
    with torch.device("meta"):
        network = pytorch.StageTwoDiscriminator(1024, 256)
    assert network.unconditional_head is not None
    assert [count(part) for part in (network.encoder, network.conditional_head, network.unconditional_head)] == [
        68_302_592,
        2_958_337,
        8_193,
    ]


def test_recipe_reaches_the_networks() -> None:
    config = network_config("light", discriminator_norm="none", spectral_norm="true", sigma_parametrisation="log_variance")
    discriminator = instantiate(config.stage1.discriminator, text_dim=8, resolution=64)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in discriminator.modules())
    assert any("parametrizations" in name for name, _ in discriminator.named_parameters())
    generator = instantiate(config.stage1.generator, text_dim=8, resolution=64, conditioning_augmentation=False)
    assert generator.augmentation.parametrisation == "log_variance"
    assert generator.augmentation.enabled is False
