"""A sweep's folder: its runs, and what became of each of its jobs, as a file for programs and a table for people."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import filelock

from stackgan.core import atomic
from stackgan.core.errors import RunError, UserError
from stackgan.runs.folder import RunFolder
from stackgan.sweeps.table import table

GLANCE_SECONDS = 0.4
"""Who only looks whether a job is taken holds its lock for a moment; that is not to be taken for work."""
State = Literal["waiting", "running", "done", "failed", "cut"]


class Taken(Exception):
    """Another process is at this job."""


@dataclass(frozen=True)
class Job:
    """One run of a sweep.

    row: its name for people. variant: the same without the seed. words: the overrides that make it. run: its folder, relative to
    the sweep's; None where the settings are no good. why: what went wrong, in one line. budget: images to see, None where epochs
    say it.
    """

    row: str
    variant: str
    seed: int
    words: tuple[str, ...]
    run: str | None = None
    state: State = "waiting"
    why: str | None = None
    budget: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class SweepFolder:
    """sweeps/<name>/. Several processes may work in it."""

    path: Path

    @property
    def file(self) -> Path:
        """Of programs: name and jobs."""
        return self.path / "sweep.json"

    @property
    def table(self) -> Path:
        """Of people: a row a job."""
        return self.path / "table.md"

    @property
    def grid(self) -> Path:
        """A row a variant, the same sentences and noise."""
        return self.path / "grid.png"

    def jobs(self) -> list[Job]:
        """As they were last written down; [] where nothing was. Raises UserError for a file that is no list of jobs."""
        try:
            plain = json.loads(self.file.read_text())["jobs"] if self.file.exists() else []
            return [Job(**{**job, "words": tuple(job["words"])}) for job in plain]
        except (ValueError, KeyError, TypeError) as error:
            way = "move it away, and the same command finds the runs beside it and goes on; or set another sweep.name"
            raise UserError(f"{self.file}: is not what a sweep wrote ({type(error).__name__}); {way}") from error

    def run(self, job: Job) -> RunFolder | None:
        """Where it trains."""
        return None if job.run is None else RunFolder(self.path / job.run)

    @contextmanager
    def held(self, job: Job) -> Iterator[None]:
        """Be the process that is at this job; the system ends that when the process dies. Raises Taken where another one is."""
        lock = self._lock(job)
        try:
            lock.acquire(timeout=GLANCE_SECONDS, poll_interval=GLANCE_SECONDS / 20)
        except filelock.Timeout:
            raise Taken(job.row) from None
        try:
            yield
        finally:
            lock.release()

    def taken(self, job: Job) -> bool:
        """Whether a process is at this job."""
        try:
            with self.held(job):
                return False
        except Taken:
            return True

    def _lock(self, job: Job) -> filelock.BaseFileLock:
        """Apart from the run's own lock: a job may first train the run that its own stands on."""
        run = self.run(job)
        assert run is not None
        lock = run.path.parent / f".{run.path.name}.job.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        return filelock.FileLock(lock)

    def begin(self, jobs: Sequence[Job]) -> list[Job]:
        """Write down what is to be done; returns the jobs, those that are done already as such.

        Jobs of other settings stay, and where one has the same name, the new one's says what it sets beside. Raises UserError where
        another process is at a run that this start would give another budget.
        """
        with self._held():
            old = self.jobs()
            for job in jobs:
                if busy := next((one for one in old if _same(one, job) and one.words != job.words and self._at(one)), None):
                    words = " ".join(word for word in busy.words if word not in job.words)
                    raise UserError(
                        f"sweep.name={self.path.name}: another process trains {busy.row} there with other settings ({words}); "
                        "wait for it, or set another sweep.name"
                    )
            kept = [_outdated(self._cut(one), jobs) for one in old if not any(_same(one, job) for job in jobs)]
            now = [self._as_left(_told_apart(job, kept), old) for job in jobs]
            self._write([*kept, *now])
        return now

    def job(self, words: Sequence[str]) -> Job:
        """The one with these words. Raises RunError where another command has put other jobs in its place."""
        found = next((job for job in self.jobs() if job.words == tuple(words)), None)
        if found is None:
            raise RunError(f"{self.file}: no longer lists {' '.join(words)}; another command with this sweep.name took its place")
        return found

    def mark(self, words: Sequence[str], state: State, why: str | None = None) -> None:
        """What became of the job with these words. Raises as job()."""
        with self._held():
            found = self.job(words)
            self._write([replace(job, state=state, why=why) if job == found else job for job in self.jobs()])

    def _as_left(self, job: Job, old: Sequence[Job]) -> Job:
        """Done where it was recorded so and its run still says so; what failed waits again."""
        before = next((one for one in old if one.words == job.words and one.run == job.run), None)
        if before is None or job.state == "failed":
            return job
        if before.state == "done":
            run = self.run(job)
            done = run is not None and run.is_readable() and run.images_done() >= max(job.budget or 0, 1)
            return replace(job, state="done") if done else job
        state = self._cut(before).state
        return replace(job, state=state if state in ("cut", "running") else "waiting", why=before.why)

    def _cut(self, job: Job) -> Job:
        """A job that was said to be running, and that no process is at, was cut."""
        return replace(job, state="cut") if job.state == "running" and job.run is not None and not self._at(job) else job

    def _at(self, job: Job) -> bool:
        """Whether a process is at this job, without a trace where none ever was."""
        return job.state == "running" and job.run is not None and self.taken(job)

    @contextmanager
    def _held(self) -> Iterator[None]:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self.path / ".sweep.lock")
            lock.acquire()
        except OSError as error:
            way = "set paths.sweeps to a folder you can write"
            raise UserError(f"{self.path}: cannot be written ({error.strerror}); {way}") from error
        try:
            yield
        finally:
            lock.release()

    def _write(self, jobs: Sequence[Job]) -> None:
        plain = [{key: value for key, value in asdict(job).items() if key != "budget"} for job in jobs]
        atomic.write_json(self.file, {"sweep": self.path.name, "jobs": plain})
        text = table(self.path.name, [(job.variant, job.seed, job.state, job.why, self.run(job)) for job in jobs])
        atomic.write(self.table, lambda beside: beside.write_text(text))


def _same(one: Job, other: Job) -> bool:
    """Whether both train the same run; of those whose settings are no good, whether they have the same name."""
    return one.run == other.run if one.run and other.run else one.row == other.row and one.words == other.words


def _outdated(one: Job, jobs: Sequence[Job]) -> Job:
    """A job whose words mean another run now, as where a file of conf/ was edited since: kept, and no longer found by its words."""
    if not any(job.words == one.words for job in jobs):
        return one
    name = one.run.rpartition("/")[2] if one.run else "none"
    words = (*one.words, f"# as run {name}, before its settings changed")
    variant = f"{one.variant} (before: {name})"
    return replace(one, words=words, row=f"{variant}, seed {one.seed}", variant=variant)


def _told_apart(job: Job, others: Sequence[Job]) -> Job:
    """Named by what it sets beside another job of the same name, where there is one."""
    namesake = next((one for one in others if one.row == job.row), None)
    if namesake is None:
        return job
    more = [word for word in job.words if word not in namesake.words]
    less = [f"without {word}" for word in namesake.words if word not in job.words]
    variant = f"{job.variant} ({', '.join(more or less)})"
    return replace(job, row=f"{variant}, seed {job.seed}", variant=variant)
