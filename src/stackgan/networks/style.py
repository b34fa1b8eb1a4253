"""The style encoder S: a picture back to the noise that it was drawn from (Reed et al. 2016, section 4.4)."""

import torch
from torch import Tensor, nn

from stackgan.core.ranges import Positive
from stackgan.networks.blocks import Resolution, Width, activation, bottleneck, convolution, doublings, layer
from stackgan.networks.initialise import initialise

SIDE = 4
"""Of the last map, in pixels."""


class StyleEncoder(nn.Module):
    """Pictures (B, 3, resolution, resolution) in [-1, 1] to noise (B, noise_dim).

    The paper leaves S open and its code lacks it; this is GAN-CLS's discriminator without the sentence, as a public rewrite has it:
    stride-2 layers of width, 2, 4 and 8 times width channels, a bottleneck residual, a linear layer. Pictures larger than 64
    pixels are halved further at 8 times width. Raises ValueError for a resolution that is not 64 times a power of two.
    spread: mean and variance of each number over about the last hundred batches of training.
    """

    def __init__(self, noise_dim: Positive, resolution: Resolution, width: Width = 64) -> None:
        super().__init__()
        count = doublings(SIDE, resolution)
        if count < 4:
            raise ValueError(f"resolution must be at least 64, not {resolution}")
        wide = 8 * width
        channels = [min(width << step, wide) for step in range(count)]
        self.body = nn.Sequential(convolution(3, width, 4, stride=2, bias=True), activation("leaky_relu"))
        for step in range(1, count - 1):
            self.body.append(layer(channels[step - 1], channels[step], 4, "leaky_relu", stride=2))
        self.body.append(layer(channels[-2], wide, 4, "none", stride=2))
        self.body.append(bottleneck(wide, "leaky_relu"))
        self.head = nn.Linear(wide * SIDE * SIDE, noise_dim)
        initialise(self, "normal")
        self.spread = nn.BatchNorm1d(noise_dim, affine=False, momentum=0.01, eps=1e-8)  # has nothing to initialise

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, noise_dim) float32, unbounded: the mean of the noises that may have drawn the picture, as squared error teaches."""
        noise_BZ: Tensor = self.head(torch.flatten(self.body(x_BCHW), 1)).float()
        if self.training:
            self.spread(noise_BZ.detach())
        return noise_BZ

    def style(self, x_BCHW: Tensor) -> Tensor:
        """The same in evaluation mode, as noise that the generator may have been taught with: centred, and of noise's length.

        The less a picture tells of its noise, the nearer its mean lies to 0: drawn from it as it is, all pictures look alike. So
        each number is brought to mean 0 and variance 1 over the generator's own pictures. A photograph is unlike those, and its
        numbers are many times larger; nearly all noise has the length sqrt(noise_dim), which the whole is brought to.
        """
        spread_BZ: Tensor = self.spread(self(x_BCHW))
        style_BZ: Tensor = nn.functional.normalize(spread_BZ) * spread_BZ.shape[1] ** 0.5
        return style_BZ
