"""Where a bird and its parts lie, read from the pixels of its colours."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from stackgan.toybirds.render import PARTS

Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]

_BIRD = ("body", "wing", "belly", "crown", "beak")
_FRINGE = 0.0005
"""the share of a bird's pixels that may lie outside its box on each side: strays"""
_FOOT = 0.145
"""how far the toes reach below the leg's landmark, in distances from crown to belly"""
_FROM_CROWN: Mapping[str, complex] = MappingProxyType(
    {
        "back": 0.501 + 0.537j,
        "beak": 0.120 - 0.530j,
        "belly": 1.137 + 0.072j,
        "breast": 0.616 - 0.275j,
        "crown": -0.101 - 0.052j,
        "forehead": -0.048 - 0.327j,
        "eye": 0.159 - 0.239j,
        "leg": 1.368 - 0.022j,
        "wing": 0.752 + 0.413j,
        "nape": 0.238 + 0.168j,
        "tail": 1.157 + 0.920j,
        "throat": 0.364 - 0.359j,
    }
)
"""Landmarks of a bird facing right where 0 is the crown's middle, 1 the belly's, and i a quarter turn clockwise from there; medians
over drawn birds."""


def centre(mask: Mask) -> complex:
    """The middle of a part, x + y i, in pixels from the picture's left upper corner."""
    rows, columns = np.nonzero(mask)
    return complex(columns.mean() + 0.5, rows.mean() + 0.5)


def parts(masks: Mapping[str, Mask], facing: str | None) -> NDArray[np.float64]:
    """(15, 3) x, y in pixels and 1 where it is known, in the order of PARTS; the far side's eye, leg and wing never are.

    The beak's place is its own colour's. All others follow from where crown and belly lie and where the bird faces, as in drawn
    birds: a part of a bird that is put together wrongly may lie elsewhere.
    """
    rows = np.zeros((len(PARTS), 3))
    if facing is None or not {"crown", "belly"} <= masks.keys():
        return rows
    crown, belly = centre(masks["crown"]), centre(masks["belly"])
    for row, part in enumerate(PARTS):
        side, _, paired = part.partition(" ")
        if paired and side != facing:
            continue
        turn = _FROM_CROWN[paired or part]
        place = crown + (turn if facing == "right" else turn.conjugate()) * (belly - crown)
        if part == "beak" and "beak" in masks:
            place = centre(masks["beak"])
        height, width = masks["crown"].shape
        if 0 <= place.real < width and 0 <= place.imag < height:
            rows[row] = place.real, place.imag, 1
    return rows


def box(masks: Mapping[str, Mask], support: NDArray[np.float64]) -> Box | None:
    """x, y, width and height in pixels of a bird with its feet; None where crown, belly or body cannot be read.

    support: (H, W) in 0..1, how far a pixel's neighbours agree with it.
    """
    if not {"crown", "belly", "body"} <= masks.keys():
        return None
    bird = np.logical_or.reduce([masks[part] for part in _BIRD if part in masks]) & (support >= 0.5)
    rows, columns = np.nonzero(bird)
    if not len(rows):
        return None
    left, right = np.quantile(columns, [_FRINGE, 1 - _FRINGE])
    top, bottom = np.quantile(rows, [_FRINGE, 1 - _FRINGE])
    crown, belly = centre(masks["crown"]), centre(masks["belly"])
    # Legs have colours of twigs and stones, so the toes are put where crown and belly place them.
    upright = crown + _FROM_CROWN["leg"].real * (belly - crown)
    foot = min(float(bird.shape[0]), max(bottom + 1, upright.imag + _FOOT * abs(belly - crown)))
    return float(left), float(top), float(right + 1 - left), float(foot - top)
