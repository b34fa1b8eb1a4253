"""Means over seeds, and differences between two variants' seeds. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special  # not scipy.stats, whose import takes longer than a comparison of a few runs

LEVEL = 0.95
ROUNDING = 1e-9
"""Of the larger figures at hand: what differs by less differs by the rounding of floats alone."""

MOST = 9
"""Decimals of a figure, at most."""

Way = Literal["welch", "paired"]


@dataclass(frozen=True)
class Estimate:
    """A mean over n seeds (or the difference of two), with 95 % by Student's t; no interval where seeds tell no spread."""

    value: float
    interval: tuple[float, float] | None
    n: int

    @property
    def sign(self) -> int:
        """1 or -1 where the interval lies on that side of 0, else 0."""
        low, high = self.interval or (-math.inf, math.inf)
        return 1 if low > 0 else -1 if high < 0 else 0


def mean(values: Sequence[float], size: float = 0.0) -> Estimate:
    """The mean with its t interval. values: one a seed, at least one. size: that of the figures whose differences they are.

    No interval of a single seed, nor where nothing varies over seeds, which says that figures are rounded, or at an end of their
    range, not that they are certain.
    """
    value = float(np.mean(values))
    if len(values) < 2 or not _varies(values, size):
        return Estimate(value, None, len(values))
    half = _t(len(values) - 1) * (float(np.std(values, ddof=1)) / math.sqrt(len(values)))
    return Estimate(value, (value - half, value + half), len(values))


def difference(more: Mapping[int, float], less: Mapping[int, float], way: Way) -> Estimate:
    """more minus less; both by seed. welch: two independent samples. paired: seed by seed, over the seeds that both have.

    No interval where one side has a single seed, or, paired, fewer than two seeds are shared; nor where the differences, or the
    figures of either side, do not vary over seeds, for the reason of mean(). n: the smaller side's seeds, or those shared.
    """
    a, b = list(more.values()), list(less.values())
    value, n = float(np.mean(a) - np.mean(b)), min(len(a), len(b))
    if way == "paired":
        shared = sorted(more.keys() & less.keys())
        size = max(abs(figure) for figure in [*a, *b])
        return mean([more[seed] - less[seed] for seed in shared], size) if shared else Estimate(value, None, 0)
    if n < 2 or not (_varies(a) and _varies(b)):
        return Estimate(value, None, n)
    one, other = (float(np.var(side, ddof=1)) / len(side) for side in (a, b))
    freedom = (one + other) ** 2 / (one**2 / (len(a) - 1) + other**2 / (len(b) - 1))
    half = _t(freedom) * math.sqrt(one + other)
    return Estimate(value, (value - half, value + half), n)


def _t(freedom: float) -> float:
    """How many standard errors the interval reaches to either side."""
    return float(special.stdtrit(freedom, (1 + LEVEL) / 2))


def _varies(values: Sequence[float], size: float = 0.0) -> bool:
    return float(np.ptp(values)) > ROUNDING * max(size, float(np.max(np.abs(values))))


def number(value: float, half: float | None = None) -> str:
    """Three decimals for what lies below 10, else four significant digits; more where half an interval, or the value, needs them.

    half: of the interval that stands beside the value, of which two digits are shown.
    """
    usual = 3 if abs(value) < 10 else max(0, 3 - _exponent(value))
    return f"{value:.{max(usual, min(1 - _exponent(half or value), MOST))}f}"


def _exponent(value: float) -> int:
    """Of its first digit: -2 of 0.012; 0 of 0 and of what is not finite."""
    return math.floor(math.log10(abs(value))) if value and math.isfinite(value) else 0


def shown(estimate: Estimate, signed: bool = False) -> str:
    """`0.514 [0.480, 0.548]`, `0.514` of one seed; signed: with a plus before what is above 0."""
    low, high = estimate.interval or (None, None)
    half = None if low is None or high is None else (high - low) / 2
    text = ("+" if signed and estimate.value > 0 else "") + number(estimate.value, half)
    return text if low is None or high is None else f"{text} [{number(low, half)}, {number(high, half)}]"
