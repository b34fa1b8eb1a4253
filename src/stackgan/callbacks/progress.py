"""The progress bar: images seen, images a second, time left. Plain lines where the output is not a terminal."""

import sys
import time
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ProgressBar
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from stackgan.core.ranges import Positive

LINE_SECONDS = 30.0


class ImagesBar(ProgressBar):
    """Counts images, not batches.

    total: the budget in images. every: iterations between two refreshes, each of which waits for the device.
    """

    def __init__(self, total: int, every: Positive) -> None:
        super().__init__()
        self.total, self.every = total, every
        self._bar: Progress | None = None
        self._begun = (0.0, 0)
        self._line = 0.0

    def disable(self) -> None:
        """Lightning silences other ranks with this."""
        self._enabled = False

    def enable(self) -> None:
        """The opposite."""
        self._enabled = True

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Show the bar, already filled as far as a resumed run has come."""
        seen: int = pl_module.images_seen
        self._begun, self._line = (time.perf_counter(), seen), time.perf_counter()
        if not trainer.is_global_zero or not sys.stderr.isatty():
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f} images  {task.fields[speed]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("{task.fields[terms]}"),
        )
        self._bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=120)
        self._bar.add_task(str(pl_module.name), total=self.total, completed=seen, speed="", terms="")
        self._bar.start()

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Refresh now and then."""
        if pl_module.iteration % self.every == 0 and trainer.is_global_zero:
            self._refresh(pl_module)

    def _refresh(self, stage: Any) -> None:
        now = time.perf_counter()
        if self._bar is None and now - self._line < LINE_SECONDS:
            return
        speed = (stage.images_seen - self._begun[1]) / max(now - self._begun[0], 1e-9)
        sums: dict[str, float] = {}
        for name, term in stage.terms.items():
            player = name.split("/")[0][0].upper()
            sums[player] = sums.get(player, 0.0) + float(term)
        terms = "  ".join(f"{player} {value:.2f}" for player, value in sums.items())
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=stage.images_seen, speed=f"{speed:,.0f}/s", terms=terms)
        else:
            self._line = now
            left = (self.total - stage.images_seen) / max(speed, 1e-9)
            line = f"{stage.name}: {stage.images_seen:,}/{self.total:,} images, {speed:,.0f}/s, {left / 60:.1f} min left, {terms}"
            print(line, file=sys.stderr, flush=True)

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Take the bar down."""
        self._stop()

    def on_exception(self, trainer: Trainer, pl_module: Any, exception: BaseException) -> None:
        """Take the bar down, so that the error can be read."""
        self._stop()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
