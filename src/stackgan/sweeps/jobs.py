"""A job of a sweep, in whatever process the launcher runs it: its state is written down, and the table and the grid grow."""

import os
import traceback
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from hydra.types import TaskFunction
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from stackgan.core.errors import RunError, UserError
from stackgan.launch import cli, complaints
from stackgan.sweeps import grid
from stackgan.sweeps.folder import SweepFolder, Taken
from stackgan.sweeps.workers import Worker

EXPECTED = (UserError, RunError, HydraException, OmegaConfBaseException)
"""What cli says in one line; anything else is a fault of the program, whose traceback is shown."""


@dataclass(frozen=True)
class Elsewhere:
    """What a job comes back with that another process was at."""


@dataclass(frozen=True)
class Recorded:
    """What trains, and the sweep's folder that tells of it. worker: where several jobs share this machine's processes.

    gpus: by a job's words CUDA_VISIBLE_DEVICES of its process, for jobs that the launcher gives a process each.
    """

    verb: TaskFunction
    folder: str
    worker: Worker | None = None
    gpus: Mapping[tuple[str, ...], str] = field(default_factory=dict)

    def __call__(self, config: DictConfig) -> Any:
        """Train, unless another process is at this job: then Elsewhere.

        What ends the job goes on through the launcher, which then takes the next, or ends with the program; from a worker a stop
        does not, which its starter knows of.
        """
        with self.worker or nullcontext():
            sweep = SweepFolder(Path(self.folder))
            words = cli.words()
            job = sweep.job(words)
            if (own := self.gpus.get(job.words)) is not None:
                os.environ["CUDA_VISIBLE_DEVICES"] = own  # in time: nothing in this process has asked for a GPU before
            if self.worker is not None and self.worker.stopping():
                return None
            try:
                with sweep.held(job):
                    return self._train(sweep, words, job.row, config)
            except Taken:
                print(f"job: {job.row}: another process is at it", flush=True)
                return Elsewhere()

    def _train(self, sweep: SweepFolder, words: Sequence[str], name: str, config: DictConfig) -> Any:
        print(f"job: {name}", flush=True)
        sweep.mark(words, "running")
        try:
            returned = self.verb(config)
        except Exception as error:
            line = cause(error, words)
            sweep.mark(words, "failed", line)
            if not isinstance(error, EXPECTED):
                traceback.print_exc()
            # Another process may not be able to hand on the error itself.
            raise RunError(line) from None
        except BaseException:
            sweep.mark(words, "cut")
            if self.worker is not None and self.worker.stopping():
                return None
            raise
        sweep.mark(words, "done")
        grid.grow(sweep)
        return returned


def cause(error: Exception, words: Sequence[str]) -> str:
    """One line."""
    if isinstance(error, UserError | RunError):
        line = str(error)
    elif isinstance(error, EXPECTED):
        line = complaints.explain(error, list(words), "train")
    else:
        line = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
    return " ".join(line.split())
