"""What discriminators of both code families share: an encoder, and one head for each question asked about its features."""

from typing import Literal

import torch
from torch import Tensor, nn

from stackgan.networks.blocks import Norm, activation, bottleneck, convolution, doublings, layer, tile
from stackgan.networks.initialise import Initialisation, initialise, normalise_spectrum

Head = Literal["conditional", "unconditional"]
TextInput = Literal["embedding", "condition_mean"]
"""What the conditional head reads: the raw embedding through a linear layer of its own, or the mean of G's condition (detached)."""


class ConditionalHead(nn.Module):
    """Does the picture show the sentence? Text at every pixel, one joining layer, one convolution over the whole map."""

    def __init__(
        self,
        text_dim: int,
        condition_dim: int,
        channels: int,
        side: int,
        text_input: TextInput,
        join_kernel: int,
        logit_bias: bool,
        norm: Norm,
        projection: bool = False,
        text_norm: Norm = "none",
    ) -> None:
        super().__init__()
        given = text_dim if text_input == "embedding" else condition_dim
        self.projection = nn.Linear(given, channels, bias=False) if projection else None
        self.read: nn.Module = nn.Identity()
        if text_input == "embedding":
            norms = [nn.BatchNorm1d(condition_dim)] if text_norm == "batch" else []
            self.read = nn.Sequential(nn.Linear(text_dim, condition_dim), *norms, activation("leaky_relu"))
        self.join = layer(channels + condition_dim, channels, join_kernel, "leaky_relu", norm=norm)
        self.logit = logit_layer(channels, side, logit_bias or norm == "none")

    def forward(self, features_BCHW: Tensor, text: Tensor) -> Tensor:
        """features_BCHW from the encoder, text (B, T) or (B, K) -> logits (B,)."""
        text_BK = self.read(text)
        logit_B: Tensor = self.logit(self.join(torch.cat([features_BCHW, tile(text_BK, features_BCHW)], dim=1))).flatten()
        if self.projection is not None:
            logit_B = logit_B + (features_BCHW.mean(dim=(2, 3)) * self.projection(text)).sum(dim=1)
        return logit_B


def logit_layer(channels: int, side: int, bias: bool) -> nn.Conv2d:
    """One number for the whole map of that side."""
    return nn.Conv2d(channels, 1, side, bias=bias)


def halvings(width: int, count: int, norm: Norm) -> nn.Sequential:
    """Stride-2 layers from the picture to width * 2 ** (count - 1) channels. The first has no batch norm, in either family."""
    encoder = nn.Sequential(convolution(3, width, 4, stride=2, bias=norm == "none"), activation("leaky_relu"))
    for step in range(count - 1):
        encoder.append(layer(width << step, width << (step + 1), 4, "leaky_relu", stride=2, norm=norm))
    return encoder


def halvings_and_residual(width: int, norm: Norm) -> nn.Sequential:
    """Four halvings to 8 * width channels, no activation after the last two, then a bottleneck residual: GAN-CLS and Stage-I."""
    encoder = halvings(width, 2, norm)
    encoder.append(layer(2 * width, 4 * width, 4, "none", stride=2, norm=norm))
    encoder.append(layer(4 * width, 8 * width, 4, "none", stride=2, norm=norm))
    encoder.append(bottleneck(8 * width, "leaky_relu", norm))
    return encoder


def halvings_to_four(resolution: int) -> int:
    """How many halvings lead to a 4x4 map, in Stage-II: at least four, since the head reads 8 times width channels."""
    count = doublings(4, resolution)
    if count < 4:
        raise ValueError(f"resolution must be at least 64 in Stage-II's discriminator, not {resolution}")
    return count


class Discriminator(nn.Module):
    """Asks of a picture whether it is real, alone or together with its sentence.

    heads: the questions it answers. text_input: what `conditional` must be given. Logits are raw: no sigmoid inside.
    Real, mismatched and fake pictures are separate calls of `features`: each has its own batch statistics, as in the code.
    """

    def __init__(
        self,
        resolution: int,
        encoder: nn.Module,
        conditional_head: ConditionalHead,
        unconditional_head: nn.Module | None,
        text_input: TextInput,
        initialisation: Initialisation,
        spectral: bool,
    ) -> None:
        super().__init__()
        self.resolution = resolution
        self.text_input: TextInput = text_input
        self.heads: tuple[Head, ...] = ("conditional",) if unconditional_head is None else ("conditional", "unconditional")
        self.encoder = encoder
        self.conditional_head = conditional_head
        self.unconditional_head = unconditional_head
        initialise(self, initialisation)
        if spectral:
            normalise_spectrum(self)

    def features(self, x_BCHW: Tensor) -> Tensor:
        """Pictures in [-1, 1] -> features_BCHW for the heads."""
        features_BCHW: Tensor = self.encoder(x_BCHW)
        return features_BCHW

    def conditional(self, features_BCHW: Tensor, text: Tensor) -> Tensor:
        """text: text_BT, or the condition's mean (B, K), as text_input says. Returns logits (B,): real and matching, or not."""
        logit_B: Tensor = self.conditional_head(features_BCHW, text)
        return logit_B

    def unconditional(self, features_BCHW: Tensor) -> Tensor:
        """Returns logits (B,): real, or not. Only where `heads` names it."""
        if self.unconditional_head is None:
            raise ValueError("this discriminator has no unconditional head")
        logit_B: Tensor = self.unconditional_head(features_BCHW).flatten()
        return logit_B

    def forward(self, x_BCHW: Tensor, text: Tensor) -> dict[Head, Tensor]:
        """The logits (B,) of every head."""
        features_BCHW = self.features(x_BCHW)
        logits: dict[Head, Tensor] = {"conditional": self.conditional(features_BCHW, text)}
        if "unconditional" in self.heads:
            logits["unconditional"] = self.unconditional(features_BCHW)
        return logits
