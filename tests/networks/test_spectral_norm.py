"""Spectral norm against torch's own, and what training does to it."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from stackgan.networks import Discriminator, paper
from stackgan.networks.initialise import normalise_spectrum


def network() -> Discriminator:
    return paper.StageOneDiscriminator(12, 64, condition_dim=8, width=8, norm="none", spectral=True)


def largest(weight: Tensor) -> float:
    return torch.linalg.matrix_norm(weight.flatten(1), ord=2).item()


def test_largest_singular_values_approach_one() -> None:
    discriminator = network()
    before = [module.weight for module in discriminator.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    assert len(before) == 10
    for _ in range(30):
        discriminator(torch.randn(2, 3, 64, 64), torch.randn(2, 12))
    discriminator.eval()
    for module in discriminator.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            assert largest(module.weight) == pytest.approx(1.0, abs=0.05)


def test_the_same_numbers_as_torchs_own() -> None:
    plain = nn.Conv2d(5, 7, 3)
    reference, ours = spectral_norm(copy.deepcopy(plain), n_power_iterations=50), nn.Sequential(copy.deepcopy(plain))
    normalise_spectrum(ours)
    x = torch.randn(2, 5, 8, 8)
    for _ in range(300):
        ours(x)
    for _ in range(5):
        reference(x)
    assert torch.allclose(ours(x), reference(x), atol=1e-4)
    ours(x).square().sum().backward()
    reference(x).square().sum().backward()
    assert torch.allclose(
        ours[0].parametrizations.weight.original.grad, reference.parametrizations.weight.original.grad, rtol=1e-3, atol=1e-4
    )


def test_power_iterations_move_in_training_only() -> None:
    discriminator, x, text = network(), torch.randn(2, 3, 64, 64), torch.randn(2, 12)
    start = copy.deepcopy(discriminator.state_dict())
    discriminator.eval()(x, text)
    assert all(torch.equal(value, start[name]) for name, value in discriminator.state_dict().items())
    discriminator.train()(x, text)
    moved = {name for name, value in discriminator.state_dict().items() if not torch.equal(value, start[name])}
    assert moved
    assert all(name.endswith((".left", ".right")) for name in moved)


def test_several_passes_before_one_backward() -> None:
    discriminator = network()
    text = torch.randn(2, 12)
    total = sum(discriminator(torch.randn(2, 3, 64, 64), text)["conditional"].sum() for _ in range(3))
    assert isinstance(total, Tensor)
    total.backward()


def test_under_autocast_and_channels_last() -> None:
    discriminator = network().to(memory_format=torch.channels_last)
    x_BCHW, text = torch.randn(2, 3, 64, 64).contiguous(memory_format=torch.channels_last), torch.randn(2, 12)
    plain = discriminator.eval()(x_BCHW, text)["conditional"]
    with torch.autocast("cpu", torch.bfloat16):
        mixed = discriminator(x_BCHW, text)["conditional"]
        assert discriminator.conditional_head.logit.weight.dtype == torch.float32
    assert torch.allclose(plain, mixed.float(), atol=0.05)


def test_counted_on_the_meta_device() -> None:
    with torch.device("meta"):
        discriminator = network()
    assert sum(value.numel() for value in discriminator.parameters()) == sum(value.numel() for value in network().parameters())


def test_state_travels() -> None:
    one, other = network(), network()
    other.load_state_dict(one.state_dict())
    x_BCHW, text = torch.randn(2, 3, 64, 64), torch.randn(2, 12)
    for _ in range(2):
        assert torch.equal(one(x_BCHW, text)["conditional"], other(x_BCHW, text)["conditional"])
