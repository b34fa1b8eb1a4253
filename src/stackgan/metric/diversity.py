"""Diversity: how far pictures of one sentence lie apart, beside pictures of different sentences."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.metric import bootstrap
from stackgan.metric.checks import checked, rows
from stackgan.metric.score import Array, Figure, Score, Seen

ROWS = 1000
"""Rows of a distance matrix that are in memory at once."""

Rows = NDArray[np.int64]


class Diversity(Score):
    """Mean Euclidean distance of features of two pictures drawn for one sentence; 0 where the noise is ignored.

    "": within a sentence, every pair, each sentence counting once. across: of pictures of different sentences, a sample of pairs.
    relative: within over across, which needs no unit; 1 where the sentence is ignored. The interval resamples sentences, those of
    one data set picture together; the other figures have none. pairs: sampled across. seed: of pairs and resamples.
    """

    name, needs, higher_is_better = "diversity", frozenset({"features"}), True

    def __init__(self, pairs: Positive, resamples: Natural, seed: Natural) -> None:
        self.pairs, self.resamples, self.seed = pairs, resamples, seed

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """See Score. Raises UserError where no sentence was drawn twice."""
        features_NF = checked(drawn, "features", self.name)
        groups = [group for group in together(drawn.sentences) if len(group) > 1]
        if not groups:
            way = "set repeats=2 or more, or n above the number of sentences"
            raise UserError(f"metric={self.name}: each of {len(drawn)} pictures has a sentence of its own; {way}")
        within_S = np.array([mean_distance(features_NF[group]) for group in groups])
        pictures_S = drawn.picture_N[[group[0] for group in groups]]
        interval = bootstrap.mean_interval(within_S, pictures_S, self.resamples, self.seed)
        n = sum(len(group) for group in groups)
        within, protocol = float(within_S.mean()), {"sentences": len(groups), "resamples": self.resamples}
        figures = {"": Figure(within, n, interval=interval, protocol=protocol)}
        across = mean_across(features_NF, drawn.sentences, self.pairs, self.seed)
        if across is not None:
            figures["across"] = Figure(across, len(drawn), protocol={"pairs": self.pairs, "seed": self.seed})
            if across > 0:
                figures["relative"] = Figure(within / across, n, protocol={**protocol, "pairs": self.pairs, "seed": self.seed})
        return figures


def together(sentences: Sequence[str]) -> list[Rows]:
    """Rows of each different sentence, in the order of first appearance."""
    found: dict[str, list[int]] = defaultdict(list)
    for row, sentence in enumerate(sentences):
        found[sentence].append(row)
    return [np.array(group, np.int64) for group in found.values()]


def mean_distance(features_NF: Array) -> float:
    """Of all pairs of N >= 2 rows. Memory: ROWS rows of the distances."""
    every, n = rows(features_NF), len(features_NF)
    # By differences: sums of squares would leave rounding where rows are equal.
    pieces = (torch.cdist(part, every, compute_mode="donot_use_mm_for_euclid_dist") for part in torch.split(every, ROWS))
    total = sum(piece.sum().item() for piece in pieces)
    return total / (n * (n - 1))


def mean_across(features_NF: Array, sentences: Sequence[str], pairs: int, seed: int) -> float | None:
    """Of that many pairs with different sentences, drawn by chance; None where all sentences are one."""
    sentence_N = np.unique(np.array(sentences), return_inverse=True)[1]
    if sentence_N.max() == 0:
        return None
    rng = np.random.default_rng(chance.key(seed, "pairs across sentences"))
    found: list[Rows] = []
    while sum(len(part) for part in found) < pairs:
        drawn_P2 = rng.integers(len(sentence_N), size=(pairs, 2))
        found.append(drawn_P2[sentence_N[drawn_P2[:, 0]] != sentence_N[drawn_P2[:, 1]]])
    pair_P2 = np.concatenate(found)[:pairs]
    pieces = (pair_P2[start : start + ROWS] for start in range(0, pairs, ROWS))
    distances = [(rows(features_NF[piece[:, 0]]) - rows(features_NF[piece[:, 1]])).norm(dim=1) for piece in pieces]
    return float(torch.cat(distances).mean())
