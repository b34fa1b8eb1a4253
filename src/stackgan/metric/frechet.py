"""The Frechet distance of two sets of features as if they were normal (Heusel et al., 2017); "FID" with one judge alone."""

from collections.abc import Mapping

import numpy as np
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_features_to_statistics, fid_statistics_to_metric

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural
from stackgan.metric.checks import checked, rows
from stackgan.metric.score import Array, Figure, Score, Seen

Statistics = dict[str, Array]
"""mu (F,) and sigma (F, F), float64."""

SIZES = np.linspace(0.25, 1, 8)
"""Shares of the drawn pictures that the extrapolation looks at."""


class FrechetDistance(Score):
    """How far the features' means and covariances lie apart, from 0. Biased up for few pictures: compare only at one n and n_real.

    subsets: disjoint parts of the drawn pictures, whose deviation is the spread (of n / subsets pictures each, so wider than that
    of n; resampling would add bias of its own); 0 for none, and none where a part would not exceed the features' width.
    extrapolate: also the figure "infinite": the line through distances of n/4 to n pictures against 1/n, where it meets 0 (Chong
    and Forsyth, 2020); only where n/4 exceeds the width. The bias of the references stays in it. shrink: bring covariances
    nearer to a multiple of one (Ledoit and Wolf, 2004), so that fewer pictures than features have a distance too: another score.
    """

    name, needs, references, higher_is_better = "frechet", frozenset({"features"}), ("real",), False

    def __init__(self, subsets: Natural, extrapolate: bool, shrink: bool, seed: Natural) -> None:
        self.subsets, self.extrapolate, self.shrink, self.seed = subsets, extrapolate, shrink, seed

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """See Score. Raises UserError for no more pictures than features, unless shrink."""
        drawn_NF = checked(drawn, "features", self.name)
        real_MF = checked(references["real"], "features", self.name, "real pictures")
        self.enough(len(drawn_NF), len(real_MF), drawn_NF.shape[1])
        n, real = len(drawn_NF), statistics(real_MF, self.shrink)
        value = distance(statistics(drawn_NF, self.shrink), real)
        covariance = "Ledoit-Wolf" if self.shrink else "plain"
        protocol = {"n_real": len(real_MF), "covariance": covariance, "subsets": self.subsets}
        figures = {"": Figure(value, n, self._spread(drawn_NF, real), protocol=protocol)}
        if self.extrapolate and n // 4 > drawn_NF.shape[1]:
            figures["infinite"] = Figure(self._infinite(drawn_NF, real), n, protocol={**protocol, "sizes": len(SIZES)})
        return figures

    def enough(self, drawn: int, real: int, width: int) -> None:
        """See Score: covariances need more pictures than features, unless shrink."""
        self._enough(drawn, width, "drawn")
        self._enough(real, width, "real")

    def _enough(self, n: int, width: int, what: str) -> None:
        if n <= (1 if self.shrink else width):
            few = f"n={n} {what} pictures for features of width {width}: their covariance would be singular"
            more = f"take n={width + 1} or more" if what == "drawn" else "name a split with more pictures"
            way = f"{more}, or a judge with fewer features, or metric=[kernel_distance], or set metric.{self.name}.shrink=true"
            raise UserError(f"metric={self.name}: {few}; {way}" if n > 1 else f"metric={self.name}: n={n} {what} pictures; {more}")

    def _spread(self, drawn_NF: Array, real: Statistics) -> float | None:
        if self.subsets < 2 or len(drawn_NF) // self.subsets <= (1 if self.shrink else drawn_NF.shape[1]):
            return None
        parts = np.array_split(drawn_NF[self._order(len(drawn_NF), 0)], self.subsets)
        return float(np.std([distance(statistics(part, self.shrink), real) for part in parts], ddof=1))

    def _infinite(self, drawn_NF: Array, real: Statistics) -> float:
        sizes = (SIZES * len(drawn_NF)).astype(int)
        parts = (drawn_NF[self._order(len(drawn_NF), place)[:size]] for place, size in enumerate(sizes, start=1))
        _, intercept = np.polyfit(1 / sizes, [distance(statistics(part, self.shrink), real) for part in parts], 1)
        return float(intercept)

    def _order(self, n: int, place: int) -> Array:
        return np.random.default_rng(chance.key(self.seed, "frechet", place)).permutation(n)


def statistics(features_NF: Array, shrink: bool = False) -> Statistics:
    """Mean and covariance (divided by N - 1), by torch-fidelity in float64; shrink: the covariance by ledoit_wolf()."""
    found: Statistics = fid_features_to_statistics(rows(features_NF))
    return {**found, "sigma": ledoit_wolf(np.asarray(features_NF, np.float64))} if shrink else found


def distance(one: Statistics, other: Statistics) -> float:
    """By torch-fidelity; rounding can bring two equal sets a little below 0."""
    return float(fid_statistics_to_metric(one, other, verbose=False)[KEY_METRIC_FID])


def ledoit_wolf(features_NF: Array) -> Array:
    """(F, F): the covariance S (divided by N), brought towards its mean variance m times one by the share that costs least.

    Ledoit and Wolf (2004), section 3.3: d2 = |S - m I|^2 and b2 = the sum over pictures of |x x' - S|^2 / N^2, at most d2, in
    squared Frobenius norms; (b2 / d2) m I + (1 - b2 / d2) S.
    """
    centred_NF = features_NF - features_NF.mean(axis=0)
    n, width = centred_NF.shape
    sample_FF = centred_NF.T @ centred_NF / n
    variance = np.trace(sample_FF) / width
    d2 = (sample_FF**2).sum() - width * variance**2
    # The sum of |x x' - S|^2 is that of |x|^4, less N |S|^2.
    b2 = ((centred_NF**2).sum(axis=1) ** 2).sum() / n**2 - (sample_FF**2).sum() / n
    share = float(np.clip(b2 / d2, 0, 1)) if d2 > 0 else 0.0
    shrunk_FF: Array = share * variance * np.eye(width) + (1 - share) * sample_FF
    return shrunk_FF
