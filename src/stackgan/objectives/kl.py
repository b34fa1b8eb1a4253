"""The pull of the condition's Gaussian towards N(0, I): StackGAN, section 3.1, equation 2."""

from typing import Literal

from torch import Tensor

Reduction = Literal["mean", "sum"]
"""Over the K dimensions: mean (both code families, weight 2.0), or sum (the divergence itself: the paper's equation, weight 1)."""


def kl_to_standard_normal(mean_BK: Tensor, log_sigma_BK: Tensor, reduction: Reduction = "mean") -> Tensor:
    """KL(N(mean, sigma^2) || N(0, I)), a mean over the batch. log_sigma_BK: log standard deviation. Computed in float32."""
    mean_BK, log_sigma_BK = mean_BK.float(), log_sigma_BK.float()
    kl_BK = 0.5 * (mean_BK.square() + (2 * log_sigma_BK).exp() - 1) - log_sigma_BK
    return kl_BK.mean() if reduction == "mean" else kl_BK.sum(dim=1).mean()
