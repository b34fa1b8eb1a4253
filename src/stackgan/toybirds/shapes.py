"""The bird's outline as plain geometry.

Unit: half the body's length. It faces right, x to the right, y down, the body's centre at (0, 0).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(..., 2): x, y"""

BODY_PITCH = -20.0
"""degrees by which the body's axis is turned, breast up"""
NECK = (0.42, -0.42)
HEAD = (0.70, -0.68)
HEAD_RADIUS = 0.46
EYE = (0.87, -0.65)
CHEEK = (0.84, -0.44)
PERCH_Y = 1.16
LEGS_X = (-0.10, 0.16)


Affine = tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f: x' = a x + b y + c, y' = d x + e y + f"""
_DIGITS = 9
"""coordinates are rounded so far that the last bits of another machine's sine cannot move a pixel"""


def turning(degrees: float, about: tuple[float, float] = (0.0, 0.0)) -> Affine:
    """The map that turns about a centre; positive degrees turn clockwise on the screen."""
    angle = math.radians(degrees)
    cos, sin, (x, y) = round(math.cos(angle), _DIGITS), round(math.sin(angle), _DIGITS), about
    return cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y


def after(second: Affine, first: Affine) -> Affine:
    """The map that does first, then second."""
    a, b, c, d, e, f = second
    p, q, r, s, t, u = first
    return a * p + b * s, a * q + b * t, a * r + b * u + c, d * p + e * s, d * q + e * t, d * r + e * u + f


def moved(points: Points, by: Affine) -> Points:
    """points (..., 2) under an affine map."""
    # Spelled out: a matrix product may add in another order on another machine.
    x, y = points[..., 0], points[..., 1]
    a, b, c, d, e, f = by
    result: Points = np.stack([a * x + b * y + c, d * x + e * y + f], axis=-1).round(6)
    return result


def _egg(start: float, end: float, count: int, scale: float = 1.0) -> Points:
    """Part of the body's outline in its own frame, from angle start to end in degrees (0 breast, 90 belly, 180 rump)."""
    t = np.deg2rad(np.linspace(start, end, count))
    # Towards the rump the egg narrows, and a bird's back is flatter than its belly.
    half = np.where(np.sin(t) > 0, 0.88, 0.66) * (1 + 0.14 * np.cos(t))
    return np.stack([scale * np.cos(t), scale * half * np.sin(t)], axis=1)


def _curve(*corners: tuple[float, float]) -> Points:
    """A smooth closed outline (Catmull-Rom, 6 points a span) through the corners."""
    p = np.asarray(corners)
    before, after, beyond = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
    t = np.arange(6)[:, None, None] / 6
    spans = 0.5 * (
        2 * p
        + (after - before) * t
        + (2 * before - 5 * p + 4 * after - beyond) * t**2
        + (3 * p - before - 3 * after + beyond) * t**3
    )
    curve: Points = spans.transpose(1, 0, 2).reshape(-1, 2)
    return curve


def _discs(count: int) -> Points:
    """Neck: discs (x, y, radius) from the body's front to the head, so that no corner shows at any head angle."""
    t = np.linspace(0, 1, count)[:, None]
    discs: Points = (1 - t) * np.array([0.34, -0.12, 0.66]) + t * np.array([*HEAD, HEAD_RADIUS])
    return discs


def in_body(points: Points) -> Points:
    """Points of the body's own frame (axis along x) brought into the bird's."""
    return moved(points, turning(BODY_PITCH))


def _belly() -> Points:
    edge = _egg(30, 160, 24, 0.985)
    inner = np.array([(-0.66, 0.38), (-0.25, 0.36), (0.15, 0.31), (0.48, 0.24), (0.72, 0.26)])
    return in_body(np.concatenate([edge, inner]))


BODY = in_body(_egg(0, 360, 48)[:-1])
BELLY = _belly()
WING = in_body(
    _curve((0.46, -0.02), (0.28, -0.28), (-0.12, -0.39), (-0.62, -0.28), (-1.20, 0.06), (-0.74, 0.29), (-0.20, 0.41), (0.28, 0.29))
)
NECK_DISCS = _discs(7)
CROWN = _curve(
    (0.27, -0.64), (0.21, -0.80), (0.06, -0.98), (0.26, -1.03), (0.50, -1.13), (0.72, -1.17),
    (0.92, -1.11), (1.09, -0.97), (1.13, -0.85), (0.94, -0.87), (0.70, -0.85), (0.48, -0.74),
)  # fmt: skip

BEAKS: Mapping[str, Points] = MappingProxyType(
    {
        "short": np.array([(1.10, -0.80), (1.36, -0.66), (1.40, -0.61), (1.34, -0.57), (1.10, -0.48)]),
        "long": np.array([(1.10, -0.77), (1.38, -0.68), (1.64, -0.59), (1.64, -0.56), (1.38, -0.54), (1.10, -0.48)]),
        "hooked": np.array(
            [(1.10, -0.85), (1.30, -0.82), (1.44, -0.71), (1.48, -0.54), (1.42, -0.36), (1.36, -0.49), (1.28, -0.52), (1.10, -0.42)]
        ),
    }
)
TAILS: Mapping[str, Points] = MappingProxyType(
    {
        "short": np.array([(-0.70, 0.00), (-1.14, 0.28), (-1.22, 0.36), (-1.24, 0.50), (-1.14, 0.58), (-0.60, 0.52)]),
        "long": np.array(
            [(-0.70, 0.02), (-1.32, 0.42), (-1.66, 0.64), (-1.72, 0.74), (-1.66, 0.84), (-1.52, 0.82), (-1.20, 0.72), (-0.60, 0.52)]
        ),
        "forked": np.array(
            [
                (-0.70, 0.00),
                (-1.2, 0.22),
                (-1.72, 0.30),
                (-1.64, 0.40),
                (-1.24, 0.54),
                (-1.42, 0.84),
                (-1.46, 1.0),
                (-1.34, 1.0),
                (-1.04, 0.72),
                (-0.6, 0.52),
            ]
        ),
    }
)

# Where CUB's annotators would click, facing right; the near side is seen, the far side is not (render.py swaps left and
# right).
LANDMARKS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "back": (-0.35, -0.40),
        "beak": (1.30, -0.62),
        "belly": (0.12, 0.66),
        "breast": (0.78, 0.02),
        "crown": (0.68, -1.08),
        "forehead": (1.06, -0.92),
        "eye": EYE,
        "leg": (0.18, 1.02),
        "wing": (-0.25, 0.00),
        "nape": (0.26, -0.66),
        "tail": (-1.10, 0.42),
        "throat": (0.98, -0.32),
    }
)
HEAD_LANDMARKS = frozenset({"beak", "crown", "forehead", "eye", "nape", "throat"})
