"""The networks of the authors' PyTorch code (hanzhanggit/StackGAN-Pytorch); Stage-II's generator: generators.py.

`light` is a narrow form of them.
"""

from typing import ClassVar, Literal

from torch import nn

from stackgan.core.ranges import Positive
from stackgan.networks.blocks import Norm, Resolution, Width, convolution, doubling, layer, smallest_side
from stackgan.networks.discriminators import ConditionalHead, Discriminator, TextInput, halvings, halvings_to_four, logit_layer
from stackgan.networks.generators import StageOneBase
from stackgan.networks.initialise import Initialisation


class StageOneGenerator(StageOneBase):
    """Stage-I without residuals, but with a hidden layer at full size (the authors' advice, StackGAN issue 10); noise first.

    width: the code's GF_DIM, the first map has 8 times as many channels.
    """

    noise_first: ClassVar[bool] = True
    initialisation: ClassVar[Initialisation] = "normal"

    def drawing_layers(self, inputs: int, width: int, resolution: int) -> nn.Sequential:
        """(B, inputs) -> (B, 3, resolution, resolution) in [-1, 1]."""
        side = smallest_side(resolution)
        flat = 8 * width * side * side
        return nn.Sequential(
            nn.Linear(inputs, flat, bias=False),
            nn.BatchNorm1d(flat),
            nn.ReLU(inplace=True),
            nn.Unflatten(1, (8 * width, side, side)),
            *(doubling(8 * width >> step, 8 * width >> (step + 1)) for step in range(4)),
            convolution(width // 2, 3, 3),
            nn.Tanh(),
        )


class StageOneDiscriminator(Discriminator):
    """Stage-I: four halvings and a conditional head. width: the code's DF_DIM. norm, spectral: see blocks.Norm and initialise.py.

    The authors' code has join_kernel 3, text_input "condition_mean", and no unconditional head (one that sees the picture alone).
    projection: see ConditionalHead.
    """

    def __init__(
        self,
        text_dim: Positive,
        resolution: Resolution,
        condition_dim: Positive = 128,
        width: Width = 64,
        text_input: TextInput = "condition_mean",
        join_kernel: Literal[1, 3] = 3,
        projection: bool = False,
        unconditional: bool = False,
        norm: Norm = "batch",
        spectral: bool = False,
    ) -> None:
        encoder = halvings(width, 4, norm)
        side = smallest_side(resolution)
        head = ConditionalHead(text_dim, condition_dim, 8 * width, side, text_input, join_kernel, True, norm, projection)
        free = logit_layer(8 * width, side, bias=True) if unconditional else None
        super().__init__(resolution, encoder, head, free, text_input, "normal", spectral)


class StageTwoDiscriminator(Discriminator):
    """Stage-II: halvings down to 4x4, 3x3 layers back to 8 times width, a conditional and an unconditional head.

    At 128 pixels there is one halving and one 3x3 layer less, as in the authors' later StackGAN-v2.
    """

    def __init__(
        self,
        text_dim: Positive,
        resolution: Resolution,
        condition_dim: Positive = 128,
        width: Width = 64,
        text_input: TextInput = "condition_mean",
        join_kernel: Literal[1, 3] = 3,
        projection: bool = False,
        unconditional: bool = True,
        norm: Norm = "batch",
        spectral: bool = False,
    ) -> None:
        count = halvings_to_four(resolution)
        encoder = halvings(width, count, norm)
        for step in range(count - 1, 3, -1):
            encoder.append(layer(width << step, width << (step - 1), 3, "leaky_relu", norm=norm))
        head = ConditionalHead(text_dim, condition_dim, 8 * width, 4, text_input, join_kernel, True, norm, projection)
        free = logit_layer(8 * width, 4, bias=True) if unconditional else None
        super().__init__(resolution, encoder, head, free, text_input, "normal", spectral)
