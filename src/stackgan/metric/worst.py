"""The worst sentences as a sheet: failure cases, chosen by a rule and not by hand."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stackgan import toybirds
from stackgan.core.errors import UserError
from stackgan.core.ranges import Positive
from stackgan.metric.checks import checked
from stackgan.metric.nearest import nearest
from stackgan.metric.score import Figure, Score, Seen, Show
from stackgan.metric.toybirds_reader import ATTRIBUTES, TOO_COARSE, said
from stackgan.plots.sheet import Pictures, sheet

Floats = NDArray[np.float64]


class Worst(Score):
    """ "": the mean mark of the `rows` worst drawings, one a sentence, which are on the sheet. It falls with n, whatever draws.

    Of equal marks the first drawn is shown. rule: what the mark is, in words.
    """

    rule: ClassVar[str]
    conditional: ClassVar[bool] = True
    higher_is_better: ClassVar[bool] = True

    def __init__(self, rows: Positive = 12) -> None:
        self.rows = rows

    @abstractmethod
    def marks(self, drawn: Seen, references: Mapping[str, Seen]) -> Floats:
        """(N,) the lower the worse; nan for drawings that have none. Raises UserError."""

    def remark(self, drawn: Seen, row: int, mark: float) -> str:
        """What stands behind the sentence on the sheet."""
        return f"[{mark:.2f}]"

    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """Raises UserError where no drawing has a mark."""
        rows, mark_N = self._worst(drawn, references)
        return {"": Figure(float(mark_N[rows].mean()), len(drawn), protocol={"of_the_worst": len(rows), "mark": self.rule})}

    def sheets(self, drawn: Seen, references: Mapping[str, Seen], show: Mapping[str, Show]) -> dict[str, Image.Image]:
        """The worst first, with the sentence's real picture where that is at hand."""
        rows, mark_N = self._worst(drawn, references)
        columns: list[tuple[str, Pictures]] = [("drawn", show["drawn"](rows))]
        if "real" in references and "real" in show:
            place = {int(picture): row for row, picture in enumerate(references["real"].picture_N)}
            pictures = [int(picture) for picture in drawn.picture_N[rows]]
            if all(picture in place for picture in pictures):
                columns.append(("real picture of the sentence", show["real"](np.array([place[picture] for picture in pictures]))))
        lines = [f"{drawn.sentences[row]} {self.remark(drawn, row, float(mark_N[row]))}" for row in rows.tolist()]
        return {self.name: sheet(columns, lines, f"The {len(rows)} worst of {len(drawn)} drawings, by {self.rule}")}

    def _worst(self, drawn: Seen, references: Mapping[str, Seen]) -> tuple[NDArray[np.int64], Floats]:
        mark_N = self.marks(drawn, references)
        order = [row for row in np.argsort(mark_N, kind="stable").tolist() if not np.isnan(mark_N[row])]
        first: dict[str, int] = {}
        for row in order:
            first.setdefault(drawn.sentences[row], row)
        if not first:
            raise UserError(f"metric={self.name}: none of {len(drawn)} drawings has a mark ({self.rule}); leave it out")
        return np.array(list(first.values())[: self.rows], dtype=np.int64), mark_N


class WorstAgreement(Worst):
    """By the share of what the sentence mentions that the drawing shows; what cannot be read is not shown."""

    name: ClassVar[str] = "worst_agreement"
    needs: ClassVar[frozenset[str]] = frozenset({"reading"})
    rule: ClassVar[str] = "share of what the sentence mentions that is shown"

    def marks(self, drawn: Seen, references: Mapping[str, Seen]) -> Floats:
        """Shares; nan for sentences that mention nothing."""
        reading_NA, said_NA = checked(drawn, "reading", self.name), said(drawn.sentences)
        asked_NA = (said_NA >= 0) & (reading_NA != TOO_COARSE)
        mentions_N = asked_NA.sum(1)
        right_N = (asked_NA & (said_NA == reading_NA)).sum(1)
        shares_N: Floats = np.where(mentions_N > 0, right_N / np.maximum(mentions_N, 1), np.nan)
        return shares_N

    def remark(self, drawn: Seen, row: int, mark: float) -> str:
        """What the reader saw instead of what was said."""
        pairs = zip(ATTRIBUTES, said([drawn.sentences[row]])[0].tolist(), drawn.arrays["reading"][row].tolist(), strict=True)
        wrong = [
            f"{name} {toybirds.ATTRIBUTES[name][read] if read >= 0 else 'unreadable'}"
            for name, told, read in pairs
            if told >= 0 and read not in (told, TOO_COARSE)
        ]
        return f"[shown: {', '.join(wrong)}]" if wrong else "[as said]"


class WorstCosine(Worst):
    """By the cosine of picture and sentence in a joint embedding."""

    name: ClassVar[str] = "worst_cosine"
    needs: ClassVar[frozenset[str]] = frozenset({"picture_embedding", "sentence_embedding"})
    rule: ClassVar[str] = "cosine of picture and sentence"

    def marks(self, drawn: Seen, references: Mapping[str, Seen]) -> Floats:
        """Cosines in [-1, 1]."""
        picture_NE, sentence_NE = (checked(drawn, f"{of}_embedding", self.name) for of in ("picture", "sentence"))
        cosine_N: Floats = (picture_NE.astype(np.float64) * sentence_NE).sum(1)
        return cosine_N


class WorstDistance(Worst):
    """By how far from any real picture the drawing lies in a judge's features; the sentence is not looked at."""

    name: ClassVar[str] = "worst_distance"
    needs: ClassVar[frozenset[str]] = frozenset({"features"})
    references: ClassVar[tuple[str, ...]] = ("real",)
    conditional: ClassVar[bool] = False
    rule: ClassVar[str] = "minus the distance to the nearest real picture in features"

    def marks(self, drawn: Seen, references: Mapping[str, Seen]) -> Floats:
        """Distances times -1."""
        real_MF = checked(references["real"], "features", self.name, "real pictures")
        return -nearest(checked(drawn, "features", self.name), real_MF)[1]
