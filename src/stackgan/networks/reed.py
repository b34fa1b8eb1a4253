"""The networks of GAN-CLS and its family (Reed et al., ICML 2016; reedscot/icml2016, the script for birds and flowers)."""

import torch
from torch import Tensor, nn

from stackgan.core.ranges import Positive
from stackgan.core.shapes import Pictures
from stackgan.networks.blocks import Activation, Norm, Resolution, Width, activation, bottleneck, smallest_side
from stackgan.networks.discriminators import ConditionalHead, Discriminator, halvings_and_residual
from stackgan.networks.initialise import initialise


class GanClsGenerator(nn.Module):
    """Sentence and noise to a picture: transposed convolutions, and a bottleneck residual at each of the two smallest sizes.

    No activation after the first layer and before the second residual, as in the code. text_dim: width of the sentence embeddings
    (the published counts are for 1,024). condition_dim: the code's nt, noise_dim: its nz, width: its ngf.
    resolution: the published 64; larger ones begin with a larger first map, as StackGAN's code does.
    """

    def __init__(
        self,
        text_dim: Positive,
        resolution: Resolution,
        condition_dim: Positive = 128,
        noise_dim: Positive = 100,
        width: Width = 128,
    ) -> None:
        super().__init__()
        self.text_dim, self.resolution, self.noise_dim = text_dim, resolution, noise_dim
        self.read = nn.Sequential(nn.Linear(text_dim, condition_dim), activation("leaky_relu"))
        inputs = noise_dim + condition_dim
        self.draw = nn.Sequential(
            nn.Unflatten(1, (inputs, 1, 1)),
            nn.ConvTranspose2d(inputs, 8 * width, smallest_side(resolution), bias=False),
            nn.BatchNorm2d(8 * width),
            bottleneck(8 * width, "relu"),
            *_doubling(8 * width, 4 * width, "none"),
            bottleneck(4 * width, "relu"),
            *_doubling(4 * width, 2 * width, "relu"),
            *_doubling(2 * width, width, "relu"),
            nn.ConvTranspose2d(width, 3, 4, stride=2, padding=1, bias=False),
            nn.Tanh(),
        )
        initialise(self, "normal_convolutions")
        _add_idle_biases(self)

    def forward(self, text_BT: Tensor, noise_BZ: Tensor) -> Pictures:
        """Draw one picture a sentence, x_BCHW in [-1, 1]. text_BT: embeddings, any scale. noise_BZ: N(0, 1). Section 4.1."""
        return Pictures(self.draw(torch.cat([noise_BZ, self.read(text_BT)], dim=1)))


class GanClsDiscriminator(Discriminator):
    """Four halvings, a bottleneck residual, a 1x1 joining layer: as Stage-I's D in networks/paper.py, which took it over from here.

    The sentence passes batch norm here, and first weights differ.

    width: the code's ndf. norm, spectral: see blocks.Norm and initialise.py. projection: see ConditionalHead; the code has none.
    """

    def __init__(
        self,
        text_dim: Positive,
        resolution: Resolution,
        condition_dim: Positive = 128,
        width: Width = 64,
        projection: bool = False,
        norm: Norm = "batch",
        spectral: bool = False,
    ) -> None:
        head = ConditionalHead(
            text_dim, condition_dim, 8 * width, smallest_side(resolution), "embedding", 1, False, norm, projection, text_norm=norm
        )
        encoder = halvings_and_residual(width, norm)
        super().__init__(resolution, encoder, head, None, "embedding", "normal_convolutions", spectral)
        _add_idle_biases(self)


def _doubling(channels: int, out: int, act: Activation) -> list[nn.Module]:
    parts: list[nn.Module] = [nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(out)]
    return parts if act == "none" else [*parts, activation(act)]


def _add_idle_biases(network: nn.Module) -> None:
    """A bias of 0 that does not learn, for every convolution that has none.

    The code's convolutions have biases and sets them to 0 before every pass: they count, and do nothing.
    """
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) and module.bias is None:
            module.bias = nn.Parameter(torch.zeros(module.out_channels), requires_grad=False)
