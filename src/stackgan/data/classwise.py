"""Pictures of different classes, for losses over all pairs of a batch."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Classwise:
    """rows: of the training pictures. class_N: of all rows."""

    def __init__(self, rows: NDArray[np.int64], class_N: NDArray[np.int64]) -> None:
        order = np.argsort(class_N[rows], kind="stable")
        self._by_class = torch.from_numpy(rows[order])
        _, starts, counts = np.unique(class_N[rows][order], return_index=True, return_counts=True)
        self._starts, self._counts = torch.from_numpy(starts), torch.from_numpy(counts)

    def draw(self, count: int, chance: torch.Generator, u_B: Tensor) -> Tensor:
        """count classes without repetition by chance, and of each the picture that u_B in [0, 1) points to: rows (count,)."""
        class_B = torch.randperm(len(self._counts), generator=chance)[:count]
        return self._by_class[self._starts[class_B] + (u_B * self._counts[class_B]).long()]
