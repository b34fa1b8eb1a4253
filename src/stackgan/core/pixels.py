"""Pixel ranges: files and caches hold uint8, networks see [-1, 1]."""

import numpy as np
import torch
from torch import Tensor


def to_unit_range(x_BCHW: Tensor) -> Tensor:
    """uint8 0..255 to float32 in [-1, 1], keeping the memory format."""
    return x_BCHW.to(torch.float32).mul_(2 / 255).sub_(1)


def to_bytes_NHWC(x_NCHW: Tensor) -> "np.ndarray[tuple[int, int, int, int], np.dtype[np.uint8]]":
    """[-1, 1] (any float type, any device) to uint8 (N, H, W, C) on the CPU: clamped, then rounded, exactly what a PNG stores."""
    x = x_NCHW.detach().float().add(1).mul(127.5).clamp_(0, 255).round_().to(torch.uint8)
    return x.permute(0, 2, 3, 1).cpu().numpy()
