"""Generators: shapes, gradients, order of inputs, switches, first weights."""

import pytest
import torch
from torch import nn

from stackgan.networks import Drawn, StageOneBase, StageTwoGenerator, paper, pytorch

FAMILIES: list[type[StageOneBase]] = [paper.StageOneGenerator, paper.SimpleStageOneGenerator, pytorch.StageOneGenerator]


def draw_one(network: StageOneBase, batch: int = 3) -> Drawn:
    return network(torch.randn(batch, 12), torch.randn(batch, network.noise_dim), torch.randn(batch, network.condition_dim))


def draw_two(network: StageTwoGenerator, batch: int = 2) -> Drawn:
    side = network.first_resolution
    return network(torch.rand(batch, 3, side, side), torch.randn(batch, 12), torch.randn(batch, network.condition_dim))


def without_gradient(network: nn.Module) -> list[str]:
    return [name for name, value in network.named_parameters() if value.grad is None or not value.grad.abs().sum() > 0]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("resolution", [16, 64, 128, 256])
def test_stage_one_shapes(family: type[StageOneBase], resolution: int) -> None:
    network = family(text_dim=12, resolution=resolution, condition_dim=6, noise_dim=5, width=4)
    drawn = draw_one(network)
    assert drawn.x_BCHW.shape == (3, 3, resolution, resolution)
    assert drawn.x_BCHW.abs().max() <= 1
    assert drawn.condition is not None
    assert drawn.condition.mean_BK.shape == drawn.condition.log_sigma_BK.shape == drawn.condition.sample_BK.shape == (3, 6)
    assert (network.text_dim, network.resolution, network.condition_dim, network.noise_dim) == (12, resolution, 6, 5)


@pytest.mark.parametrize(("first", "resolution"), [(64, 64), (64, 128), (64, 256), (16, 64)])
@pytest.mark.parametrize("text_twice", [True, False])
def test_stage_two_shapes(first: int, resolution: int, text_twice: bool) -> None:
    network = StageTwoGenerator(12, resolution, first, condition_dim=6, width=8, text_twice=text_twice)
    drawn = draw_two(network)
    assert drawn.x_BCHW.shape == (2, 3, resolution, resolution)
    assert (drawn.condition is None) is not text_twice
    assert (network.first_resolution, network.resolution, network.condition_dim) == (first, resolution, 6)


@pytest.mark.parametrize("family", FAMILIES)
def test_gradients_reach_every_parameter_of_stage_one(family: type[StageOneBase]) -> None:
    network = family(text_dim=12, resolution=64, condition_dim=6, noise_dim=5, width=8)
    draw_one(network, 4).x_BCHW.mul(torch.randn(4, 3, 64, 64)).sum().backward()
    assert without_gradient(network) == []


@pytest.mark.parametrize("text_twice", [True, False])
def test_gradients_reach_every_parameter_of_stage_two(text_twice: bool) -> None:
    network = StageTwoGenerator(12, 128, condition_dim=6, width=8, text_twice=text_twice)
    draw_two(network).x_BCHW.mul(torch.randn(2, 3, 128, 128)).sum().backward()
    assert without_gradient(network) == []


def test_residual_blocks_follow_the_resolution() -> None:
    with torch.device("meta"):
        assert len(StageTwoGenerator(12, 128, width=8).refine) == 2
        assert len(StageTwoGenerator(12, 256, width=8).refine) == 4
        assert len(StageTwoGenerator(12, 256, width=8, residual_blocks=1).refine) == 1


def test_the_second_sentence_is_read_once_only_where_asked() -> None:
    first_BCHW, epsilon_BK = torch.rand(2, 3, 16, 16), torch.randn(2, 6)
    for text_twice in (True, False):
        network = StageTwoGenerator(12, 64, 16, condition_dim=6, width=8, text_twice=text_twice).eval()
        one, other = (network(first_BCHW, text_BT, epsilon_BK).x_BCHW for text_BT in (torch.randn(2, 12), 9 * torch.randn(2, 12)))
        assert torch.equal(one, other) is not text_twice


