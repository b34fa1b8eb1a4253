"""Where things are on a picture, for networks that are told it: boxes as a spatial transformer, parts as maps.

Boxes and parts are fractions of the square picture's side, as in Batch.extras; pixel edges, not pixel centres, are 0 and 1.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

VISIBLE = 0.1
"""A part with more than this as its third number is drawn (reedscot/nips2016)."""


@dataclass(frozen=True)
class PlacedNoise:
    """What a located generator reads beside the sentence. noise_BZ: N(0, 1). place: box_B4 or parts_BP3, as in Batch.extras."""

    noise_BZ: Tensor
    place: Tensor


@dataclass(frozen=True)
class PlacedText:
    """What a located discriminator reads beside the picture: text_BT, and the place that the picture should have it at."""

    text_BT: Tensor
    place: Tensor

    def __getitem__(self, rows: slice) -> "PlacedText":
        """Some of the batch."""
        return PlacedText(self.text_BT[rows], self.place[rows])


def crop(x_BCHW: Tensor, box_B4: Tensor) -> Tensor:
    """What each box shows, stretched over the whole map (a spatial transformer's sampling, Jaderberg et al. 2015).

    box_B4: left, top, width, height. Bilinear, zero outside the map. A box without area gives zeros.
    """
    return _sampled(x_BCHW, box_B4, inverse=False)


def place(x_BCHW: Tensor, box_B4: Tensor) -> Tensor:
    """Each map shrunk into its box, zero outside it: the inverse of crop. A box without area gives zeros."""
    return _sampled(x_BCHW, box_B4, inverse=True)


def _sampled(x_BCHW: Tensor, box_B4: Tensor, inverse: bool) -> Tensor:
    # float32 at least: in bfloat16 a place on 16 pixels would be wrong by a sixteenth of one.
    precise = torch.promote_types(x_BCHW.dtype, torch.float32)
    box_B4 = box_B4.to(precise)
    there_B = (box_B4[:, 2:] > 0).all(1)
    size_B2 = torch.where(there_B[:, None], box_B4[:, 2:], 1.0)
    # In affine_grid's units the map reaches from -1 to 1, so that a box's middle is at its offset.
    middle_B2 = 2 * box_B4[:, :2] + box_B4[:, 2:] - 1
    scale_B2, offset_B2 = (1 / size_B2, -middle_B2 / size_B2) if inverse else (size_B2, middle_B2)
    theta_B23 = torch.cat([torch.diag_embed(scale_B2), offset_B2[:, :, None]], dim=2)
    # align_corners=False: -1 and 1 are the map's edges, so that a box means the same at every resolution.
    grid_BHW2 = affine_grid(theta_B23, list(x_BCHW.shape), align_corners=False)
    found_BCHW = grid_sample(x_BCHW.to(precise), grid_BHW2, mode="bilinear", padding_mode="zeros", align_corners=False)
    return found_BCHW * there_B[:, None, None, None]


def part_maps(parts_BP3: Tensor, side: int) -> Tensor:
    """(B, P, side, side), 1 at the pixel in which a visible part lies, else 0. Parts outside the picture are on no map.

    parts_BP3: x, y, visible. A part is visible above 0.1, as in the published code: the part generator's number is a probability.
    """
    at_BP2 = (parts_BP3[..., :2] * side).floor().long()
    inside_BP = ((at_BP2 >= 0) & (at_BP2 < side)).all(2) & (parts_BP3[..., 2] > VISIBLE)
    pixel_BP = at_BP2[..., 1] * side + at_BP2[..., 0]
    # By scatter, since one_hot asks a GPU whether all indices fit, and waits for the answer.
    maps_BPN = parts_BP3.new_zeros(*pixel_BP.shape, side * side)
    maps_BPN.scatter_(2, torch.where(inside_BP, pixel_BP, 0)[..., None], inside_BP[..., None].to(maps_BPN.dtype))
    return maps_BPN.reshape(*pixel_BP.shape, side, side)


def covered(maps_BPHW: Tensor) -> Tensor:
    """(B, 1, H, W): 1 where any part lies."""
    return maps_BPHW.sum(1, keepdim=True).clamp(max=1)
