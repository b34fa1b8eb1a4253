"""Intervals by drawing pictures again, those of one data set picture together: they are not independent (cluster bootstrap).

Pure, and keyed: the same pictures have the same interval, whatever was drawn before.
"""

import numpy as np
from numpy.typing import NDArray

from stackgan.core import chance

Floats = NDArray[np.float64]
LEVEL = 0.95


def resampled_means(values_NK: Floats, cluster_N: NDArray[np.int64], resamples: int, seed: int) -> Floats:
    """(R, K): means of N pictures' values over R draws, with replacement, of as many whole clusters as there are.

    Rows of one cluster_N stay together. Takes R x clusters x K steps, whatever the number of pictures in each.
    """
    clusters_G, place_N = np.unique(cluster_N, return_inverse=True)
    sum_GK = np.zeros((len(clusters_G), values_NK.shape[1]))
    np.add.at(sum_GK, place_N, values_NK)
    size_G = np.bincount(place_N, minlength=len(clusters_G)).astype(np.float64)
    rng = np.random.default_rng(chance.key(seed, "bootstrap"))
    drawn = (rng.integers(len(clusters_G), size=len(clusters_G)) for _ in range(resamples))
    times_RG = np.stack([np.bincount(one, minlength=len(clusters_G)) for one in drawn]).astype(np.float64)
    means_RK: Floats = (times_RG @ sum_GK) / (times_RG @ size_G)[:, None]
    return means_RK


def percentiles(found_R: Floats) -> tuple[float, float]:
    """The middle 95 %."""
    low, high = np.percentile(found_R, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return float(low), float(high)


def mean_interval(values_N: Floats, cluster_N: NDArray[np.int64], resamples: int, seed: int) -> tuple[float, float] | None:
    """95 % for the mean of values_N. None where one cluster, or no resample, tells nothing."""
    if resamples == 0 or len(np.unique(cluster_N)) < 2:
        return None
    return percentiles(resampled_means(values_N[:, None], cluster_N, resamples, seed)[:, 0])
