"""A sweep: named rows times the command's values make jobs, each of which is trained once, however often the sweep is started."""

import copy
import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict, read_write

from stackgan.core.errors import RunError, UserError
from stackgan.launch import build, encoders, identity, rules, schema
from stackgan.sweeps import grid, launchers
from stackgan.sweeps.folder import Job, SweepFolder
from stackgan.sweeps.jobs import EXPECTED, cause
from stackgan.sweeps.settling import Settling

Config = Mapping[str, Any]
Rows = Mapping[str, Sequence[str]]


class Sweeping:
    """One start of a sweep.

    rows: variants by name, each the words that make it; none: the command's own settings are the only one. params: values to sweep
    where the command does not give that setting. context, task, config: what Hydra hands to a sweeper.
    """

    def __init__(
        self,
        rows: Mapping[str, Sequence[str]],
        params: Mapping[str, str],
        context: HydraContext,
        task: TaskFunction,
        config: DictConfig,
    ) -> None:
        self.rows, self.params, self.context, self.config = rows, params, context, config
        self.folder = SweepFolder(Path(config.paths.sweeps) / config.sweep.name)
        self.settling = Settling(self.folder, context, task, config)

    def sweep(self, arguments: Sequence[str]) -> None:
        """Run what is not done yet, in the order of the rows.

        arguments: the command's words. Raises UserError, with nothing written, where no job can begin, and RunError at the end
        where some failed.
        """
        checked = [self._checked(job) for job in expand(self.rows, self.params, arguments, self.context.config_loader)]
        jobs = [job for job in checked if job is not None]
        if not jobs:
            raise UserError(f"sweep.name={self.folder.path.name}: no job is left; take another data set or other rows")
        if all(job.state == "failed" for job in jobs):
            raise UserError(str(jobs[0].why))
        jobs = self.folder.begin(jobs)
        pending = [job for job in jobs if job.state not in ("done", "failed")]
        done = sum(job.state == "done" for job in jobs)
        print(f"sweep {self.folder.path}: {len(jobs)} jobs, {done} done, {len(pending)} to run", flush=True)
        self.settling.settle(pending)
        self._end({tuple(job.words) for job in jobs})

    def _end(self, mine: set[tuple[str, ...]]) -> None:
        """Where to look, and a line for each job that failed."""
        jobs = [job for job in self.folder.jobs() if tuple(job.words) in mine]
        grid.grow(self.folder)  # a process that ended last may have died before it could
        print(f"table: {self.folder.table}", flush=True)
        if failed := [job for job in jobs if job.state == "failed"]:
            for job in failed:
                print(f"failed: {job.row}: {job.why}", file=sys.stderr, flush=True)
            raise RunError(f"{len(failed)} of {len(jobs)} jobs of {self.folder.path} failed; the same command tries them again")
        if missing := len(mine) - sum(job.state == "done" for job in jobs):
            raise RunError(
                f"{missing} of {len(mine)} jobs of {self.folder.path} were not trained: another command with sweep.name="
                f"{self.folder.path.name} took their place; give the same command again, or set another sweep.name"
            )

    def _checked(self, job: Job) -> Job | None:
        """The job with its run's folder; failed where its settings are no good, None where the data set lacks what it needs."""
        try:
            with self._as_job(job.words) as composed:
                config = schema.check(composed)
                if config["explain"]:
                    raise UserError("explain=true: a sweep trains; explain one of its jobs without -m, or drop it")
                if config["run"]["fresh"]:
                    raise UserError("run.fresh=true: a sweep goes on where it was; set another sweep.name for new runs, or drop it")
                launchers.check(self.config.hydra.launcher, config)
                rules.check(config)
                _check_budget(config)
                found = identity.folder(config)
                if (lack := _lacking(config)) is not None:
                    print(f"left out: {job.row}: {lack}", flush=True)
                    return None
        except EXPECTED as error:
            return replace(job, state="failed", why=cause(error, job.words))
        return replace(
            job, seed=config["seed"], run=str(found.path.relative_to(self.folder.path)), budget=config["stage"]["images"]
        )

    @contextmanager
    def _as_job(self, words: Sequence[str]) -> Iterator[DictConfig]:
        """The settings that these words mean, in the surroundings that the launcher will give them."""
        before = HydraConfig.instance().cfg
        whole = self.context.config_loader.load_sweep_config(self.config, list(words))
        HydraConfig.instance().set_config(whole)
        settings = copy.deepcopy(whole)
        with read_write(settings), open_dict(settings):
            del settings["hydra"]
        try:
            yield settings
        finally:
            HydraConfig.instance().cfg = before


def expand(rows: Rows, params: Mapping[str, str], arguments: Sequence[str], loader: ConfigLoader | None = None) -> list[Job]:
    """Each row with each combination of the values that the command, or else params, sweeps; a job's name says both.

    loader: knows what glob(*) means. Raises UserError where the command sets what rows set.
    """
    parser = OverridesParser.create(config_loader=loader)
    given = {override.get_key_element(): override for override in parser.parse_overrides(list(arguments))}
    named = {key.lstrip("+~"): override for key, override in given.items()}
    usual = parser.parse_overrides([f"{key}={value}" for key, value in params.items()])
    given = {override.get_key_element(): override for override in usual} | given
    for name, words in rows.items():
        if both := [word for word in words if word.partition("=")[0] in named]:
            word = named[both[0].partition("=")[0]].input_line
            raise UserError(f"{word}: the sweep's rows set it themselves ({name}: {both[0]}); drop it")
    shared = [word for override in given.values() if not override.is_sweep_override() for word in _words(override)]
    swept = [_words(override) for override in given.values() if override.is_sweep_override()]
    found = []
    for name, words in (rows or {"": ()}).items():
        for combination in itertools.product(*swept):
            seed = _value("seed", [*shared, *combination]) or "0"
            told = [word for word in combination if not word.startswith("seed=")]
            variant = ", ".join(filter(None, [name, *told])) or "as it is"
            found.append(
                Job(f"{variant}, seed {seed}", variant, int(seed) if seed.isdigit() else 0, (*shared, *words, *combination))
            )
    return found


def _words(override: Override) -> list[str]:
    if not override.is_sweep_override():
        return [str(override.input_line)]
    if not override.is_discrete_sweep():
        raise UserError(f"{override.input_line}: only a search can sweep an interval; list values with commas, or range(...)")
    # Hydra writes a switch as Python does.
    values = ({"True": "true", "False": "false"}.get(value, value) for value in override.sweep_string_iterator())
    return [f"{override.get_key_element()}={value}" for value in values]


def _value(key: str, words: Sequence[str]) -> str | None:
    return next((word.partition("=")[2] for word in words if word.partition("=")[0] == key), None)


def _check_budget(config: Config) -> None:
    """Raise UserError where the Stage-I to be trained underneath would not follow the budget that the command gives."""
    stage = config["stage"]
    if stage.get("base") == "train" and stage["epochs"] and not stage["base_images"]:
        raise UserError(
            f"stage.epochs={stage['epochs']}: the Stage-I underneath would take all its recipe's epochs; "
            "give stage.images instead, or stage.base_images too"
        )


def _lacking(config: Config) -> str | None:
    """What the data set does not have that the stage needs, where it can be read here."""
    if not build.stage_class(config).requires:
        return None
    data = build.data_module(config, encoders.found(config))
    data.bring()
    try:
        build.check_provided(config, data)
    except build.Lacking as error:
        return str(error)
    return None
