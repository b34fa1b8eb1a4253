"""metrics.csv: one row every so many iterations, cut back to the checkpoint when a run resumes."""

import csv
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from stackgan.core import atomic
from stackgan.core.ranges import Positive


class MetricsFile:
    """A CSV file whose first column is images_seen; a new name of a value adds a column."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = ["images_seen"]

    def cut(self, images_seen: int) -> None:
        """Drop every row past images_seen."""
        if self.path.exists():
            rows = [row for row in self._read() if int(row["images_seen"]) <= images_seen]
            self._rewrite(rows)

    def record(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Add a row."""
        new = [name for name in values if name not in self.columns]
        if new or not self.path.exists():
            rows = self._read() if self.path.exists() else []
            self.columns += new
            self._rewrite(rows)
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns, restval="").writerow({"images_seen": images_seen, **values})

    def _read(self) -> list[dict[str, str]]:
        with self.path.open(newline="") as file:
            reader = csv.DictReader(file)
            self.columns = list(reader.fieldnames or self.columns)
            return list(reader)

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        def fill(path: Path) -> None:
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, self.columns, restval="")
                writer.writeheader()
                writer.writerows(rows)

        atomic.write(self.path, fill)


class MetricsWriter(Callback):
    """Writes each loss term's mean over the last `every` iterations, the learning rates, and images a second."""

    def __init__(self, file: MetricsFile, every: Positive) -> None:
        self.file, self.every = file, every
        self._terms: list[dict[str, Tensor]] = []
        self._since = (0.0, 0)

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Forget what lies past the checkpoint."""
        seen: int = pl_module.images_seen
        self.file.cut(seen)
        self._since = (time.perf_counter(), seen)

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Keep the terms on their device; only every so many iterations are they read."""
        self._terms.append(dict(pl_module.terms))
        if pl_module.iteration % self.every == 0:
            self._write(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """The last, shorter stretch."""
        if self._terms:
            self._write(trainer, pl_module)

    def _write(self, trainer: Trainer, stage: Any) -> None:
        seen: int = stage.images_seen
        now, (then, before) = time.perf_counter(), self._since
        values = _means(self._terms)
        for name, optimizer in zip(("generator_lr", "discriminator_lr"), trainer.optimizers, strict=False):
            values[name] = float(optimizer.param_groups[0]["lr"])
        values["images_per_second"] = round((seen - before) / max(now - then, 1e-9), 1)
        if trainer.is_global_zero:
            self.file.record(seen, values)
        self._since, self._terms = (now, seen), []


def _means(terms: list[dict[str, Tensor]]) -> dict[str, float]:
    """Means of terms that need not occur in every iteration (lazy penalties)."""
    names = {name: None for row in terms for name in row}
    found = {name: torch.stack([row[name].float() for row in terms if name in row]).mean() for name in names}
    return {name: round(float(value), 6) for name, value in found.items()}