def test_order_of_condition_and_noise() -> None:
    seen: list[torch.Tensor] = []
    for family in (paper.StageOneGenerator, pytorch.StageOneGenerator):
        network = family(text_dim=12, resolution=16, condition_dim=6, noise_dim=5, width=4)
        network.draw.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        noise_BZ = torch.full((2, 5), 7.0)
        network(torch.randn(2, 12), noise_BZ, torch.randn(2, 6))
    assert torch.equal(seen[0][:, 6:], noise_BZ)  # TensorFlow: condition, noise
    assert torch.equal(seen[1][:, :5], noise_BZ)  # PyTorch: noise, condition


def test_the_papers_missing_activations() -> None:
    """No activation after the linear layer and before the second residual, so negative numbers go in there."""
    network = paper.StageOneGenerator(text_dim=12, resolution=64, condition_dim=6, noise_dim=5, width=8)
    lowest: list[float] = []
    for place in (3, 5):
        network.draw[place].register_forward_pre_hook(lambda _, inputs: lowest.append(inputs[0].min().item()))
    draw_one(network)
    assert max(lowest) < 0


@pytest.mark.parametrize(("family", "limit"), [(paper.StageOneGenerator, 0.04), (pytorch.StageOneGenerator, 1.0)])
def test_first_weights(family: type[StageOneBase], limit: float) -> None:
    network = family(text_dim=64, resolution=64, width=32)
    convolutions = torch.cat([module.weight.flatten() for module in network.modules() if isinstance(module, nn.Conv2d)])
    gammas = torch.cat([module.weight for module in network.modules() if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d))])
    spread = 0.02 * 0.88 if limit == 0.04 else 0.02  # cutting at two standard deviations leaves 0.88 of one
    assert convolutions.std().item() == pytest.approx(spread, rel=0.02)
    assert 0.035 < convolutions.abs().max() <= limit
    assert gammas.mean().item() == pytest.approx(1.0, abs=0.002)
    assert gammas.std().item() == pytest.approx(0.02, rel=0.05)
    assert network.augmentation.linear.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert not network.augmentation.linear.bias.any()


def test_first_weights_come_from_the_global_generator() -> None:
    weights = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        weights.append(StageTwoGenerator(12, 64, 16, width=8).join[0].weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_batch_norm_is_as_in_the_code() -> None:
    norms = [module for module in StageTwoGenerator(12, 128, width=8).modules() if isinstance(module, nn.BatchNorm2d)]
    assert {(norm.momentum, norm.eps) for norm in norms} == {(0.1, 1e-5)}


def test_sizes_that_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="multiple of 16"):
        paper.StageOneGenerator(12, 40)
    with pytest.raises(ValueError, match="power of two"):
        StageTwoGenerator(12, 192)


@pytest.mark.parametrize("channels_last", [False, True])
def test_autocast_and_memory_format_change_little(channels_last: bool) -> None:
    torch.manual_seed(3)
    network = StageTwoGenerator(12, 64, 16, condition_dim=6, width=8).eval()
    inputs = torch.rand(2, 3, 16, 16), torch.randn(2, 12), torch.randn(2, 6)
    plain = network(*inputs).x_BCHW
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
        inputs = inputs[0].contiguous(memory_format=torch.channels_last), *inputs[1:]
    with torch.autocast("cpu", torch.bfloat16):
        mixed = network(*inputs).x_BCHW
    assert mixed.is_contiguous(memory_format=torch.channels_last) is channels_last
    assert torch.allclose(plain, mixed.float(), atol=0.02)


def test_picture_skip_starts_from_the_enlarged_picture() -> None:
    first_BCHW = torch.linspace(-1, 1, 64).expand(2, 3, 64, 64).contiguous()
    large_BCHW = nn.functional.interpolate(first_BCHW, size=128, mode="bilinear", align_corners=False)
    drawn = {}
    for skip in (True, False):
        network = StageTwoGenerator(12, 128, condition_dim=6, width=8, picture_skip=skip)
        last = network.draw[-1]
        assert isinstance(last, nn.Conv2d)
        nn.init.zeros_(last.weight)
        drawn[skip] = network(first_BCHW, torch.randn(2, 12), torch.randn(2, 6)).x_BCHW
    torch.testing.assert_close(drawn[True], 0.99 * large_BCHW)
    assert torch.equal(drawn[False], torch.zeros_like(large_BCHW))
