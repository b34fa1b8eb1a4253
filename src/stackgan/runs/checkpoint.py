"""Checkpoints: plain data that `torch.load` opens with its default arguments, written beside and renamed."""

import re
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch.utils._pytree import tree_map_only

from stackgan.core import atomic
from stackgan.core.errors import UserError

FORMAT = 1
_NAME = re.compile(r"seen-(\d+)\.pt")


def oldest_first(folder: Path) -> list[Path]:
    """The checkpoints, by images seen."""
    found = [(int(match[1]), path) for path in folder.glob("seen-*.pt") if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def newest(folder: Path) -> Path | None:
    """The checkpoint with the most images seen, None where there is none."""
    return next(reversed(oldest_first(folder)), None)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running any code in it. Raises UserError where it is not one of ours."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UserError(
            f"checkpoint {path}: cannot be read ({type(error).__name__}); delete it to go on from the one before"
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise UserError(f"checkpoint {path}: not a checkpoint of this version (format {FORMAT})")
    return state


class Keeper(Callback):
    """Saves the stage every so many images, when asked to stop, and at the end; keeps the last few.

    head: what every checkpoint holds beside the stage's state (format, config, data). Ctrl-C and SIGTERM end the run after the
    iteration they fall into; stopped then names the signal.
    """

    def __init__(self, folder: Path, head: Mapping[str, Any], every_images: int, keep: int) -> None:
        self.folder, self.head, self.every_images, self.keep = folder, dict(head), every_images, keep
        self.stopped: signal.Signals | None = None
        self._saved = -1
        self._before: dict[signal.Signals, Any] = {}

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """From here on a signal waits for the end of the iteration."""
        self._saved = pl_module.images_seen
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: object) -> None:
        if self.stopped is not None:
            raise KeyboardInterrupt
        self.stopped = signal.Signals(number)

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Save where it is due, or where the run was asked to stop."""
        seen: int = pl_module.images_seen
        if self.stopped is not None:
            trainer.should_stop = True
        # A save that is due with the last iteration waits for on_train_end, after the last look: until then the run is unfinished.
        due = seen // self.every_images > self._saved // self.every_images and not trainer.is_last_batch
        if self.stopped is not None or due:
            self.save(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Save the end."""
        self.save(trainer, pl_module)

    def teardown(self, trainer: Trainer, pl_module: Any, stage: str) -> None:
        """Give the signals back, unless Lightning has done so already."""
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._on_signal:
                signal.signal(number, handler)
        self._before.clear()

    def save(self, trainer: Trainer, pl_module: Any) -> None:
        """Write one checkpoint and forget the oldest."""
        seen: int = pl_module.images_seen
        if not trainer.is_global_zero or seen == self._saved:
            return
        # On the CPU, so that a machine without the run's GPU opens it with torch.load's default arguments.
        state = tree_map_only(torch.Tensor, lambda value: value.detach().cpu(), self.head | pl_module.run_state())
        atomic.write(self.folder / f"seen-{seen:09d}.pt", lambda path: torch.save(state, path))
        self._saved = seen
        for old in oldest_first(self.folder)[: -self.keep]:
            old.unlink()


class Resume(Callback):
    """Puts optimisers back once Lightning has made them; weights and count are the stage's already."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = state

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Continue exactly where the checkpoint was written."""
        pl_module.load_run_state(self.state)


class Clock(Callback):
    """Measures the run: seconds in training, images a second, peak memory."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.now, self.seconds, self._begun, self._from = now, 0.0, 0.0, 0
        self.images = 0

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Start the clock."""
        self._begun, self._from = self.now(), pl_module.images_seen

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Stop it."""
        self.seconds, self.images = self.now() - self._begun, pl_module.images_seen - self._from
