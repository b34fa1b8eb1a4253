"""How many processes make batches while the device trains."""

import shutil
from pathlib import Path

import torch

AHEAD = 2
"""On a GPU. One batch takes the host a few milliseconds, an iteration on the GPU ten and more."""

PREFETCHED = 2
"""Batches that PyTorch's loader keeps ready for each process."""

SHARED = Path("/dev/shm")
"""The memory through which processes of Linux hand on batches; containers often have 64 MB of it."""


def loader_processes(device: torch.device, batch_bytes: int, shared: Path = SHARED) -> int:
    """None on a CPU, whose cores training wants; AHEAD on a GPU, which would wait for every batch made in between.

    batch_bytes: of one batch. None, too, where the shared memory has no room for twice what will lie there: a loader's process that
    runs out of it is killed without a word of the cause.
    """
    if device.type == "cpu":
        return 0
    needed = batch_bytes * AHEAD * PREFETCHED
    return AHEAD if not shared.is_dir() or shutil.disk_usage(shared).free > 2 * needed else 0
