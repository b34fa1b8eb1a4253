"""Conditioning augmentation, by hand."""

import math

import pytest
import torch

from stackgan.networks import Condition, ConditioningAugmentation
from stackgan.networks.blocks import Activation


def by_hand(
    activation: Activation = "leaky_relu", log_variance: bool = False, enabled: bool = True, spread: float = 0.5
) -> Condition:
    """Text (2,) -> mean 2 * 1 = 2 and -1 before the activation, spread as given; epsilon 3."""
    augment = ConditioningAugmentation(1, 2, activation, "log_variance" if log_variance else "log_sigma", enabled)
    with torch.no_grad():
        augment.linear.weight.copy_(torch.tensor([[1.0], [-0.5], [spread / 2], [spread / 2]]))
        augment.linear.bias.zero_()
    return augment(torch.tensor([[2.0]]), torch.tensor([[3.0, 3.0]]))


def test_log_sigma() -> None:
    condition = by_hand()
    assert condition.mean_BK.tolist()[0] == pytest.approx([2.0, -0.2])  # the leak: 0.2 * -1
    assert condition.log_sigma_BK.tolist()[0] == pytest.approx([0.5, 0.5])
    assert condition.sample_BK.tolist()[0] == pytest.approx([2 + 3 * math.exp(0.5), -0.2 + 3 * math.exp(0.5)])


def test_log_variance_is_halved_into_log_sigma() -> None:
    condition = by_hand(log_variance=True, spread=1.0)
    assert condition.log_sigma_BK.tolist()[0] == pytest.approx([0.5, 0.5])
    assert condition.sample_BK[0, 0].item() == pytest.approx(2 + 3 * math.exp(0.5))


@pytest.mark.parametrize(
    ("activation", "mean", "log_sigma"), [("relu", 0.0, 0.0), ("leaky_relu", -0.2, -0.1), ("none", -1.0, -0.5)]
)
def test_the_activation_covers_mean_and_spread(activation: Activation, mean: float, log_sigma: float) -> None:
    condition = by_hand(activation, spread=-0.5)
    assert condition.mean_BK[0, 1].item() == pytest.approx(mean)
    assert condition.log_sigma_BK[0, 0].item() == pytest.approx(log_sigma)


def test_without_augmentation_the_condition_is_the_mean_and_the_layer_keeps_its_width() -> None:
    condition = by_hand(enabled=False)
    assert torch.equal(condition.sample_BK, condition.mean_BK)
    assert ConditioningAugmentation(8, 4, enabled=False).linear.out_features == 8


def test_epsilon_moves_the_sample_only() -> None:
    augment = ConditioningAugmentation(8, 4)
    text_BT, epsilon_BK = torch.randn(3, 8), torch.randn(3, 4)
    some, none = augment(text_BT, epsilon_BK), augment(text_BT, torch.zeros(3, 4))
    assert torch.equal(none.sample_BK, none.mean_BK)
    assert torch.equal(some.mean_BK, none.mean_BK)
    assert not torch.equal(some.sample_BK, none.sample_BK)


def test_full_precision_under_autocast() -> None:
    augment = ConditioningAugmentation(8, 4)
    text_BT, epsilon_BK = torch.randn(3, 8), torch.randn(3, 4)
    plain = augment(text_BT, epsilon_BK)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = augment(text_BT.bfloat16().float(), epsilon_BK)
    assert mixed.sample_BK.dtype == torch.float32
    assert torch.allclose(plain.mean_BK, mixed.mean_BK, atol=0.05)
