"""A sweep's jobs are handed to Hydra's launcher until each is settled, by this process or another one that is at the same sweep."""

import logging
import os
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from stackgan.core.errors import RunError
from stackgan.sweeps import launchers
from stackgan.sweeps.folder import Job, SweepFolder
from stackgan.sweeps.jobs import EXPECTED, Elsewhere, Recorded, cause
from stackgan.sweeps.workers import Stop, Worker

POLL_SECONDS = 1.0


class Settling:
    """Runs jobs of a sweep by the launcher that the settings name. context, task, config: what Hydra hands to a sweeper."""

    def __init__(self, folder: SweepFolder, context: HydraContext, task: TaskFunction, config: DictConfig) -> None:
        self.folder, self.context, self.task, self.config = folder, context, task, config
        self.kind = launchers.kind(config.hydra.launcher)
        self._launched = 0

    def settle(self, jobs: Sequence[Job]) -> None:
        """Until each is done or failed. A job in whose process's death others may have died too is tried again, alone, once.

        Raises RunError where the launcher cannot begin; ends the program where it was asked to stop.
        """
        died: set[tuple[str, ...]] = set()
        told = False
        while left := self._left(jobs):
            free = [job for job in left if not self.folder.taken(job)]
            if not free:
                if not told:
                    print(f"waiting for other processes that are at {len(left)} jobs of {self.folder.path}", flush=True)
                told = True
                time.sleep(POLL_SECONDS)
                continue
            batch = [job for job in free if job.words not in died] or free[:1]
            try:
                self._check_moved(batch, self._launch(batch))
            except EXPECTED:
                raise
            except Exception as error:  # a launcher's own: its process died
                self._after_death(batch, error, died)

    def _left(self, jobs: Sequence[Job]) -> list[Job]:
        wanted = {job.words for job in jobs}
        return [job for job in self.folder.jobs() if job.words in wanted and job.state not in ("done", "failed")]

    def _launch(self, batch: Sequence[Job]) -> Sequence[JobReturn]:
        """One call of the launcher, and what its jobs came back with."""
        stop = worker = None
        # Where one job runs at a time, joblib runs it in this very process.
        if self.kind == "joblib" and launchers.at_once(self.config.hydra.launcher) > 1:
            stop = Stop(self.folder.path)
            worker = Worker(os.getpid(), launchers.threads_of_each(self.config.hydra.launcher, len(batch)), str(stop.file))
        launchers.prepare(self.config.hydra.launcher)
        gpus = zip([job.words for job in batch], launchers.gpus_of_each(self.config.hydra.launcher, len(batch)), strict=False)
        launcher: Any = Plugins.instance().instantiate_launcher(
            hydra_context=self.context,
            task_function=Recorded(self.task, str(self.folder.path), worker, dict(gpus)),
            config=self.config,
        )
        # The launcher's own line for each job repeats every word of the command.
        for name in ("hydra", "hydra_plugins"):
            logging.getLogger(name).setLevel(logging.WARNING)
        with stop or nullcontext():
            try:
                returned: Sequence[JobReturn] = launcher.launch([list(job.words) for job in batch], initial_job_idx=self._launched)
            finally:
                self._launched += len(batch)
                if stop is not None and stop.caught:
                    self._stopped(stop.caught)
        for job, ended in zip(batch, returned, strict=True):
            self._unbegun(job, ended)
        return returned

    def _unbegun(self, job: Job, ended: JobReturn) -> None:
        """A job that failed before it could say so itself, as where its settings do not compose in the launcher's process."""
        if ended.status == JobStatus.FAILED and self._left([job]) and not self.folder.taken(job):
            self.folder.mark(job.words, "failed", cause(ended._return_value, job.words))

    def _check_moved(self, batch: Sequence[Job], returned: Sequence[JobReturn]) -> None:
        """Raise RunError where the launcher says that all of its batch went well, and none is settled.

        What the jobs came back with decides, not another look at them: a process that was at one when this launcher's came may have
        been stopped since, or have ended, or have left it to a third.
        """
        left = self._left(batch)
        well = [one for one in returned if one.status == JobStatus.COMPLETED and not isinstance(one.return_value, Elsewhere)]
        if len(left) == len(well) == len(batch):
            raise RunError(f"{self.folder.path}: {left[0].row} ended and is still {left[0].state}; see {self.folder.file}")

    def _stopped(self, number: int) -> None:
        for job in self._left(self.folder.jobs()):
            if job.state == "running" and not self.folder.taken(job):
                self.folder.mark(job.words, "cut")
        print(f"sweep {self.folder.path} was stopped; the same command goes on", file=sys.stderr, flush=True)
        sys.exit(128 + number)

    def _after_death(self, batch: Sequence[Job], error: Exception, died: set[tuple[str, ...]]) -> None:
        line = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}"
        ended = [job for job in self._left(batch) if job.state in ("running", "cut") and not self.folder.taken(job)]
        if not ended and not any(self.folder.taken(job) for job in self._left(batch)):
            raise RunError(f"hydra/launcher={self.kind}: {line}") from error
        for job in ended:
            if job.words in died:
                self.folder.mark(job.words, "failed", f"its process died ({line})")
            else:
                self.folder.mark(job.words, "cut")
                died.add(job.words)
