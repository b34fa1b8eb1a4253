"""Boxes and parts: which region of a picture is cached, and where things are on the square that is trained on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stackgan.data.decode import Frame
from stackgan.data.records import Box, Record, Region


def around(box: Box) -> Frame:
    """StackGAN's region for a bird: half a side is three quarters of the box's longer side, from the box's centre.

    In whole pixels as misc/preprocess_birds.py has it; may reach outside the picture.
    """
    left, top, width, height = map(int, box)
    radius = int(0.75 * max(width, height))
    x, y = int((2 * left + width) / 2), int((2 * top + height) / 2)
    return x - radius, y - radius, x + radius, y + radius


def frame(region: Region, box: Box | None, width: int, height: int) -> Frame:
    """The region within a picture of this size. Raises ValueError, saying what is wrong with the box, where there is none."""
    if box is not None and not all(map(math.isfinite, box)):
        raise ValueError(f"box is not finite ({', '.join(f'{value:g}' for value in box)})")
    if box is not None and not (box[2] > 0 and box[3] > 0):
        raise ValueError(f"box without area (width {box[2]:g}, height {box[3]:g})")
    if box is not None and not (box[0] < width and box[1] < height and box[0] + box[2] > 0 and box[1] + box[3] > 0):
        raise ValueError(f"box lies outside the picture ({box[0]:g}, {box[1]:g} of {width} x {height})")
    if region == "whole":
        return 0, 0, width, height
    if box is None:
        raise ValueError("has no box, which data.region=box needs")
    left, top, right, bottom = around(box)
    found = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if found[0] >= found[2] or found[1] >= found[3]:
        raise ValueError("box too small to cut a region around")
    return found


def reaches_out(box: Box, width: int, height: int) -> bool:
    """Whether a box, in whole pixels, is outside a picture of this size by more than the pixel that rounding explains."""
    left, top, wide, high = map(int, box)
    return min(left, top) < -1 or left + wide > width + 1 or top + high > height + 1


@dataclass(frozen=True)
class Places:
    """Where boxes and parts are on the cached squares, as fractions of a side; rows are a data set's.

    box_N4: left, top, width, height. parts_NP3: x, y, visible (0 or 1). mirrored_P: which part each becomes in a mirror.
    """

    box_N4: NDArray[np.float32] | None
    parts_NP3: NDArray[np.float32] | None
    mirrored_P: NDArray[np.int64]

    @classmethod
    def of(cls, records: Sequence[Record], part_names: Sequence[str], frame_N4: NDArray[np.int64]) -> "Places":
        """Of all records; a kind that some record lacks is None. frame_N4: the cached regions, zeros for skipped rows."""
        corner_N2 = frame_N4[:, :2].astype(np.float32)
        side_N2 = np.maximum(frame_N4[:, 2:] - frame_N4[:, :2], 1).astype(np.float32)
        box_N4 = parts_NP3 = None
        if all(record.box is not None for record in records):
            box_N4 = np.array([record.box for record in records], np.float32)
            box_N4 = np.concatenate([(box_N4[:, :2] - corner_N2) / side_N2, box_N4[:, 2:] / side_N2], axis=1)
        if part_names and all(record.parts is not None and len(record.parts) == len(part_names) for record in records):
            parts_NP3 = np.array([record.parts for record in records], np.float32)
            parts_NP3[..., :2] = (parts_NP3[..., :2] - corner_N2[:, None]) / side_N2[:, None]
        return cls(box_N4, parts_NP3, mirrored(part_names))

    def cut(self, row_B: Tensor, place_B2: Tensor, flip_B: Tensor, cached: int, size: int) -> dict[str, Tensor]:
        """`box` (B, 4) and `parts` (B, P, 3), float32, as fractions of the trained square.

        place_B2: top and left of that square of size pixels within the cached one. Boxes are clipped to it; what is left
        of one that was cropped away has no area. Parts outside it are invisible and at 0, 0.
        """
        found, row = {}, row_B.numpy()
        corner_B2 = place_B2.flip(1).float() / cached
        scale = cached / size
        if self.box_N4 is not None:
            box_B4 = torch.from_numpy(self.box_N4[row])
            start_B2 = (box_B4[:, :2] - corner_B2) * scale
            stop_B2 = (start_B2 + box_B4[:, 2:] * scale).clamp(0, 1)
            start_B2 = start_B2.clamp(0, 1)
            left_B = torch.where(flip_B, 1 - stop_B2[:, 0], start_B2[:, 0])
            found["box"] = torch.cat([torch.stack([left_B, start_B2[:, 1]], 1), stop_B2 - start_B2], 1)
        if self.parts_NP3 is not None:
            parts_BP3 = torch.from_numpy(self.parts_NP3[row])
            at_BP2 = (parts_BP3[..., :2] - corner_B2[:, None]) * scale
            seen_BP1 = (parts_BP3[..., 2:] > 0) & ((at_BP2 >= 0) & (at_BP2 < 1)).all(2, keepdim=True)
            mirrored_BP2 = torch.stack([1 - at_BP2[..., 0], at_BP2[..., 1]], 2)
            at_BP2 = torch.where(flip_B[:, None, None], mirrored_BP2, at_BP2)
            # Not a product: an invisible part may be at no number at all.
            parts_BP3 = torch.cat([torch.where(seen_BP1, at_BP2, 0.0), seen_BP1.float()], 2)
            swapped_BP3 = parts_BP3[:, torch.from_numpy(self.mirrored_P)]
            found["parts"] = torch.where(flip_B[:, None, None], swapped_BP3, parts_BP3)
        return found


def mirrored(part_names: Sequence[str]) -> NDArray[np.int64]:
    """For each part the place of the one it becomes in a mirror: "left eye" and "right eye" are exchanged, others stay."""
    place = {name.lower(): i for i, name in enumerate(part_names)}
    swap = {"left": "right", "right": "left"}
    others = (" ".join(swap.get(word, word) for word in name.lower().split()) for name in part_names)
    return np.array([place.get(other, i) for i, other in enumerate(others)], np.int64)
