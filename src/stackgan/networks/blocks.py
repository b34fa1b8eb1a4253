"""Building blocks of all networks: convolutions with or without batch norm, up-sampling, residuals, tiling of the condition."""

from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Gt, MultipleOf
from torch import Tensor, nn

Width = Annotated[int, Gt(0), MultipleOf(4)]
"""Channels of a network's widest-resolution layer; the narrowest layers have a quarter of it."""
Resolution = Annotated[int, Ge(16), MultipleOf(16)]
"""Picture side in pixels; four halvings must leave whole pixels."""
Norm = Literal["batch", "none"]
"""Batch norm after every inner convolution, or none, where every convolution gets a bias instead."""
Activation = Literal["relu", "leaky_relu", "none"]


def activation(kind: Activation) -> nn.Module:
    """The activation of that name; the leaky slope is 0.2 wherever the reference code uses one."""
    if kind == "relu":
        return nn.ReLU(inplace=True)
    return nn.LeakyReLU(0.2, inplace=True) if kind == "leaky_relu" else nn.Identity()


def convolution(channels: int, out: int, kernel: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A convolution that keeps the size (kernel 1 or 3) or halves it (kernel 4, stride 2: TensorFlow's SAME on even sizes)."""
    return nn.Conv2d(channels, out, kernel, stride, padding=(kernel - 1) // 2, bias=bias)


def layer(channels: int, out: int, kernel: int, act: Activation, stride: int = 1, norm: Norm = "batch") -> nn.Sequential:
    """Convolution, batch norm (momentum 0.1, eps 1e-5, torch's defaults) or bias, activation."""
    parts: list[nn.Module] = [convolution(channels, out, kernel, stride, bias=norm == "none")]
    if norm == "batch":
        parts.append(nn.BatchNorm2d(out))
    if act != "none":
        parts.append(activation(act))
    return nn.Sequential(*parts)


def doubling(channels: int, out: int, act: Activation = "relu") -> nn.Sequential:
    """Twice the side: nearest neighbour, then a 3x3 layer."""
    return nn.Sequential(nn.Upsample(scale_factor=2, mode="nearest"), layer(channels, out, 3, act))


class Residual(nn.Module):
    """activation(x + branch(x))."""

    def __init__(self, branch: nn.Module, act: Activation) -> None:
        super().__init__()
        self.branch = branch
        self.act = activation(act)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """x_BCHW and the result have the same shape."""
        out: Tensor = self.act(x_BCHW + self.branch(x_BCHW))
        return out


def bottleneck(channels: int, act: Activation, norm: Norm = "batch") -> Residual:
    """1x1 to a quarter, 3x3, 3x3 back: the residual of the paper's Stage-I networks and discriminators (TensorFlow code)."""
    inner = channels // 4
    branch = nn.Sequential(
        layer(channels, inner, 1, act, norm=norm),
        layer(inner, inner, 3, act, norm=norm),
        layer(inner, channels, 3, "none", norm=norm),
    )
    return Residual(branch, act)


def plain_residual(channels: int) -> Residual:
    """Two 3x3 layers: the residual of Stage-II generators."""
    return Residual(nn.Sequential(layer(channels, channels, 3, "relu"), layer(channels, channels, 3, "none")), "relu")


def tile(condition_BK: Tensor, like_BCHW: Tensor) -> Tensor:
    """condition at every pixel, (B, K, H, W), with the element type and memory format of like_BCHW."""
    tiled = condition_BK.to(like_BCHW.dtype)[:, :, None, None].expand(-1, -1, *like_BCHW.shape[2:])
    # Concatenating an expanded view with a channels_last map would give a contiguous one, which the next convolution copies back.
    if like_BCHW.is_contiguous(memory_format=torch.channels_last):
        return tiled.contiguous(memory_format=torch.channels_last)
    return tiled


def smallest_side(resolution: int) -> int:
    """Side of the map after four halvings: the reference code's s16."""
    if resolution < 16 or resolution % 16:
        raise ValueError(f"resolution must be a multiple of 16, not {resolution}")
    return resolution // 16


def doublings(small: int, large: int) -> int:
    """How often small must double to become large."""
    count = (large // small).bit_length() - 1 if small > 0 and large >= small else -1
    if count < 0 or small << count != large:
        raise ValueError(f"{large} is not {small} times a power of two")
    return count


def full_precision(tensor: Tensor) -> AbstractContextManager[Any]:
    """Keeps small, delicate arithmetic on tensor's device out of autocast, which the meta device does not know."""
    return nullcontext() if tensor.is_meta else torch.autocast(tensor.device.type, enabled=False)
