"""The fine strokes that make feathers, in the bird's own coordinates (see shapes.py): arrays of lines (N, K, 2)."""

from __future__ import annotations

import numpy as np

from stackgan.toybirds.shapes import Points, in_body


def _vee(x: Points, y: Points, width: float, depth: float) -> Points:
    """Small open chevrons (N, 3, 2) around x, y (N,)."""
    return np.stack([np.stack([x + dx * width, y + dy * depth], -1) for dx, dy in ((-1, -1), (0, 1), (1, -1))], 1)


def _primaries() -> Points:
    y = -0.20 + 0.085 * np.arange(6)
    lines = [
        np.stack([np.full(6, x), y * narrow + 0.04 * (1 - narrow) + rise], -1)
        for x, narrow, rise in ((-0.34, 1.0, 0.02), (-0.70, 0.80, 0.02), (-1.04, 0.26, 0.01))
    ]
    return in_body(np.stack(lines, 1))


def _scallops() -> Points:
    places = [(0.30 - 0.13 * row, -0.12 + 0.115 * number - 0.045 * row) for row in range(3) for number in range(3 + row)]
    x, y = np.array(places).T
    arcs = [
        np.stack([x + dx, y + dy], -1) for dx, dy in ((0.0, -0.055), (-0.045, -0.028), (-0.055, 0.0), (-0.045, 0.028), (0.0, 0.055))
    ]
    return in_body(np.stack(arcs, 1))


PRIMARIES = _primaries()
SCALLOPS = _scallops()
CROWN_FEATHERS = np.array(
    [
        [(x, -0.97 + drop), (x - 0.10, -0.925 + drop)]
        for x, drop in ((0.34, 0.05), (0.50, -0.02), (0.66, -0.07), (0.80, -0.01), (0.95, 0.02))
    ]
)
GAPE = np.array([[(1.13, -0.625), (1.32, -0.605)]])
TOES = (-0.10, 0.06, 0.15)


def tail_feathers(tail: Points) -> Points:
    """Lines (N, 2, 2) from the root towards the tips of a tail's outline (M, 2)."""
    root, tips = np.array([-0.75, 0.25]), tail[2:-2:2]
    return np.stack([np.broadcast_to(root, tips.shape), 0.2 * root + 0.8 * tips], 1)


def wing_bars(count: int) -> Points:
    """count lines (count, 3, 2) across the wing."""
    x = -0.04 - 0.19 * np.arange(count)
    reach = 0.21 - 0.10 * np.abs(x + 0.1)
    middle = np.full(count, 0.00)
    across = [
        np.stack([x + 0.05, middle - reach], -1),
        np.stack([x - 0.02, middle], -1),
        np.stack([x + 0.03, middle + 0.02 + reach], -1),
    ]
    return in_body(np.stack(across, 1))


def back_speckles(rng: np.random.Generator) -> Points:
    """Chevrons (N, 3, 2), N at most 34, over the back and the shoulder; a random draw."""
    x, y = rng.uniform((-0.75, -0.52), (0.62, -0.12), (34, 2)).T
    inside = np.abs(x) < 0.62 + y / 4
    return in_body(_vee(x[inside], y[inside], 0.045, 0.02))


def belly_speckles(rng: np.random.Generator) -> Points:
    """Short streaks (22, 2, 2) along the belly; a random draw."""
    start = rng.uniform((-0.50, 0.48), (0.52, 0.72), (22, 2))
    return in_body(np.stack([start, start + np.array([-0.05, 0.03])], 1))
