"""Shares with an interval that keeps what belongs to one picture together. Pure."""

import numpy as np
from numpy.typing import NDArray

from stackgan.metric.score import Figure

Z95 = 1.959963984540054


def share(hits_N: NDArray[np.generic], chances_N: NDArray[np.generic], cluster_N: NDArray[np.int64]) -> Figure:
    """sum(hits) / sum(chances) with a 95 % interval; n is sum(chances), which must not be 0.

    hits_N, chances_N: what each row adds, 0 <= hits <= chances. cluster_N: rows of one cluster are not independent.
    Wilson's interval (1927) for as many independent chances as the clusters are worth: n over the design effect of the ratio's
    linearised variance (Kish 1965), never more than n; shares of 0 and 1, which show no variance, are worth one a cluster.
    """
    _, place_N = np.unique(cluster_N, return_inverse=True)
    hits_C = np.bincount(place_N, np.asarray(hits_N, dtype=np.float64))
    chances_C = np.bincount(place_N, np.asarray(chances_N, dtype=np.float64))
    hits_C, chances_C = hits_C[chances_C > 0], chances_C[chances_C > 0]
    clusters, n = len(chances_C), float(chances_C.sum())
    value = float(hits_C.sum()) / n
    worth = float(clusters)
    if clusters > 1 and 0 < value < 1:
        variance = float(((hits_C - value * chances_C) ** 2).sum()) / n**2 * clusters / (clusters - 1)
        worth = min(n, value * (1 - value) / variance) if variance else n
    return Figure(value, round(n), interval=wilson(value, worth))


def wilson(value: float, n: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share among n independent chances, n not necessarily whole."""
    middle = (value + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * (value * (1 - value) / n + Z95**2 / (4 * n**2)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)
