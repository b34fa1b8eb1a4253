"""Fixed features and logits, and what the scores' tests share."""

from typing import Any

import numpy as np

from stackgan.metric.frechet import FrechetDistance
from stackgan.metric.inception_score import InceptionScore
from stackgan.metric.kernel_distance import KernelDistance
from stackgan.metric.precision_recall import PrecisionRecall
from stackgan.metric.score import Score, Seen


def samples(n: int, seed: int, shift: float = 0.0, width: int = 8, classes: int = 6) -> Seen:
    """n pictures, two sentences of each data set picture; features and logits as float32, as judges give them."""
    rng = np.random.default_rng(seed)
    features = (rng.normal(size=(n, width)) + shift).astype(np.float32)
    logits = (3 * rng.normal(size=(n, classes))).astype(np.float32)
    return of({"features": features, "logits": logits})


def of(arrays: dict[str, Any], picture_N: Any = None) -> Seen:
    n = len(next(iter(arrays.values())))
    pictures = np.arange(n) // 2 if picture_N is None else np.asarray(picture_N)
    return Seen(arrays, tuple(f"sentence {i}" for i in range(n)), pictures.astype(np.int64))


def judged() -> list[Score]:
    """The scores of a judge, small enough for 60 pictures."""
    return [
        InceptionScore(splits=7, shuffle_seed=2020, resamples=20),
        FrechetDistance(subsets=3, extrapolate=True, shrink=False, seed=0),
        KernelDistance(subsets=5, subset_size=20, seed=2020),
        PrecisionRecall(neighbours=3, neighbours_density=5, resamples=20, seed=0),
    ]
