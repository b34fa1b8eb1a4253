"""The networks of the paper's TensorFlow code (hanzhanggit/StackGAN), quirks included; Stage-II's generator: generators.py."""

from torch import nn

from stackgan.core.ranges import Positive
from stackgan.networks.blocks import (
    Activation,
    Norm,
    Resolution,
    Width,
    bottleneck,
    convolution,
    doubling,
    layer,
    smallest_side,
)
from stackgan.networks.discriminators import ConditionalHead, Discriminator, halvings, halvings_and_residual, halvings_to_four
from stackgan.networks.generators import StageOneBase


class StageOneGenerator(StageOneBase):
    """Stage-I with two bottleneck residuals; no activation after the linear layer and before the second residual, as in the code.

    text_dim: width of the sentence embeddings. resolution: picture side (the paper's 64; 256 is its one-stage ablation).
    width: the code's GF_DIM, the first map has 8 times as many channels.
    """

    def drawing_layers(self, inputs: int, width: int, resolution: int) -> nn.Sequential:
        """(B, inputs) -> (B, 3, resolution, resolution) in [-1, 1]."""
        side = smallest_side(resolution)
        flat = 8 * width * side * side
        return nn.Sequential(
            nn.Linear(inputs, flat),
            nn.BatchNorm1d(flat),
            nn.Unflatten(1, (8 * width, side, side)),
            bottleneck(8 * width, "relu"),
            doubling(8 * width, 4 * width, "none"),
            bottleneck(4 * width, "relu"),
            doubling(4 * width, 2 * width),
            doubling(2 * width, width),
            nn.Upsample(scale_factor=2, mode="nearest"),
            convolution(width, 3, 3),
            nn.Tanh(),
        )


class SimpleStageOneGenerator(StageOneBase):
    """`NETWORK_TYPE: simple`: four transposed convolutions, no residuals; batch norm after the linear layer is by channel here."""

    def drawing_layers(self, inputs: int, width: int, resolution: int) -> nn.Sequential:
        """(B, inputs) -> (B, 3, resolution, resolution) in [-1, 1]."""
        side = smallest_side(resolution)
        parts: list[nn.Module] = [
            nn.Linear(inputs, 8 * width * side * side),
            nn.Unflatten(1, (8 * width, side, side)),
            nn.BatchNorm2d(8 * width),
            nn.ReLU(inplace=True),
        ]
        for before, after in ((8 * width, 4 * width), (4 * width, 2 * width), (2 * width, width)):
            up = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)
            parts += [up, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        return nn.Sequential(*parts, nn.ConvTranspose2d(width, 3, 4, stride=2, padding=1, bias=False), nn.Tanh())


class StageOneDiscriminator(Discriminator):
    """Stage-I: four halvings, a bottleneck residual, its own linear layer on the embedding, a 1x1 joining layer.

    residual: False is `NETWORK_TYPE: simple`. The code has no activation after the third and the fourth halving where a residual
    follows, and one after each where none does. width: the code's DF_DIM. norm, spectral: see blocks.Norm and initialise.py.
    """

    def __init__(
        self,
        text_dim: Positive,
        resolution: Resolution,
        condition_dim: Positive = 128,
        width: Width = 64,
        residual: bool = True,
        norm: Norm = "batch",
        spectral: bool = False,
    ) -> None:
        encoder = halvings_and_residual(width, norm) if residual else halvings(width, 4, norm)
        head = ConditionalHead(text_dim, condition_dim, 8 * width, smallest_side(resolution), "embedding", 1, False, norm)
        super().__init__(resolution, encoder, head, None, "embedding", "truncated_normal", spectral)


class StageTwoDiscriminator(Discriminator):
    """Stage-II: halvings down to 4x4, 1x1 layers back to 8 times width, then residual and head as in Stage-I.

    At 128 pixels (not released) there is one halving and one 1x1 layer less.
    """

    def __init__(
        self,
        text_dim: Positive,
        resolution: Resolution,
        condition_dim: Positive = 128,
        width: Width = 64,
        norm: Norm = "batch",
        spectral: bool = False,
    ) -> None:
        count = halvings_to_four(resolution)
        encoder = halvings(width, count, norm)
        for step in range(count - 1, 3, -1):
            act: Activation = "none" if step == 4 else "leaky_relu"
            encoder.append(layer(width << step, width << (step - 1), 1, act, norm=norm))
        encoder.append(bottleneck(8 * width, "leaky_relu", norm))
        head = ConditionalHead(text_dim, condition_dim, 8 * width, 4, "embedding", 1, False, norm)
        super().__init__(resolution, encoder, head, None, "embedding", "truncated_normal", spectral)
