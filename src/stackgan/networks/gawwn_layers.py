"""What the networks of GAWWN's published code (reedscot/nips2016) share: layers with biases, and first weights."""

from torch import Tensor, nn

from stackgan.networks.blocks import Activation, Norm, Residual, activation
from stackgan.networks.initialise import initialise, normalise_spectrum

SIDE = 16
"""Pixels a side of the maps on which places are marked."""


def finished(first: nn.Module, norm: nn.Module | None, act: Activation) -> nn.Sequential:
    """A layer with what follows it."""
    parts = [first, norm, None if act == "none" else activation(act)]
    return nn.Sequential(*(part for part in parts if part is not None))


def convolved(channels: int, out: int, kernel: int, act: Activation, stride: int = 1, norm: Norm = "batch") -> nn.Sequential:
    """As blocks.layer, but all convolutions have biases; kernel 4 without a stride makes one pixel of four by four."""
    padding = 0 if kernel == 4 and stride == 1 else (kernel - 1) // 2
    convolution = nn.Conv2d(channels, out, kernel, stride, padding)
    return finished(convolution, nn.BatchNorm2d(out) if norm == "batch" else None, act)


def opened(channels: int, out: int) -> nn.Sequential:
    """One pixel to four by four."""
    return finished(nn.ConvTranspose2d(channels, out, 4), nn.BatchNorm2d(out), "none")


def doubled(channels: int, out: int, act: Activation = "relu", resized: bool = False) -> nn.Sequential:
    """Twice the side, with batch norm; see enlarged."""
    return finished(enlarged(channels, out, resized), nn.BatchNorm2d(out), act)


def enlarged(channels: int, out: int, resized: bool) -> nn.Module:
    """Twice the side by a transposed convolution, as published; or by nearest neighbour and a 3x3 convolution.

    resized: the second, which leaves no checkerboard but was not found to draw better birds for as many pictures seen.
    """
    if not resized:
        return nn.ConvTranspose2d(channels, out, 4, 2, 1)
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), nn.Conv2d(channels, out, 3, padding=1))


def mapped(channels: int, out: int, act: Activation, norm: Norm = "batch") -> nn.Sequential:
    """A linear layer of vectors, normed."""
    return finished(nn.Linear(channels, out), nn.BatchNorm1d(out) if norm == "batch" else None, act)


def bottleneck(channels: int) -> Residual:
    """1x1 to a quarter, 3x3, 3x3 back."""
    inner = channels // 4
    branch = nn.Sequential(
        convolved(channels, inner, 1, "relu"), convolved(inner, inner, 3, "relu"), convolved(inner, channels, 3, "none")
    )
    return Residual(branch, "relu")


def spread(vector_BK: Tensor, side: int) -> Tensor:
    """The vector at every pixel, (B, K, side, side)."""
    return vector_BK[:, :, None, None].expand(-1, -1, side, side)


def initialise_as_published(network: nn.Module, spectral: bool) -> None:
    """Convolutions N(0, 0.02) with biases 0, batch norm's gamma N(1, 0.02); linear layers keep torch's own first values."""
    initialise(network, "normal_convolutions")
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)) and module.bias is not None:
            nn.init.zeros_(module.bias)
    if spectral:
        normalise_spectrum(network)
