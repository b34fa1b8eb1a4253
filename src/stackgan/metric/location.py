"""location: does the bird lie where the system was asked to draw it?"""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import linregress, t

from stackgan.core.ranges import Natural, PositiveFloat
from stackgan.metric.bootstrap import mean_interval
from stackgan.metric.checks import checked
from stackgan.metric.proportion import share
from stackgan.metric.score import Array, Figure, Score, Seen

Floats = NDArray[np.float64]


class Location(Score):
    """Mean overlap of the box read from each drawing with the box asked for; of systems that are told no place it is the floor.

    "": mean intersection over union; a drawing without a readable bird counts 0. found: share of drawings with at least one half.
    slope_x, slope_y: by how much the read box's centre moves when the asked one's does, by least squares over drawings with a bird;
    1 follows it, 0 does not; of fewer than three such drawings there is none.
    pck: where parts were asked for, share of them that lie within `within` of their place, in longer sides of the asked box (Yang
    and Ramanan 2013). "asked_box" and "asked_part" are in the units of the reader's "box" and "part". resamples: of the interval.
    """

    name: ClassVar[str] = "location"
    needs: ClassVar[frozenset[str]] = frozenset({"box", "asked_box"})
    higher_is_better: ClassVar[bool] = True

    def __init__(self, within: PositiveFloat = 0.1, resamples: Natural = 1000, seed: Natural = 0) -> None:
        self.within, self.resamples, self.seed = within, resamples, seed

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """Raises UserError without pictures, or without places that were asked for."""
        box_N4, asked_N4 = (checked(drawn, name, self.name) for name in ("box", "asked_box"))
        iou_N, clusters = iou(box_N4, asked_N4), drawn.picture_N
        interval = mean_interval(iou_N, clusters, self.resamples, self.seed)
        figures = {
            "": Figure(float(iou_N.mean()), len(drawn), interval=interval),
            "found": share(iou_N >= 0.5, np.ones(len(drawn)), clusters),
        }
        seen_N = box_N4[:, 2:].prod(1) > 0
        for axis, name in enumerate(("slope_x", "slope_y")):
            asked_N, read_N = (centre(boxes_N4, axis)[seen_N] for boxes_N4 in (asked_N4, box_N4))
            if len(asked_N) > 2 and len(np.unique(asked_N)) > 1:
                value, half = slope(asked_N, read_N)
                figures[name] = Figure(value, len(asked_N), interval=(value - half, value + half))
        if {"part", "asked_part"} <= drawn.arrays.keys():
            right_NP, asked_NP = near(drawn.arrays["part"], drawn.arrays["asked_part"], asked_N4, self.within)
            if asked_NP.any():
                found = share(right_NP.sum(1), asked_NP.sum(1), clusters)
                figures["pck"] = Figure(found.value, found.n, interval=found.interval, protocol={"within": self.within})
        return figures


def centre(box_N4: Array, axis: int) -> Floats:
    """(N,) centres along x (0) or y (1)."""
    found: Floats = box_N4[:, axis].astype(np.float64) + box_N4[:, axis + 2].astype(np.float64) / 2
    return found


def slope(asked_N: Floats, read_N: Floats) -> tuple[float, float]:
    """Least squares' slope of read on asked, and half its 95 % interval by Student's t; of three drawings at least."""
    fit = linregress(asked_N, read_N)
    return float(fit.slope), float(fit.stderr * t.ppf(0.975, len(asked_N) - 2))


def iou(one_N4: Array, other_N4: Array) -> Floats:
    """(N,) intersection over union of boxes x, y, width, height, in [0, 1]; 0 where both are empty."""
    one, other = one_N4.astype(np.float64), other_N4.astype(np.float64)
    low = np.maximum(one[:, :2], other[:, :2])
    high = np.minimum(one[:, :2] + one[:, 2:], other[:, :2] + other[:, 2:])
    common_N = np.clip(high - low, 0, None).prod(1)
    union_N = one[:, 2:].prod(1) + other[:, 2:].prod(1) - common_N
    overlap_N: Floats = np.where(union_N > 0, common_N / np.where(union_N > 0, union_N, 1), 0.0)
    return overlap_N


def near(part_NP3: Array, asked_NP3: Array, box_N4: Array, within: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(N, P) is an asked part within this many longer sides of the box; (N, P) was it asked for. A part not found is not near."""
    asked_NP = asked_NP3[:, :, 2] > 0
    away_NP = np.linalg.norm(part_NP3[:, :, :2].astype(np.float64) - asked_NP3[:, :, :2], axis=2)
    reach_N1 = within * box_N4[:, 2:].max(1, keepdims=True)
    return asked_NP & (part_NP3[:, :, 2] > 0) & (away_NP <= reach_N1), asked_NP
