"""Processes that make batches: what they are told, and that signals which stop a run do not end them under it."""

import os
import signal
from collections.abc import Callable

import pytest
import torch
from torch.utils.data import get_worker_info

from stackgan.data.module import CaptionedPictures
from stackgan.data.workers import loader_processes

Build = Callable[..., CaptionedPictures]


def test_none_asks_for_nothing(ready: Build) -> None:
    assert loader_processes(0) == {}
    module = ready(workers=0)
    module.plan(0, 1)
    assert module.train_dataloader().num_workers == 0


class Signalled(torch.utils.data.Dataset[int]):
    """Sends its own process the signal before it answers."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __len__(self) -> int:
        return 3

    def __getitem__(self, place: int) -> int:
        assert get_worker_info() is not None
        os.kill(os.getpid(), self.number)
        return place


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_they_outlive_a_signal_to_the_group(number: int) -> None:
    told = torch.utils.data.DataLoader(Signalled(number), batch_size=None, **loader_processes(1))
    assert list(told) == [0, 1, 2]


def test_without_being_told_they_would_not() -> None:
    loader = torch.utils.data.DataLoader(Signalled(signal.SIGTERM), batch_size=None, num_workers=1)
    with pytest.raises(RuntimeError, match="DataLoader worker"):
        list(loader)
