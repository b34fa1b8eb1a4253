"""Means over seeds, and differences between two variants' seeds. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

LEVEL = 0.95
Way = Literal["welch", "paired"]


@dataclass(frozen=True)
class Estimate:
    """A mean over n seeds (or the difference of two), with 95 % by Student's t; no interval of a single seed."""

    value: float
    interval: tuple[float, float] | None
    n: int

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies on that side of 0, else 0."""
        low, high = self.interval or (-math.inf, math.inf)
        return 1 if low > 0 else -1 if high < 0 else 0


def mean(values: Sequence[float]) -> Estimate:
    """The mean with its t interval. values: one a seed, at least one."""
    value = float(np.mean(values))
    if len(values) < 2:
        return Estimate(value, None, len(values))
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * stats.sem(values))
    return Estimate(value, (value - half, value + half), len(values))


def difference(more: Mapping[int, float], less: Mapping[int, float], way: Way) -> Estimate:
    """more minus less; both by seed. welch: two independent samples. paired: seed by seed, over the seeds that both have.

    No interval where one side has a single seed, or, paired, fewer than two seeds are shared; nor where nothing varies over seeds,
    which says that figures are rounded, or at an end of their range, not that they are certain. n: the smaller side's seeds.
    """
    if way == "paired" and (shared := sorted(more.keys() & less.keys())):
        found = mean([more[seed] - less[seed] for seed in shared])
        constant = found.interval is not None and found.interval[0] == found.interval[1]
        return Estimate(found.value, None, found.n) if constant else found
    a, b = list(more.values()), list(less.values())
    value, n = float(np.mean(a) - np.mean(b)), min(len(a), len(b))
    if n < 2 or way == "paired" or np.ptp(a) == 0 == np.ptp(b):
        return Estimate(value, None, n)
    # By hand, for scipy's own test warns of a side that is constant.
    one, other = (float(np.var(side, ddof=1)) / len(side) for side in (a, b))
    freedom = (one + other) ** 2 / (one**2 / (len(a) - 1) + other**2 / (len(b) - 1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(one + other)
    return Estimate(value, (value - half, value + half), n)


def number(value: float) -> str:
    """Three decimals for what lies below 10, else four significant digits."""
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


def shown(estimate: Estimate, signed: bool = False) -> str:
    """`0.514 [0.480, 0.548]`, `0.514` of one seed; signed: with a plus before what is above 0."""
    text = ("+" if signed and estimate.value > 0 else "") + number(estimate.value)
    if estimate.interval is None:
        return text
    return f"{text} [{number(estimate.interval[0])}, {number(estimate.interval[1])}]"
