"""R-precision (Xu et al., 2018): how often a picture is nearer to its own sentence than to 99 others, for a scorer of both."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.metric import bootstrap
from stackgan.metric.checks import checked
from stackgan.metric.score import Array, Figure, Score, Seen

ROWS = 128
"""Pictures compared at a time: 105 MB for 100 candidates of width 1,024."""
TIE = 1e-9
"""Cosines that differ by no more are one: sums in another order."""

Rows = NDArray[np.int64]


class RPrecision(Score):
    """Share of pictures whose own sentence has the highest cosine of all candidates, 1 / candidates by guessing, at most 1.

    candidates: the own sentence and others, drawn by chance from the sentences of other data set pictures, each different from the
    others and from the own one; classes are not known here, so some may describe the same kind of thing. Equal cosines share the
    hit. folds: parts whose population deviation is the spread. resamples: for the interval, which keeps the sentences of a picture
    together; 0 for none. seed: of candidates, folds and resamples.
    """

    name, needs, conditional, higher_is_better = "r_precision", frozenset({"picture_embedding", "sentence_embedding"}), True, True

    def __init__(self, candidates: Positive, folds: Positive, resamples: Natural, seed: Natural) -> None:
        self.candidates, self.folds, self.resamples, self.seed = candidates, folds, resamples, seed

    def enough(self, drawn: int, real: int, width: int) -> None:
        """See Score: no fold may stay empty, and a sentence needs others beside it."""
        if drawn < self.folds:
            way = f"draw more pictures (n={self.folds} at least) or set metric.{self.name}.folds={drawn}"
            raise UserError(f"metric.{self.name}.folds={self.folds}: only {drawn} pictures; {way}")
        if self.candidates < 2:
            raise UserError(f"metric.{self.name}.candidates={self.candidates}: nothing to confuse a sentence with; set 2 or more")

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """See Score. Raises UserError where there are too few pictures for the folds, or sentences for the candidates."""
        picture_NE, sentence_NE = (checked(drawn, f"{what}_embedding", self.name) for what in ("picture", "sentence"))
        n = len(drawn)
        self.enough(n, 0, 0)
        other_NK = mismatched(drawn.sentences, drawn.picture_N, self.candidates - 1, self.seed)
        hits_N = hits(picture_NE, sentence_NE, other_NK)
        order = np.random.default_rng(chance.key(self.seed, "folds")).permutation(n)
        spread = float(np.std([hits_N[part].mean() for part in np.array_split(order, self.folds)]))
        interval = bootstrap.mean_interval(hits_N, drawn.picture_N, self.resamples, self.seed)
        protocol = {"candidates": self.candidates, "folds": self.folds, "seed": self.seed, "guessing": 1 / self.candidates}
        return {"": Figure(float(hits_N.mean()), n, spread, interval, {**protocol, "resamples": self.resamples})}


def mismatched(sentences: Sequence[str], picture_N: Rows, count: int, seed: int) -> Rows:
    """(N, count) rows with different sentences, none of them the row's own or one that its data set picture has too.

    Keyed. Raises UserError where there are too few different sentences.
    """
    first: dict[str, int] = {}
    of_picture: dict[int, set[int]] = defaultdict(set)
    for row, (sentence, picture) in enumerate(zip(sentences, picture_N.tolist(), strict=True)):
        of_picture[picture].add(first.setdefault(sentence, row))
    pool_S = np.fromiter(first.values(), np.int64)
    most = max(len(own) for own in of_picture.values())
    if len(pool_S) < count + most:
        there = f"only {len(pool_S)} different sentences, {most} of them of one picture"
        way = f"draw for more sentences (a larger n), or set metric.r_precision.candidates={max(2, len(pool_S) - most + 1)}"
        raise UserError(f"metric.r_precision.candidates={count + 1}: {there}; {way}")
    rng = np.random.default_rng(chance.key(seed, "mismatched sentences"))
    found = np.empty((len(sentences), count), np.int64)
    for row, picture in enumerate(picture_N.tolist()):
        own = of_picture[picture]
        drawn = pool_S[rng.choice(len(pool_S), count + len(own), replace=False)]
        found[row] = [other for other in drawn.tolist() if other not in own][:count]
    return found


def hits(picture_NE: Array, sentence_NE: Array, other_NK: Rows) -> bootstrap.Floats:
    """(N,) 1 where a picture's cosine with its own sentence exceeds those with the other rows' sentences, 0 where one exceeds it.

    Where t others equal it: 1 / (1 + t). Embeddings are of length 1. Memory: ROWS pictures at a time.
    """
    found = np.zeros(len(picture_NE))
    for start in range(0, len(picture_NE), ROWS):
        part = slice(start, start + ROWS)
        picture_BE = picture_NE[part].astype(np.float64)
        own_B1 = np.einsum("be,be->b", picture_BE, sentence_NE[part].astype(np.float64))[:, None]
        other_BK = np.einsum("be,bke->bk", picture_BE, sentence_NE[other_NK[part]].astype(np.float64), optimize=True)
        ties_B = (np.abs(other_BK - own_B1) <= TIE).sum(axis=1)
        found[part] = np.where((other_BK > own_B1 + TIE).any(axis=1), 0, 1 / (1 + ties_B))
    return found
