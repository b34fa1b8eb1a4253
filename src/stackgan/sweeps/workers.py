"""Processes of joblib's that share a sweep's jobs: how they end with the process that began it, and how that waits for them."""

import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

from stackgan.runs.stopping import Wishes

POLL_SECONDS = 0.2


class _Work:
    """What this process does. busy: it is at a job."""

    begun, busy = False, False


@dataclass(frozen=True)
class Worker:
    """What a job minds in such a process. starter: the process that began the sweep. threads: CPU threads to use.

    stop: a file whose appearance asks all of them to end their jobs with a checkpoint.
    """

    starter: int
    threads: int
    stop: str

    def __enter__(self) -> "Worker":
        if not _Work.begun:
            # Ctrl-C reaches the terminal's whole group at once; only the process that began the sweep shall hear it.
            os.setpgid(0, 0)
            torch.set_num_threads(self.threads)
            signal.signal(signal.SIGTERM, _end_job)
            threading.Thread(target=self._listen, daemon=True).start()
            _Work.begun = True
        _Work.busy = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        _Work.busy = False
        if self._orphan():
            os._exit(128 + signal.SIGTERM)  # nobody waits for what it returns

    def stopping(self) -> bool:
        """Whether no further job shall begin."""
        return self._orphan() or Path(self.stop).exists()

    def _orphan(self) -> bool:
        return os.getppid() != self.starter

    def _listen(self) -> None:
        while not self.stopping():
            time.sleep(POLL_SECONDS)
        if _Work.busy:
            os.kill(os.getpid(), signal.SIGTERM)
        elif self._orphan():
            os._exit(128 + signal.SIGTERM)


def _end_job(number: int, frame: object) -> None:
    """While it trains, the run's own handler stands in this one's place and ends after the iteration."""
    if _Work.busy:
        sys.exit(128 + number)


class Stop(Wishes):
    """Ctrl-C and SIGTERM in the process that began a sweep, within `with`: the first asks the workers, a second ends at once."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.file = folder / f".stop-{os.getpid()}"

    def __enter__(self) -> Self:
        self.file.unlink(missing_ok=True)
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.file.unlink(missing_ok=True)

    def _on_signal(self, number: int, frame: object) -> None:
        super()._on_signal(number, frame)
        self.file.touch()
        print(f"{signal.Signals(number).name}: the jobs at work end with a checkpoint; again: at once", file=sys.stderr, flush=True)
