"""What a run keeps of itself while it trains, and how it goes on from it."""

import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer

from stackgan.core import atomic
from stackgan.core.errors import RunError
from stackgan.runs import checkpoint
from stackgan.runs.stopping import Council, Wishes


class Keeper(Callback):
    """Saves the stage every so many images, where its score is the best so far, when asked to stop, and at the end.

    head: what every checkpoint holds beside the stage's state (format, config, data). keep: how many of the newest stay.
    best: the name of the recorded value whose highest checkpoint stays too, None for none. results: figures of the end, kept with
    the last checkpoint. Ctrl-C and SIGTERM end the run after the iteration they fall into; stopped then names the signal.
    A checkpoint that cannot be written costs no other: training goes on where it can, and a RunError says so where it cannot.
    """

    def __init__(
        self, folder: Path, head: Mapping[str, Any], every_images: int, keep: int, best: str | None, results: dict[str, Any]
    ) -> None:
        self.folder, self.head, self.every_images, self.keep, self.best, self.results = (
            folder,
            head,
            every_images,
            keep,
            best,
            results,
        )
        self.stopped: signal.Signals | None = None
        self._wishes, self._saved, self._tried = Wishes(), -1, -1
        self._best: float | None = None
        self._is_best = False

    def noticed(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Told of every recorded value; the highest of name `best` so far wants to be kept."""
        value = values.get(self.best or "")
        if value is not None and value == value and (self._best is None or value > self._best):
            self._best, self._is_best = value, True

    def state_dict(self) -> dict[str, Any]:
        """The best score so far, and the results."""
        return {"best": self._best, "results": dict(self.results)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from state_dict()."""
        self._best = state_dict["best"]
        self.results.update(state_dict["results"])

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """From here on a signal waits for the end of the iteration."""
        self._saved = self._tried = pl_module.images_seen
        self._council = Council(trainer.world_size)
        self._wishes.listen()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Save where it is due, where the score is the best, or where the run was asked to stop."""
        stop, is_best = self._council.agree(self._wishes.caught, int(self._is_best))
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
            self._save(trainer, pl_module, must=True)

    def teardown(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        """Give the signals back."""
        self._wishes.deafen()

    def _save(self, trainer: Trainer, pl_module: Any, must: bool) -> None:
        """One checkpoint; must: the run ends here, so a failure is a RunError."""
        seen = self._tried = pl_module.images_seen
        found: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        callbacks = {name: state for each in found if (name := type(each).__name__) and (state := each.state_dict())}
        if not trainer.is_global_zero or seen == self._saved:
            return
        path = self.folder / f"seen-{seen:09d}.pt"
        problem = self._written(path, {**self.head, **pl_module.run_state(), "callbacks": callbacks})
        if problem is None:
            self._saved = seen
            self._forget(self.keep)
        elif must:
            raise RunError(f"checkpoint {path}: {problem}; the same command goes on from {self._newest()}")
        else:
            line = f"checkpoint {path}: {problem}; training goes on, and {self._newest()} is kept"
            print(f"warning: {line}", file=sys.stderr, flush=True)

    def _written(self, path: Path, state: Mapping[str, Any]) -> str | None:
        """Write it, in the place of older ones where the disk is full. Returns what went wrong."""
        for last_try in (False, True):
            try:
                checkpoint.save(path, state)
                if self._is_best:
                    self._link(path)
            except (OSError, RuntimeError) as error:
                free = shutil.disk_usage(self.folder).free
                problem = f"cannot be written ({str(error).splitlines()[0]}; {free / 2**20:,.0f} MiB are free)"
                if not last_try:
                    self._forget(1)
            else:
                return None
        return problem

    def _link(self, path: Path) -> None:
        """The same file under a second name, which outlives the first."""
        old, new = checkpoint.best(self.folder), path.with_name(path.name.replace("seen-", "best-"))
        if old != new:
            new.unlink(missing_ok=True)
            try:
                os.link(path, new)
            except OSError:  # not every file system knows links
                atomic.write(new, lambda beside: beside.write_bytes(path.read_bytes()))
            if old is not None:
                old.unlink()
        self._is_best = False

    def _forget(self, keep: int) -> None:
        for old in checkpoint.oldest_first(self.folder)[:-keep]:
            old.unlink()

    def _newest(self) -> Path | str:
        return checkpoint.newest(self.folder) or "its beginning"


class Resume(Callback):
    """Puts optimisers back once Lightning has made them, and the callbacks; weights and count are the stage's already."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = state

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Continue exactly where the checkpoint was written."""
        pl_module.load_run_state(self.state)
        for each in trainer.callbacks:  # type: ignore[attr-defined]
            if (saved := self.state["callbacks"].get(type(each).__name__)) is not None:
                each.load_state_dict(saved)
