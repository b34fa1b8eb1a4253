"""What a run keeps of itself while it trains, and how it goes on from it."""

import contextlib
import errno
import os
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer

from stackgan.core import atomic
from stackgan.core.errors import RunError
from stackgan.core.ranges import BestIs
from stackgan.runs import checkpoint
from stackgan.runs.stopping import Council, Wishes

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def key_of(callback: Callback) -> str:
    """Under which name a callback's state lies in a checkpoint: the one of conf/callbacks, else its class's."""
    return str(getattr(callback, "key", type(callback).__name__))


class Keeper(Callback):
    """Saves the stage every so many images, where its score is the best so far, when asked to stop, and at the end.

    head: what every checkpoint holds beside the stage's state (format, config, data). keep: how many of the newest stay.
    best: the name of the recorded value whose best checkpoint (best_is) stays too, None for none. results: figures of the end, kept
    with the last checkpoint. wishes: signals that ask the run to end after the iteration they fall into; stopped then names one.
    secure: makes what was recorded so far safe; called before each checkpoint. Where the disk is full older checkpoints make room,
    but the newest whole one stays: training goes on where it can, and a RunError says so where it cannot.
    """

    def __init__(
        self,
        folder: Path,
        head: Mapping[str, Any],
        every_images: int,
        keep: int,
        best: str | None,
        best_is: BestIs,
        results: dict[str, Any],
        wishes: Wishes,
        secure: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder, self.head, self.every_images, self.keep = folder, head, every_images, keep
        self.best, self.best_is, self.results, self.wishes, self.secure = best, best_is, results, wishes, secure
        self.stopped: signal.Signals | None = None
        self._saved = self._tried = -1
        self._best: float | None = None
        self._linked: float | None = None
        self._is_best = False
        self._pending: int | None = None

    def noticed(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Told of every recorded value; the best of name `best` so far wants to be kept."""
        value = values.get(self.best or "")
        if value is None or value != value:
            return
        if self._best is None or (value > self._best if self.best_is == "highest" else value < self._best):
            self._best, self._is_best = value, True

    def state_dict(self) -> dict[str, Any]:
        """The best score so far, whether this checkpoint has it, and the results."""
        return {"best": self._best, "is_best": self._is_best, "seen": self._tried, "results": dict(self.results)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from state_dict()."""
        self._best = self._linked = state_dict["best"]
        self._pending = state_dict["seen"] if state_dict["is_best"] else None
        self.results.update(state_dict["results"])

    def settle(self) -> None:
        """Name the best checkpoint where a kill came between its writing and its naming. On the first rank only."""
        if self._pending is not None:
            self._link(self.folder / f"seen-{self._pending:09d}.pt")
        self._pending = None

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Begin to count."""
        self._saved = self._tried = pl_module.images_seen
        self._council = Council(trainer.world_size)
        if trainer.is_global_zero:
            self.settle()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Save where it is due, where the score is the best, or where the run was asked to stop."""
        stop, is_best = self._council.agree(self.wishes.caught, int(self._is_best))
        if stop:
            self.stopped = signal.Signals(stop)
            trainer.should_stop = True
        # What is due with the last iteration waits for on_train_end, after the last look: until then the run is unfinished.
        due = pl_module.images_seen // self.every_images > self._tried // self.every_images
        if (stop or due or is_best) and not trainer.is_last_batch:
            self._save(trainer, pl_module, must=bool(stop))

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Save the end."""
        if trainer.is_last_batch:
            self._save(trainer, pl_module, must=True, final=True)

    def _save(self, trainer: Trainer, pl_module: Any, must: bool, final: bool = False) -> None:
        """One checkpoint; must: the run ends here, so a failure is a RunError. All ranks call it, for their callbacks' states."""
        seen = self._tried = pl_module.images_seen
        pl_module.check_finite()
        found: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        callbacks = {key_of(each): state for each in found if (state := each.state_dict())}
        if not trainer.is_global_zero or seen == self._saved:
            return
        self.secure()
        path = self.folder / f"seen-{seen:09d}.pt"
        state = {**self.head, **pl_module.run_state(), "callbacks": callbacks, "final": final}
        problem = self._written(path, checkpoint.on_cpu(state))
        is_best, self._is_best = self._is_best, False
        if problem is None:
            self._saved = seen
            if is_best:
                self._link(path)
            self._forget(self.keep)
            return
        # A best score that was not kept must not keep the next one out.
        self._best = self._linked
        if must:
            raise RunError(f"checkpoint {path}: {problem}; the same command goes on from {self._newest()}")
        _warn(f"checkpoint {path}: {problem}; training goes on, and {self._newest()} is kept")

    def _written(self, path: Path, state: Mapping[str, Any]) -> str | None:
        """Write it, in the place of older ones where the disk is full. Returns what went wrong."""
        for last_try in (False, True):
            try:
                checkpoint.save(path, state)
            except (OSError, RuntimeError) as error:
                free = shutil.disk_usage(self.folder).free
                problem = f"cannot be written ({str(error).splitlines()[0]}; {free / 2**20:,.0f} MiB are free)"
                # PyTorch's word for a full disk is a RuntimeError.
                if last_try or (isinstance(error, OSError) and error.errno not in FULL):
                    return problem
                self._forget(1)
            else:
                return None
        return None

    def _link(self, path: Path) -> None:
        """The same file under a second name, which outlives the first; any other best one goes."""
        new = path.with_name(path.name.replace("seen-", "best-"))
        beside = new.with_name(f".{new.name}.part")
        try:
            beside.unlink(missing_ok=True)
            try:
                os.link(path, beside)
            except OSError:  # not every file system knows links
                shutil.copyfile(path, beside)
                atomic.sync(beside)
            beside.replace(new)
            beside.unlink(missing_ok=True)  # renaming over another name of the same file does nothing
            for old in self.folder.glob("best-*.pt"):
                if old != new:
                    old.unlink()
            atomic.sync(self.folder)
            self._linked = self._best
        except OSError as error:
            _warn(f"checkpoint {new}: cannot be kept ({error.strerror}); training goes on")
            self._best = self._linked

    def _forget(self, keep: int) -> None:
        for old in checkpoint.oldest_first(self.folder)[:-keep]:
            with contextlib.suppress(OSError):
                old.unlink()

    def _newest(self) -> Path | str:
        return checkpoint.newest(self.folder) or "its beginning"


def _warn(line: str) -> None:
    print(f"warning: {line}", file=sys.stderr, flush=True)


class Resume(Callback):
    """Puts optimisers back once Lightning has made them, and the callbacks; weights and count are the stage's already."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = state

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Continue exactly where the checkpoint was written."""
        pl_module.load_run_state(self.state)
        load_callbacks(trainer.callbacks, self.state)  # type: ignore[attr-defined]
        self.state = {}  # as large as the weights and both optimisers


def load_callbacks(callbacks: list[Callback], state: Mapping[str, Any]) -> None:
    """Give each callback what it kept in a checkpoint."""
    for each in callbacks:
        if (saved := state["callbacks"].get(key_of(each))) is not None:
            each.load_state_dict(saved)
