"""R1 where the gradient is known."""

import pytest
import torch
from torch import nn

from stackgan.objectives.penalties import r1


def test_of_a_linear_discriminator_is_its_squared_weight() -> None:
    weight = torch.randn(3 * 4 * 4)
    real_BCHW = torch.randn(5, 3, 4, 4, requires_grad=True)
    assert r1(real_BCHW.flatten(1) @ weight, real_BCHW).item() == pytest.approx(weight.square().sum().item(), rel=1e-5)


def test_trains_the_discriminator() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(16, 1))
    real_BCHW = torch.randn(5, 3, 4, 4, requires_grad=True)
    r1(network(real_BCHW).flatten(), real_BCHW).backward()
    weight = network[0].weight
    assert isinstance(weight, nn.Parameter)
    assert weight.grad is not None
    assert weight.grad.abs().sum() > 0


def test_under_autocast() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(16, 1))
    real_BCHW = torch.randn(5, 3, 4, 4, requires_grad=True)
    plain = r1(network(real_BCHW).flatten(), real_BCHW)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = r1(network(real_BCHW).flatten(), real_BCHW)
    assert mixed.dtype == torch.float32
    assert mixed.item() == pytest.approx(plain.item(), rel=0.05)
