"""How fast a run is, how long it waits for data, and how much memory it takes."""

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.profilers import Profiler

NEXT_BATCH = "train_dataloader_next"


class DataWait(Profiler):
    """Adds up the seconds for which training stands still until its next batch is there."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        super().__init__()
        self.now, self.seconds, self._since = now, 0.0, 0.0

    def start(self, action_name: str) -> None:
        """Lightning tells of everything it begins; only fetching counts."""
        if action_name.endswith(NEXT_BATCH):
            self._since = self.now()

    def stop(self, action_name: str) -> None:
        """And of everything it ends."""
        if action_name.endswith(NEXT_BATCH):
            self.seconds += self.now() - self._since


class Clock(Callback):
    """Measures the whole run, over all its starts: seconds in training, of these waiting for data, and images seen."""

    def __init__(self, wait: DataWait, now: Callable[[], float] = time.perf_counter) -> None:
        self.wait, self.now = wait, now
        self._before = {"seconds": 0.0, "waited": 0.0, "images": 0}
        self._begun = self._from = 0.0
        self._stage: Any = None

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Start the clock."""
        self._begun, self._stage, self._from = self.now(), pl_module, pl_module.images_seen

    def state_dict(self) -> dict[str, Any]:
        """What was measured so far."""
        before = self._before
        seconds, images = self.now() - self._begun, int(self._stage.images_seen - self._from)
        waited = before["waited"] + self.wait.seconds
        return {"seconds": before["seconds"] + seconds, "waited": waited, "images": before["images"] + images}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from state_dict()."""
        self._before = dict(state_dict)


def figures(measured: dict[str, Any]) -> dict[str, float]:
    """What results.json says of a Clock's state: seconds, images_per_second, data_wait (a share of the time) and peak memory."""
    found = {"seconds": round(measured["seconds"], 1)}
    if measured["seconds"] > 0:
        found["images_per_second"] = round(measured["images"] / measured["seconds"], 1)
        found["data_wait"] = round(measured["waited"] / measured["seconds"], 4)
    return found | peak_memory()


def peak_memory() -> dict[str, float]:
    """Peak memory of this process so far in GiB, and of its GPU where it has one."""
    # The kernel counts in KiB, macOS in bytes.
    unit = 2**30 if sys.platform == "darwin" else 2**20
    found = {"peak_memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, 2)}
    if torch.cuda.is_available():
        found["peak_gpu_memory_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
    return found
