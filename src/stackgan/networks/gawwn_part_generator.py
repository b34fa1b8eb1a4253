"""The part generator of GAWWN (Reed et al. 2016, section 4.4), as in main_gen_keypoints.lua: where are the parts not given?"""

import torch
from torch import Tensor, nn

from stackgan.core.ranges import Positive
from stackgan.networks.blocks import Norm, Width
from stackgan.networks.gawwn_layers import finished, initialise_as_published, mapped


class PartCompleter(nn.Module):
    """Sentence, noise and some parts to all parts.

    parts: P. width: ngf. noise_dim: Z. 2,715,949 parameters as published (text_dim 1024, 15 parts).
    """

    def __init__(self, text_dim: Positive, parts: Positive = 15, noise_dim: Positive = 100, width: Width = 128) -> None:
        super().__init__()
        self.text_dim, self.noise_dim, self.parts = text_dim, noise_dim, parts
        self.read_noise = mapped(noise_dim, 4 * width, "relu", "none")
        self.read_text = mapped(text_dim, 4 * width, "relu", "none")
        self.read_parts = nn.Sequential(mapped(3 * parts, 4 * width, "relu"), mapped(4 * width, 2 * width, "relu"))
        self.place = nn.Sequential(
            mapped(10 * width, 8 * width, "relu"),
            mapped(8 * width, 4 * width, "relu"),
            mapped(4 * width, 2 * width, "relu"),
            finished(nn.Linear(2 * width, 3 * parts), nn.Sigmoid(), "none"),
        )
        initialise_as_published(self, spectral=False)

    def forward(self, text_BT: Tensor, noise_BZ: Tensor, given_BP3: Tensor) -> Tensor:
        """(B, P, 3) x, y, visible, all in 0..1: what is given where its third number is 1, drawn where that is 0.

        given_BP3: x, y as fractions of the picture, and 1, or three zeros.
        """
        read = [self.read_noise(noise_BZ), self.read_text(text_BT), self.read_parts(given_BP3.flatten(1))]
        drawn_BP3 = self.place(torch.cat(read, 1)).unflatten(1, (self.parts, 3))
        known_BP1 = given_BP3[..., 2:]
        completed: Tensor = drawn_BP3 * (1 - known_BP1) + given_BP3 * known_BP1
        return completed


class PartDiscriminator(nn.Module):
    """Are these the parts of a real picture with this sentence? 946,177 parameters as published.

    width: ndf. norm, spectral: see blocks.Norm and initialise.py.
    """

    def __init__(
        self, text_dim: Positive, parts: Positive = 15, width: Width = 128, norm: Norm = "batch", spectral: bool = False
    ) -> None:
        super().__init__()
        self.read_parts = nn.Sequential(
            mapped(3 * parts, 4 * width, "leaky_relu", norm), mapped(4 * width, 2 * width, "leaky_relu", norm)
        )
        self.read_text = nn.Sequential(
            mapped(text_dim, 4 * width, "leaky_relu", norm), mapped(4 * width, 2 * width, "leaky_relu", norm)
        )
        self.logit = nn.Sequential(mapped(4 * width, 2 * width, "leaky_relu", norm), nn.Linear(2 * width, 1))
        initialise_as_published(self, spectral)

    def forward(self, parts_BP3: Tensor, text_BT: Tensor) -> Tensor:
        """Returns logits (B,). parts_BP3: x, y, visible; three zeros for a part that is not there."""
        read = torch.cat([self.read_parts(parts_BP3.flatten(1)), self.read_text(text_BT)], 1)
        logit_B: Tensor = self.logit(read).flatten()
        return logit_B
