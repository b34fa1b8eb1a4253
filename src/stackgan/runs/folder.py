"""A run's folder: what lies where, whose settings it holds, and whether it is done."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock

from stackgan.core import atomic
from stackgan.core.errors import RunError, UserError


@dataclass(frozen=True)
class RunFolder:
    """logs/<stage>/<data>/<name>/ (a sweep's: sweeps/<sweep>/<stage>/<data>/<name>/)."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved settings."""
        return self.path / "config.json"

    @property
    def provenance(self) -> Path:
        """Code commit, versions, fingerprints of data and encoder."""
        return self.path / "provenance.json"

    @property
    def metrics(self) -> Path:
        """A row every so many images."""
        return self.path / "metrics.csv"

    @property
    def sheets(self) -> Path:
        """Pictures to look at."""
        return self.path / "sheets"

    @property
    def checkpoints(self) -> Path:
        """What a run resumes from."""
        return self.path / "checkpoints"

    @property
    def results(self) -> Path:
        """The run's figures, written when it is done."""
        return self.path / "results.json"

    @property
    def done(self) -> Path:
        """Written last: its images_seen is the budget that was reached."""
        return self.path / "DONE"

    def images_done(self) -> int:
        """The budget this run has reached, 0 while it is unfinished. Raises UserError for a damaged DONE."""
        try:
            return int(json.loads(self.done.read_text())["images_seen"]) if self.done.exists() else 0
        except (ValueError, KeyError, TypeError) as error:
            way = "delete it, and the command that trained the run finishes it from its newest checkpoint"
            raise UserError(f"{self.done}: is not what a finished run writes ({type(error).__name__}); {way}") from error

    def is_readable(self) -> bool:
        """Whether what it says of its end and its figures can be read."""
        try:
            self.images_done()
            return not self.results.exists() or isinstance(json.loads(self.results.read_text()), dict)
        except (UserError, ValueError):
            return False

    def settings(self) -> dict[str, Any]:
        """The settings the run was begun with, {} where it never began."""
        settings: dict[str, Any] = json.loads(self.config.read_text()) if self.config.exists() else {}
        return settings

    def facts(self) -> dict[str, Any]:
        """The provenance the run was last started with."""
        facts: dict[str, Any] = json.loads(self.provenance.read_text())
        return facts

    def begin(self, config: Mapping[str, Any], provenance: Mapping[str, Any]) -> None:
        """Make the folder and record what the run is, as this start of it has it."""
        for folder in (self.path, self.sheets, self.checkpoints):
            folder.mkdir(parents=True, exist_ok=True)
        for left in self.path.rglob(".*.part"):
            left.unlink()
        atomic.write_json(self.config, config)
        atomic.write_json(self.provenance, provenance)

    def finish(self, results: Mapping[str, Any]) -> None:
        """Record the figures, then say that the run is done. Scores of earlier weights stay: their cards say so."""
        self.add_results(results)
        atomic.write_json(self.done, {"images_seen": results["images_seen"]})

    def add_results(self, results: Mapping[str, Any]) -> None:
        """Record figures beside those that are there; of the same name the new ones count, `scores` card by card."""
        old: dict[str, Any] = json.loads(self.results.read_text()) if self.results.exists() else {}
        scores = {**old.get("scores", {}), **results.get("scores", {})}
        atomic.write_json(self.results, {**old, **results, **({"scores": scores} if scores else {})})

    def lock(self) -> filelock.BaseFileLock:
        """The lock of this run; the system frees it when its holder dies. It lies beside the folder, so that no folder is made.

        Raises UserError where nothing can be written.
        """
        beside = self.path.parent / f".{self.path.name}.lock"
        try:
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.touch()
        except OSError as error:
            way = "set paths.logs (a sweep's: paths.sweeps) to a folder you can write"
            raise UserError(f"{beside.parent}: cannot be written ({error.strerror}); {way}") from error
        return filelock.FileLock(beside)


@contextmanager
def writing(folder: RunFolder) -> Iterator[None]:
    """Turn what the system says against writing into a RunError with the way out."""
    try:
        yield
    except OSError as error:
        way = "free some space, or make the folder writable; the same command goes on"
        raise RunError(f"{error.filename or folder.path}: cannot be written ({error.strerror}); {way}") from error


@contextmanager
def held(folder: RunFolder, wait: bool) -> Iterator[None]:
    """Hold the run's lock. wait: until it is free; else a UserError where another process trains this run."""
    lock = folder.lock()
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        if not wait:
            raise UserError(
                f"run.name={folder.path.name}: another process trains {folder.path}; wait for it, or set another seed or run.name"
            ) from None
        print(f"waiting for another process that trains {folder.path}", flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
