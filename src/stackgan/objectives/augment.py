"""DiffAugment (Zhao et al. 2020) without colour: D sees moved and holed pictures, and G's gradient passes through.

The numbers come from outside, so that chance stays keyed. The published strengths are shifts of up to an eighth of the side in each
direction, and holes of half the side.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from stackgan.core.devices import moved


class _Translate(torch.autograd.Function):
    """Moving back is the gradient of moving: cheaper than the gradient of an index, and differentiable again (for R1)."""

    @staticmethod
    def forward(context: Any, x_BCHW: Tensor, shift_B2: Tensor) -> Tensor:
        context.save_for_backward(shift_B2)
        return _moved(x_BCHW, shift_B2)

    @staticmethod
    def backward(context: Any, *gradients: Any) -> tuple[Tensor, None]:
        (shift_B2,) = context.saved_tensors
        return translate(gradients[0], -shift_B2), None


def _moved(x_BCHW: Tensor, shift_B2: Tensor) -> Tensor:
    # Every row of the result is one unbroken window of the padded batch, so whole rows are copied: four times faster than by pixel.
    batch, channels, height, width = x_BCHW.shape
    margin = int(shift_B2.abs().max())
    padded_BHWC = functional.pad(x_BCHW.permute(0, 2, 3, 1), (0, 0, margin, margin, margin, margin)).contiguous()
    padded_height, padded_width = height + 2 * margin, width + 2 * margin
    picture_B1 = torch.arange(batch)[:, None] * padded_height
    start_BH = (picture_B1 + torch.arange(height) + margin - shift_B2[:, :1]) * padded_width + margin - shift_B2[:, 1:]
    windows = padded_BHWC.as_strided((batch * padded_height * padded_width - width + 1, width * channels), (channels, 1))
    shifted = windows.index_select(0, moved(start_BH.flatten(), x_BCHW.device))
    return shifted.view(batch, height, width, channels).permute(0, 3, 1, 2)


def translate(x_BCHW: Tensor, shift_B2: Tensor) -> Tensor:
    """Move each picture down by shift_B2[:, 0] and right by shift_B2[:, 1] pixels (integers). What comes in is 0 (grey).

    shift_B2 is best given on the CPU, where keyed chance draws it: the result is channels_last, and no device has to be waited for.
    """
    shifted: Tensor = _Translate.apply(x_BCHW, shift_B2.cpu())
    return shifted


def cutout(x_BCHW: Tensor, centre_B2: Tensor, size: int) -> Tensor:
    """Set a square to 0 (grey), from centre - size // 2 on, cut off at the border. centre_B2: integer row and column."""

    def hit(centre_B1: Tensor, side: int) -> Tensor:
        place = torch.arange(side, device=x_BCHW.device) - (centre_B1 - size // 2)
        return (place >= 0) & (place < size)

    centre_B2 = moved(centre_B2, x_BCHW.device)
    hole_BHW = hit(centre_B2[:, :1], x_BCHW.shape[2])[:, :, None] & hit(centre_B2[:, 1:], x_BCHW.shape[3])[:, None, :]
    return x_BCHW * ~hole_BHW[:, None]
