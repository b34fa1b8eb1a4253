"""Ctrl-C and SIGTERM: a wish to stop that waits for the end of the iteration, and that all ranks grant in the same one."""

import signal
from typing import Any, Self

import torch
from torch import distributed


class Wishes:
    """The signals that ask a run to stop, caught within `with`. The first one waits; a second one does not (KeyboardInterrupt)."""

    def __init__(self) -> None:
        self.caught = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: object) -> None:
        if self.caught:
            raise KeyboardInterrupt
        self.caught = number


class Council:
    """Ranks agreeing on small numbers every iteration, over the CPU: a GPU is not waited for."""

    def __init__(self, world: int) -> None:
        self._group: Any = distributed.new_group(backend="gloo") if world > 1 else None

    def agree(self, *numbers: int) -> list[int]:
        """The largest that any rank says, number by number. All ranks must call it."""
        if self._group is None:
            return list(numbers)
        said = torch.tensor(numbers)
        distributed.all_reduce(said, distributed.ReduceOp.MAX, group=self._group)
        return [int(number) for number in said]
