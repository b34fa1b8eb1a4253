"""A search: Optuna proposes values of settings, and each trial is a job of a sweep, trained once however often it starts."""

import json
import logging
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

from stackgan.core.errors import RunError, UserError
from stackgan.sweeps.folder import Job
from stackgan.sweeps.sweeping import Sweeping


@dataclass(frozen=True)
class Answer:
    """What Optuna asks of a job: the value that its run recorded, or why there is none."""

    value: float | None
    why: str | None = None

    @property
    def return_value(self) -> float:
        """Raises RunError for a job that failed; Optuna's sweeper then counts the trial as failed and goes on."""
        if self.value is None:
            raise RunError(self.why or "no value")
        return self.value


class Searching(Sweeping):
    """One start of a search. It stands where Optuna's sweeper expects a launcher. sweeper: hydra_optuna_sweeper's own.

    context, task, config: what Hydra hands to a sweeper. Raises UserError for a setting that it cannot follow.
    """

    def __init__(self, sweeper: Any, context: HydraContext, task: TaskFunction, config: DictConfig) -> None:
        super().__init__({}, {}, context, task, config)
        self.sweeper, self.objective = sweeper, str(config.sweep.objective)
        settings = config.hydra.sweeper
        _check(settings, self.objective)
        self.varied = [str(key) for key in settings.params or {}]

    def sweep(self, arguments: Sequence[str]) -> None:
        """Ask for trials and train them. Raises UserError where the first cannot begin, or where no run records the objective."""
        logging.getLogger("optuna").setLevel(logging.WARNING)
        told = self.config.hydra.sweeper
        print(f"search {self.folder.path}: {told.n_trials} trials for the {_best(told)} {self.objective}", flush=True)
        self.sweeper.launcher = self
        try:
            self.sweeper.sweep(list(arguments))
        except ValueError as error:
            if "No trials are completed" not in str(error):
                raise
            raise RunError(f"no trial of {self.folder.path} has a value; {self.folder.table} says why") from None
        found: Any = OmegaConf.load(self.folder.path / "optimization_results.yaml")
        words = " ".join(f"{key}={value}" for key, value in found.best_params.items())
        print(f"table: {self.folder.table}\nbest {self.objective}: {found.best_value:.4g} with {words}", flush=True)
        for job in self.folder.jobs():
            if job.state == "failed":
                print(f"failed, and not counted: {job.row}: {job.why}", file=sys.stderr, flush=True)

    def _checked(self, job: Job) -> Job | None:
        """As in any sweep; failed too where it is known that the run would not record the objective."""
        found = super()._checked(job)
        if found is None or found.state == "failed" or not self.objective.startswith("agreement/"):
            return found
        with self._as_job(job.words) as config:
            if config.callbacks.get("agreement") is None:
                way = "callbacks.agreement records it, and is left out; bring it back, or name another value"
            elif config.data.name != "toybirds":
                way = f"data={config.data.name} is not toybirds, whose pictures alone it can be read from; name another value"
            else:
                return found
        return replace(found, state="failed", why=f"sweep.objective={self.objective}: {way}")

    def launch(self, overrides: Sequence[Sequence[str]], initial_job_idx: int) -> list[Answer]:
        """Train some trials at once, by the launcher that the settings name; those that are trained already answer at once."""
        checked = [self._checked(self._trial(words)) for words in overrides]
        jobs = [job for job in checked if job is not None]
        if initial_job_idx == 0 and (not jobs or all(job.state == "failed" for job in jobs)):
            raise UserError(str(jobs[0].why) if jobs else "hparams_search=optuna: no trial is left; take another data set or stage")
        jobs = self.folder.begin(jobs)
        self.settling.settle([job for job in jobs if job.state not in ("done", "failed")])
        settled = {job.words: job for job in self.folder.jobs()}
        return [self._answer(settled[tuple(words)]) if tuple(words) in settled else Answer(None) for words in overrides]

    def _trial(self, words: Sequence[str]) -> Job:
        given = dict(word.partition("=")[::2] for word in words)
        varied = [f"{key.rpartition('.')[2]}={given[key]}" for key in self.varied if key in given]
        seed = given.get("seed", "0")
        variant = ", ".join(varied) or "as it is"
        return Job(f"{variant}, seed {seed}", variant, int(seed) if seed.isdigit() else 0, tuple(words))

    def _answer(self, job: Job) -> Answer:
        run = self.folder.run(job)
        if job.state != "done" or run is None:
            return Answer(None, job.why)
        # What training recorded; score cards of evaluate.py stand apart, and most are of test classes.
        results: dict[str, Any] = json.loads(run.results.read_text())
        value = results.get(self.objective)
        if self.objective in results and (value is None or (isinstance(value, float) and not math.isfinite(value))):
            return Answer(None, f"sweep.objective={self.objective}: not a finite number")
        if not isinstance(value, float):
            there = ", ".join(sorted(key for key, number in results.items() if isinstance(number, float))) or "nothing"
            raise UserError(f"sweep.objective={self.objective}: {run.path} recorded no such value; there are {there}")
        return Answer(value)


def _best(settings: DictConfig) -> str:
    return {"maximize": "highest", "minimize": "lowest"}[_direction(settings)]


def _direction(settings: DictConfig) -> str:
    return str(getattr(settings.direction, "name", settings.direction))


def _check(settings: DictConfig, objective: str) -> None:
    if settings.rows:
        raise UserError("hparams_search=optuna: a sweep of rows is given too; drop sweep=, and search for one of its rows alone")
    for key in ("n_trials", "n_jobs"):
        if int(settings[key]) < 1:
            raise UserError(f"hydra.sweeper.{key}={settings[key]}: must be at least 1")
    if "test" in objective.split("/"):
        raise UserError(
            f"sweep.objective={objective}: test classes choose nothing, or their scores would flatter; name one of held_out "
            "or validation (data.validate=true)"
        )
    if _direction(settings) not in ("maximize", "minimize"):
        raise UserError(f"hydra.sweeper.direction={_direction(settings)}: there is one objective; set maximize or minimize")
    if settings.storage is not None:
        raise UserError(
            f"hydra.sweeper.storage={settings.storage}: optuna 2.10, which Hydra 1.3's sweeper wants, cannot use SQLAlchemy 2; "
            "drop it: the same command with the same hydra.sweeper.sampler.seed finds trained trials in their folders"
        )
