"""coverage: what a sentence leaves open should vary in drawings as it does in real toybirds."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stackgan import toybirds
from stackgan.core.errors import UserError
from stackgan.metric.checks import checked
from stackgan.metric.score import Figure, Score, Seen
from stackgan.metric.toybirds_reader import ATTRIBUTES, TOO_COARSE, Codes, said

Floats = NDArray[np.float64]


class Coverage(Score):
    """Total variation between drawn and real values of each attribute, over pictures whose sentence does not mention it.

    0: the same distribution; 1: no value in common. "": mean over the attributes that have a figure, each by its name. "Cannot be
    read" counts as a value. Over all sentences together: a system that draws each sentence in one way only may still score well,
    which diversity within a sentence shows. Two samples of one distribution score above 0, see protocol's `equal`.
    """

    name: ClassVar[str] = "coverage"
    needs: ClassVar[frozenset[str]] = frozenset({"reading"})
    references: ClassVar[tuple[str, ...]] = ("real",)
    higher_is_better: ClassVar[bool] = False

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """Raises UserError without pictures, or where every sentence mentions everything."""
        real = references["real"]
        shown_NA, real_MA = checked(drawn, "reading", self.name), checked(real, "reading", self.name, "real pictures")
        open_NA, real_open_MA = said(drawn.sentences) < 0, said(real.sentences) < 0
        figures: dict[str, Figure] = {}
        for column, name in enumerate(ATTRIBUTES):
            values_N, values_M = shown_NA[open_NA[:, column], column], real_MA[real_open_MA[:, column], column]
            if len(values_N) and len(values_M) and values_N[0] != TOO_COARSE and values_M[0] != TOO_COARSE:
                figures[name] = _figure(values_N, values_M, len(toybirds.ATTRIBUTES[name]))
        if not figures:
            raise UserError(f"metric=coverage: no attribute is left open by both {len(drawn)} drawn and {len(real)} real sentences")
        values = [figure.value for figure in figures.values()]
        equal = float(np.mean([figure.protocol["equal"] for figure in figures.values()]))
        whole = Figure(float(np.mean(values)), len(drawn), protocol={"real_pictures": len(real), "equal": round(equal, 4)})
        return {"": whole, **figures}


def _figure(values_N: Codes, values_M: Codes, options: int) -> Figure:
    n, m = len(values_N), len(values_M)
    drawn_V, real_V = _counts(values_N, options), _counts(values_M, options)
    both_V = (drawn_V + real_V) / (n + m)
    protocol: dict[str, Any] = {"real_pictures": m, "equal": round(expected(both_V, n, m), 4)}
    return Figure(total_variation(drawn_V / n, real_V / m), n, protocol=protocol)


def _counts(values_N: Codes, options: int) -> Floats:
    """(V + 1,) the first is -1, "cannot be read"."""
    return np.bincount(values_N.astype(np.int64) + 1, minlength=options + 1).astype(np.float64)


def total_variation(p_V: Floats, q_V: Floats) -> float:
    """Half the sum of absolute differences of two distributions, in [0, 1]."""
    return float(np.abs(p_V - q_V).sum() / 2)


def expected(p_V: Floats, n: int, m: int) -> float:
    """About what n and m independent draws of one distribution score: their differences are nearly normal."""
    return float(np.sqrt(p_V * (1 - p_V) * (1 / n + 1 / m) / (2 * np.pi)).sum())
