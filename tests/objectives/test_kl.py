"""The published values of the divergence, and torch's own."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from stackgan.objectives.kl import kl_to_standard_normal


def test_published_values() -> None:
    one, zero = torch.ones(3, 128), torch.zeros(3, 128)
    assert kl_to_standard_normal(one, zero).item() == pytest.approx(0.5)
    assert 2.0 * kl_to_standard_normal(one, zero).item() == pytest.approx(1.0)
    assert kl_to_standard_normal(zero, 0.5 * one).item() == pytest.approx(0.35914, abs=5e-6)
    assert kl_to_standard_normal(zero, zero).item() == 0


def test_is_the_divergence() -> None:
    mean_BK, log_sigma_BK = torch.randn(5, 7), torch.randn(5, 7)
    reference_BK = kl_divergence(Normal(mean_BK, log_sigma_BK.exp()), Normal(0.0, 1.0))
    assert torch.allclose(kl_to_standard_normal(mean_BK, log_sigma_BK, "sum"), reference_BK.sum(1).mean(), rtol=1e-5)
    assert torch.allclose(kl_to_standard_normal(mean_BK, log_sigma_BK, "mean"), reference_BK.mean(), rtol=1e-5)


def test_reductions_differ_by_the_width() -> None:
    mean_BK, log_sigma_BK = torch.randn(5, 128), torch.randn(5, 128)
    mean, total = (kl_to_standard_normal(mean_BK, log_sigma_BK, reduction) for reduction in ("mean", "sum"))
    assert (total / mean).item() == pytest.approx(128, rel=1e-5)


def test_half_precision_is_lifted() -> None:
    assert (
        kl_to_standard_normal(torch.ones(2, 4, dtype=torch.bfloat16), torch.zeros(2, 4, dtype=torch.bfloat16)).dtype
        == torch.float32
    )
