"""What observers saw on every rank, brought together: arrays of numbers, never pictures."""

from collections.abc import Mapping

import numpy as np
import torch
import torch.distributed
from numpy.typing import NDArray
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities.distributed import gather_all_tensors

from stackgan.metric.score import Array

PREFIX = "seen_"


class Gathered(Metric):
    """Rows by their index, from any number of ranks with shares of any size, even none.

    Kept out of LightningModules, whose checkpoints and buffers it is none of. Under NCCL call to(device) first: the rows go round
    from there. Consumes no random numbers.
    """

    full_state_update = False

    def __init__(self) -> None:
        # Its ranks are brought together in compute(): a rank without rows has no states yet that torchmetrics could sync.
        super().__init__(sync_on_compute=False)
        self.index: list[Tensor]
        self.add_state("index", [], dist_reduce_fx="cat")
        self._names: set[str] = set()

    def update(self, index_B: NDArray[np.int64], arrays: Mapping[str, Array]) -> None:
        """B rows: their places in the whole, and one array (B, ...) a name. Raises ValueError where lengths or names differ."""
        if self._names and self._names != set(arrays):
            raise ValueError(f"arrays {sorted(arrays)} after {sorted(self._names)}")
        if wrong := {name: len(array) for name, array in arrays.items() if len(array) != len(index_B)}:
            raise ValueError(f"{len(index_B)} rows, but {wrong}")
        for name in set(arrays) - self._names:
            self.add_state(PREFIX + name, [], dist_reduce_fx="cat")
        self._names = set(arrays)
        self.index.append(torch.tensor(index_B, dtype=torch.int64, device=self.device))
        for name, array in arrays.items():
            # A copy: the caller may use its array again.
            getattr(self, PREFIX + name).append(torch.tensor(array, device=self.device))

    def compute(self) -> tuple[NDArray[np.int64], dict[str, Array]]:
        """Indices (N,), ascending, and each array (N, ...), in that order and on every rank.

        Of rows with one index the lowest rank's first stays. Every rank has to call this.
        """
        index_N, first_N = np.unique(self._all("index", torch.zeros(0, dtype=torch.int64)).numpy(), return_index=True)
        kept = {name: getattr(self, PREFIX + name) for name in sorted(self._names)}
        own = {name: pieces[0][:0].cpu() for name, pieces in kept.items() if pieces}
        return index_N, {name: self._all(PREFIX + name, empty).numpy()[first_N] for name, empty in _agreed(own).items()}

    def _all(self, state: str, empty: Tensor) -> Tensor:
        """The rows of all ranks in the order of ranks, on the CPU. empty: what stands for none of them."""
        mine = torch.cat([empty.to(self.device), *getattr(self, state, [])])
        if not _many():
            return mine.cpu()
        return torch.cat([piece.cpu() for piece in gather_all_tensors(mine)])


def _many() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def _agreed(own: dict[str, Tensor]) -> dict[str, Tensor]:
    """Names, types and widths of any rank that has rows, as empty tensors; a rank without learns them here."""
    if not _many():
        return own
    found: list[dict[str, Tensor] | None] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(found, own)
    return next((one for one in found if one), {})
