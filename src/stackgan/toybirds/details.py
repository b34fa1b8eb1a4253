"""What takes more than a colour vote: size, facing, shapes, and the two details that only a 256 px picture shows crisply.

Every reading is a ratio of areas or lengths within the picture, compared with thresholds that lie between the values
of drawn birds. A reading whose parts are missing is None.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Image8 = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Reading = dict[str, str | None]

DETAILS = ("beak_shape", "wing_bars", "eye_ring")
FINE = 128
"""pixels of the shorter side below which eye ring, wing bars and beak shape are not read: nothing crisp is left of them,
although the 64 px picture still holds traces that a network trained on them could use"""
BLURRED = 44
"""a 64 px picture stretched to 256 loses as much as one of this many pixels"""


def _centre(mask: Mask) -> NDArray[np.float64]:
    rows, columns = np.nonzero(mask)
    return np.array([columns.mean(), rows.mean()])


def _area(masks: Mapping[str, Mask]) -> int | None:
    """Pixels of body, belly and crown together: the same share of a bird whatever its wing bars and tail."""
    if not {"body", "belly", "crown"} <= masks.keys():
        return None
    return int(sum(masks[part].sum() for part in ("body", "belly", "crown")))


def _size(area: int | None, shape: tuple[int, int], sharp: bool, zoom: float) -> str | None:
    if area is None:
        return None
    # Coarse pictures lose more of a part to its mixed edge pixels, and blurred ones as much as if they were coarse.
    edge = 1 / (min(shape) if sharp or min(shape) < FINE else BLURRED)
    share = area / (shape[0] * shape[1] * zoom**2)
    if not 0.05 < share < 0.24:
        return None
    return "small" if share < 0.1168 - 0.60 * edge else "medium" if share < 0.1397 - 0.68 * edge else "large"


def _facing(masks: Mapping[str, Mask], area: int | None) -> str | None:
    """The head leads: the crown lies before the belly and the wing."""
    if area is None or "wing" not in masks:
        return None
    lead = (_centre(masks["crown"]) - _centre(masks["belly"] | masks["wing"]))[0] / area**0.5
    return None if abs(lead) < 0.15 else "right" if lead > 0 else "left"


def _tail(masks: Mapping[str, Mask], area: int | None, facing: str | None) -> str | None:
    """By how wide the wing's colour ends behind the belly, and how far it reaches. Training crops cut no short tail."""
    if area is None or facing is None:
        return None
    ahead = 1.0 if facing == "right" else -1.0
    scale = area**0.5
    rows, columns = np.nonzero(masks["wing"])
    x, y = _centre(masks["belly"])
    behind, below = (x - columns) * ahead / scale, (rows - y) / scale
    reach = np.quantile(behind, 0.995)
    if np.ptp(below[behind > reach - 0.28]) > 0.46:
        return "forked"
    length = np.quantile(np.hypot(behind, below), 0.995)
    if columns.min() == 0 or columns.max() == masks["wing"].shape[1] - 1:
        return "long" if length > 1.15 else None
    return "long" if length > 1.22 else "short"


def _beak_shape(masks: Mapping[str, Mask], area: int | None) -> str | None:
    """The three beaks cover clearly different areas. Training crops cut no short beak."""
    if area is None or "beak" not in masks:
        return None
    share = masks["beak"].sum() / area
    if masks["beak"][:, (0, -1)].any():
        return "hooked" if share > 0.047 else "long" if share > 0.024 else None
    return "short" if share < 0.0335 else "long" if share < 0.050 else "hooked"


def _eye(image: Image8, crown: Mask) -> tuple[str | None, bool]:
    """(eye ring, is the picture sharp).

    A picture is sharp when its pupil is: a blurred one has more edge than ink, and then nothing is said about the ring.
    """
    x, y = _centre(crown)
    half = int(1.2 * crown.sum() ** 0.5)
    window = image[max(0, int(y) - half) : int(y) + half + 1, max(0, int(x) - half) : int(x) + half + 1]
    brightest = window.max(2)
    ink = brightest < 40
    count, pixel = int(ink.sum()), min(image.shape[:2]) / 256
    if count < 40 * pixel**2:
        return None, False
    eye_x, eye_y = _centre(ink)
    rows, columns = np.indices(ink.shape)
    beyond = np.hypot(columns - eye_x, rows - eye_y) - (count / np.pi) ** 0.5
    if count < 0.5 * ((brightest < 150) & (beyond < 2 * pixel)).sum():
        return None, False
    white = (window.min(2)[(beyond > 0.8 * pixel) & (beyond < 2.6 * pixel)] > 150).mean()
    return "yes" if white > 0.18 else "no" if white < 0.08 else None, True


def _beside(wing: Mask, reach: int) -> Mask:
    """Pixels with the wing's colour within reach to their left and to their right."""
    left, right = np.zeros_like(wing), np.zeros_like(wing)
    for step in range(1, reach + 1):
        left[:, step:] |= wing[:, :-step]
        right[:, :-step] |= wing[:, step:]
    return left & right


def _wing_bars(image: Image8, wing: Mask, sharp: bool) -> str | None:
    """The most white runs that at least three rows of the wing show. No bars is said only of a sharp picture."""
    reach = min(wing.shape) // 28
    rows, columns = np.nonzero(wing)
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    white = (image[box].min(2) > 175) & _beside(wing[box], reach)
    starts = white & ~np.pad(white, ((0, 0), (1, 0)))[:, :-1]
    runs = np.sort(starts.sum(1))[::-1]
    count = int(runs[2]) if len(runs) > 2 else 0
    return str(min(count, 3)) if count or sharp else None


def read(image: Image8, masks: Mapping[str, Mask], zoom: float) -> Reading:
    """size, facing, tail, beak_shape, eye_ring and wing_bars, each a value of ATTRIBUTES or None.

    image: (H, W, 3) uint8. masks: readable part -> (H, W) pixels of its winning colour. zoom: as in decode.
    """
    area = _area(masks)
    facing = _facing(masks, area)
    ring, sharp = (None, False) if facing is None or min(image.shape[:2]) < FINE else _eye(image, masks["crown"])
    return {
        "size": _size(area, (image.shape[0], image.shape[1]), sharp, zoom),
        "facing": facing,
        "tail": _tail(masks, area, facing),
        "beak_shape": _beak_shape(masks, area) if sharp else None,
        "eye_ring": ring,
        "wing_bars": _wing_bars(image, masks["wing"], sharp) if facing and min(image.shape[:2]) >= FINE else None,
    }
