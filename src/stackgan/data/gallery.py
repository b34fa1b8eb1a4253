"""The pictures of a split as they are scored: centre crop, with all their captions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stackgan.core.fingerprint import fingerprint
from stackgan.core.shapes import Gallery
from stackgan.data.arrays import Arrays
from stackgan.data.batches import cut
from stackgan.data.records import Record, Split


def gallery(
    split: Split, rows: NDArray[np.int64], records: Sequence[Record], arrays: Arrays, size: int, data: Mapping[str, Any]
) -> Gallery:
    """rows: of the split, which place_N of the gallery's functions counts. size: pixels a side. data: its fingerprint."""
    what = {"data": data, "cached": arrays.pictures.name, "size": size, "split": split}
    return Gallery(
        fingerprint=fingerprint(what, digits=16),
        split=split,
        picture_N=rows,
        captions=tuple(records[row].captions for row in rows),
        text=lambda place_N, caption_N: arrays.text_NMT[rows[place_N], caption_N],
        pictures=lambda place_N: centre(arrays.pixels_NHWC, rows[place_N], size),
        extras=lambda place_N: placed(arrays, rows[place_N], size),
    )


def placed(arrays: Arrays, row_N: NDArray[np.int64], size: int) -> dict[str, torch.Tensor]:
    """Boxes and parts on the pictures of centre(), as in Batch; nothing where the data set has none."""
    if arrays.places is None:
        return {}
    cached = int(arrays.pixels_NHWC.shape[1])
    places, no_flip = torch.full((len(row_N), 2), (cached - size) // 2), torch.zeros(len(row_N), dtype=torch.bool)
    return arrays.places.cut(torch.from_numpy(row_N), places, no_flip, cached, size)


def centre(pixels_NHWC: Any, row_N: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """uint8 (N, size, size, 3), the middle of each cached picture."""
    margin = (pixels_NHWC.shape[1] - size) // 2
    places, no_flip = torch.full((len(row_N), 2), margin), torch.zeros(len(row_N), dtype=torch.bool)
    cropped: NDArray[np.uint8] = cut(pixels_NHWC, torch.from_numpy(row_N), places, no_flip, size).permute(0, 2, 3, 1).numpy()
    return cropped
