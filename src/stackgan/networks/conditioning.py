"""Conditioning augmentation (StackGAN, section 3.1), and what every generator returns."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from stackgan.core.ranges import Positive
from stackgan.networks import blocks

Parametrisation = Literal["log_sigma", "log_variance"]
"""What the second half of the layer's outputs means: log standard deviation (TensorFlow code) or log variance (PyTorch code)."""


@dataclass(frozen=True)
class Condition:
    """A sentence as a Gaussian, and the point drawn from it. log_sigma_BK: log standard deviation in every parametrisation."""

    sample_BK: Tensor
    mean_BK: Tensor
    log_sigma_BK: Tensor


@dataclass(frozen=True)
class Drawn:
    """What a generator returns: pictures x_BCHW in [-1, 1], and the condition they were drawn from (None: no sentence was read)."""

    x_BCHW: Tensor
    condition: Condition | None


class ConditioningAugmentation(nn.Module):
    """A linear layer with an activation gives mean and spread; the condition is mean + sigma * epsilon.

    enabled=False: the condition is the mean, and the layer keeps its 2 K outputs with half of them unused (the paper's code,
    `COND_AUGMENTATION: False`); the KL term then has to be left out.
    """

    def __init__(
        self,
        text_dim: Positive,
        condition_dim: Positive = 128,
        activation: blocks.Activation = "leaky_relu",
        parametrisation: Parametrisation = "log_sigma",
        enabled: bool = True,
    ) -> None:
        super().__init__()
        self.condition_dim = condition_dim
        self.parametrisation = parametrisation
        self.enabled = enabled
        self.linear = nn.Linear(text_dim, 2 * condition_dim)
        self.act = blocks.activation(activation)

    def forward(self, text_BT: Tensor, epsilon_BK: Tensor) -> Condition:
        """text_BT: sentence embeddings, any scale. epsilon_BK: N(0, 1), truncated or not; zeros give the mean."""
        # Small, and followed by exp: kept out of autocast, so that mean and spread have the weights' precision.
        with blocks.full_precision(text_BT):
            both: Tensor = self.act(self.linear(text_BT.to(self.linear.weight.dtype)))
            mean_BK, log_sigma_BK = both.chunk(2, dim=1)
            if self.parametrisation == "log_variance":
                log_sigma_BK = 0.5 * log_sigma_BK
            sample_BK = mean_BK + log_sigma_BK.exp() * epsilon_BK.to(mean_BK.dtype) if self.enabled else mean_BK
        return Condition(sample_BK, mean_BK, log_sigma_BK)
