"""The wrong pair's odd half: another training picture, of another class where there are classes.

Never the same picture again (some sets hold one twice), and never one that shares a sentence: a pair of the two would be right.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.data.records import Record

TRIES = 8
"""Draws before the candidates of a picture are listed one by one."""

Uniform = Callable[[str], Tensor]
"""uniform(stream): (global batch,) numbers in [0, 1)."""


def sentence_numbers(records: Sequence[Record]) -> NDArray[np.int64]:
    """(N, M): a number for every different sentence, -1 beyond a picture's last."""
    numbers: dict[str, int] = {}
    out = np.full((len(records), max(len(record.captions) for record in records)), -1, np.int64)
    for row, record in enumerate(records):
        out[row, : len(record.captions)] = [numbers.setdefault(caption, len(numbers)) for caption in record.captions]
    return out


class Partners:
    """rows: of the training pictures. class_N: of all rows, -1 where there are no classes: each picture is its own then.

    sentence_NM: see sentence_numbers. alike_N: the first row with the same pixels.
    """

    def __init__(
        self, rows: NDArray[np.int64], class_N: NDArray[np.int64], sentence_NM: NDArray[np.int64], alike_N: NDArray[np.int64]
    ) -> None:
        kind_N = class_N if (class_N[rows] >= 0).all() else np.arange(len(class_N))
        order = np.argsort(kind_N[rows], kind="stable")
        self._by_class = torch.from_numpy(rows[order])
        kinds, starts, counts = np.unique(kind_N[rows][order], return_index=True, return_counts=True)
        own = np.searchsorted(kinds, kind_N).clip(max=len(kinds) - 1)
        self._first_N, self._own_N = torch.from_numpy(starts[own]), torch.from_numpy(counts[own])
        self._sentence_NM, self._alike_N = torch.from_numpy(sentence_NM), torch.from_numpy(alike_N)

    def draw(self, row_B: Tensor, uniform: Uniform) -> Tensor:
        """A partner for each row, uniform over all that may be one. Only a forbidden draw is drawn again."""
        partner_B = self._at(row_B, uniform("partner"))
        for attempt in range(1, TRIES):
            wrong_B = self._forbidden(row_B, partner_B)
            if not wrong_B.any():
                return partner_B
            partner_B = torch.where(wrong_B, self._at(row_B, uniform(f"partner/{attempt}")), partner_B)
        u_B = uniform("partner/listed")
        for i in self._forbidden(row_B, partner_B).nonzero().flatten().tolist():
            candidates = self.candidates(int(row_B[i]))
            partner_B[i] = candidates[int(u_B[i] * len(candidates))]
        return partner_B

    def _at(self, row_B: Tensor, u_B: Tensor) -> Tensor:
        """Uniform over the training pictures of all other classes: a number that steps over the own class's block."""
        place_B = (u_B * (len(self._by_class) - self._own_N[row_B])).long()
        place_B += torch.where(place_B >= self._first_N[row_B], self._own_N[row_B], 0)
        return self._by_class[place_B]

    def _forbidden(self, row_B: Tensor, partner_B: Tensor) -> Tensor:
        ours_BM1, theirs_B1M = self._sentence_NM[row_B].unsqueeze(2), self._sentence_NM[partner_B].unsqueeze(1)
        shared_B = ((ours_BM1 == theirs_B1M) & (ours_BM1 >= 0)).flatten(1).any(1)
        same_B: Tensor = shared_B | (self._alike_N[row_B] == self._alike_N[partner_B])
        return same_B

    def candidates(self, row: int) -> Tensor:
        """All rows that may be this one's partner."""
        first, own = int(self._first_N[row]), int(self._own_N[row])
        others = torch.cat([self._by_class[:first], self._by_class[first + own :]])
        return others[~self._forbidden(torch.tensor(row).expand(len(others)), others)]

    def lonely(self) -> int | None:
        """A training row that has no partner."""
        rows = self._by_class
        sentence_RM = self._sentence_NM[rows]
        sharing = torch.bincount(sentence_RM[sentence_RM >= 0], minlength=1)
        alike = torch.bincount(self._alike_N[rows])[self._alike_N[rows]]
        # No picture is forbidden more often than this counts, so that only the few suspicious rows are looked at in full.
        most_R = torch.where(sentence_RM >= 0, sharing[sentence_RM.clamp(min=0)] - 1, 0).sum(1) + alike - 1
        seen: set[tuple[int, ...]] = set()
        for row in rows[most_R >= len(rows) - self._own_N[rows]].tolist():
            like = int(self._alike_N[row]), int(self._first_N[row]), *sorted(set(self._sentence_NM[row].tolist()))
            if like not in seen and not len(self.candidates(row)):
                return int(row)
            seen.add(like)
        return None


def check_partners(partners: Partners, records: Sequence[Record], mismatched: str, root: str) -> None:
    """Raise UserError where a training picture has no partner."""
    if (row := partners.lonely()) is not None:
        raise UserError(
            f"data.mismatched={mismatched}: {records[row].key} in data.root={root} has no partner, since every other training "
            "picture is of its class, shows the same or shares a sentence with it; set stage.recipe.mismatched_pair=roll or none"
        )
