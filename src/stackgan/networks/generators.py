"""What Stage-I generators of both code families share, and the Stage-II generator, which is one network in both."""

from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from stackgan.core.ranges import Natural, Positive
from stackgan.networks.blocks import Activation, Resolution, Width, convolution, doubling, doublings, layer, plain_residual, tile
from stackgan.networks.conditioning import ConditioningAugmentation, Drawn, Parametrisation
from stackgan.networks.initialise import Initialisation, initialise


class StageOneBase(nn.Module):
    """Sentence -> condition; condition and noise -> picture by `self.draw`, which each family builds (StackGAN, section 3.2)."""

    noise_first: ClassVar[bool] = False
    initialisation: ClassVar[Initialisation] = "truncated_normal"

    def __init__(
        self,
        text_dim: Positive,
        resolution: Resolution,
        condition_dim: Positive = 128,
        noise_dim: Positive = 100,
        width: Width = 128,
        conditioning_augmentation: bool = True,
        activation: Activation = "leaky_relu",
        parametrisation: Parametrisation = "log_sigma",
    ) -> None:
        super().__init__()
        self.text_dim, self.resolution = text_dim, resolution
        self.condition_dim, self.noise_dim = condition_dim, noise_dim
        self.augmentation = ConditioningAugmentation(
            text_dim, condition_dim, activation, parametrisation, enabled=conditioning_augmentation
        )
        self.draw = self.drawing_layers(condition_dim + noise_dim, width, resolution)
        initialise(self, self.initialisation)

    def drawing_layers(self, inputs: int, width: int, resolution: int) -> nn.Sequential:
        """(B, inputs) -> (B, 3, resolution, resolution) in [-1, 1]."""
        raise NotImplementedError

    def forward(self, text_BT: Tensor, noise_BZ: Tensor, epsilon_BK: Tensor) -> Drawn:
        """Draw one picture a sentence. text_BT: embeddings, any scale. noise_BZ: N(0, 1). epsilon_BK: N(0, 1), may be truncated."""
        condition = self.augmentation(text_BT, epsilon_BK)
        parts = (noise_BZ, condition.sample_BK) if self.noise_first else (condition.sample_BK, noise_BZ)
        return Drawn(self.draw(torch.cat(parts, dim=1)), condition)


class StageTwoGenerator(nn.Module):
    """Redraws a Stage-I picture while reading the sentence again, without noise (StackGAN, section 3.3; both code families).

    residual_blocks: None takes the paper's number, 2 up to 128 pixels and 4 from 256 on.
    text_twice: False is "no Text twice" in the paper's table 2. That network was never released; here it has no
    augmentation, and the picture's features go on alone through the joining layer.
    picture_skip: the enlarged Stage-I picture is added before the final tanh, so that training starts from it instead of from grey.
    Neither code family has it.
    """

    def __init__(
        self,
        text_dim: Positive,
        resolution: Resolution,
        first_resolution: Resolution = 64,
        condition_dim: Positive = 128,
        width: Width = 128,
        residual_blocks: Natural | None = None,
        conditioning_augmentation: bool = True,
        text_twice: bool = True,
        activation: Activation = "leaky_relu",
        parametrisation: Parametrisation = "log_sigma",
        initialisation: Initialisation = "truncated_normal",
        picture_skip: bool = False,
    ) -> None:
        super().__init__()
        self.picture_skip = picture_skip
        self.text_dim, self.condition_dim, self.text_twice = text_dim, condition_dim, text_twice
        self.first_resolution, self.resolution = first_resolution, resolution
        if residual_blocks is None:
            residual_blocks = 2 if resolution <= 128 else 4
        self.augmentation = (
            ConditioningAugmentation(text_dim, condition_dim, activation, parametrisation, conditioning_augmentation)
            if text_twice
            else None
        )
        self.encode = nn.Sequential(
            convolution(3, width, 3),
            nn.ReLU(inplace=True),
            layer(width, 2 * width, 4, "relu", stride=2),
            layer(2 * width, 4 * width, 4, "relu", stride=2),
        )
        self.join = layer(4 * width + (condition_dim if text_twice else 0), 4 * width, 3, "relu")
        self.refine = nn.Sequential(*(plain_residual(4 * width) for _ in range(residual_blocks)))
        steps = doublings(first_resolution // 4, resolution)
        # The floor of 4 channels is for tiny test networks; the published widths never reach it.
        widths = [max(4 * width >> step, 4) for step in range(steps + 1)]
        self.draw = nn.Sequential(
            *(doubling(before, after) for before, after in pairwise(widths)),
            convolution(widths[-1], 3, 3),
        )
        initialise(self, initialisation)

    def forward(self, first_BCHW: Tensor, text_BT: Tensor, epsilon_BK: Tensor) -> Drawn:
        """first_BCHW: Stage-I pictures in [-1, 1], first_resolution wide. text_BT: embeddings. epsilon_BK: N(0, 1)."""
        features_BCHW: Tensor = self.encode(first_BCHW)
        condition = None
        if self.augmentation is not None:
            condition = self.augmentation(text_BT, epsilon_BK)
            features_BCHW = torch.cat([features_BCHW, tile(condition.sample_BK, features_BCHW)], dim=1)
        drawn_BCHW: Tensor = self.draw(self.refine(self.join(features_BCHW)))
        if self.picture_skip:
            large_BCHW = interpolate(first_BCHW, size=drawn_BCHW.shape[2:], mode="bilinear", align_corners=False)
            # The inverse of tanh grows without bound towards 1; a picture's extremes are held at 2.6 instead.
            drawn_BCHW = drawn_BCHW + torch.atanh(0.99 * large_BCHW)
        return Drawn(torch.tanh(drawn_BCHW), condition)
