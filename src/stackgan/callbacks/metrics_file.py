"""metrics.csv: one row every so many iterations, cut back to the checkpoint when a run resumes."""

import contextlib
import csv
import io
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor

from stackgan.callbacks.speed import DataWait, peak_memory
from stackgan.callbacks.watcher import Record
from stackgan.core import atomic
from stackgan.core.ranges import Positive


class MetricsFile:
    """A CSV file whose first column is images_seen; a new name of a value adds a column.

    Rows that cannot be written (a full disk) wait for the next one: a log is no reason to end a run.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: list[str] = ["images_seen"]
        self._waiting: list[dict[str, Any]] = []
        self._failed = False

    def cut(self, images_seen: int) -> None:
        """Drop every row past images_seen."""
        if self.path.exists():
            rows = [row for row in self._read() if int(row["images_seen"]) <= images_seen]
            self._rewrite(rows)

    def record(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Add a row."""
        self._waiting.append({"images_seen": images_seen, **values})
        try:
            self._write_waiting()
        except OSError as error:
            if not self._failed:
                line = f"{self.path}: cannot be written ({error.strerror}); training goes on, and tries again with the next row"
                print(f"warning: {line}", file=sys.stderr, flush=True)
            self._failed = True

    def _write_waiting(self) -> None:
        new = [name for name in dict.fromkeys(name for row in self._waiting for name in row) if name not in self.columns]
        if new or not self.path.exists():
            rows = self._read() if self.path.exists() else []
            self.columns += new
            self._rewrite(rows)
        text = io.StringIO(newline="")
        csv.DictWriter(text, self.columns, restval="").writerows(self._waiting)
        self._append(text.getvalue().encode())
        self._waiting, self._failed = [], False

    def _append(self, content: bytes) -> None:
        """All of it or nothing: half a row would join the next one."""
        with self.path.open("r+b", buffering=0) as file:
            end = file.seek(0, io.SEEK_END)
            try:
                while content:
                    content = content[file.write(content) :]
            except OSError:
                file.truncate(end)
                raise

    def secure(self) -> None:
        """Wait until what was recorded is on the disk."""
        if self.path.exists():
            with contextlib.suppress(OSError):
                atomic.sync(self.path)

    def _read(self) -> list[dict[str, str]]:
        # A kill in the middle of writing leaves a last line without its end.
        whole = self.path.read_bytes().rpartition(b"\n")[0].decode()
        reader = csv.DictReader(io.StringIO(whole))
        self.columns = list(reader.fieldnames or self.columns)
        return [row for row in reader if None not in row and None not in row.values()]

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        def fill(path: Path) -> None:
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, self.columns, restval="")
                writer.writeheader()
                writer.writerows(rows)

        atomic.write(self.path, fill)


class MetricsWriter(Callback):
    """Records each loss term's mean over the last `every` iterations and all ranks, the learning rates, and how fast it went."""

    def __init__(self, record: Record, every: Positive, wait: DataWait) -> None:
        self.record, self.every, self.wait = record, every, wait
        self._terms: dict[str, list[Tensor]] = {}
        self._since = (0.0, 0, 0.0)
        self._trainer: Trainer | None = None

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Start the clock."""
        self._trainer, self._since = trainer, (time.perf_counter(), pl_module.images_seen, self.wait.seconds)

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Keep the terms on their device; only every so many iterations are they read."""
        for name, term in pl_module.terms.items():
            self._terms.setdefault(name, []).append(term)
        if pl_module.iteration % self.every == 0:
            self._write(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """The last, shorter stretch; a run that was only stopped keeps it in its checkpoint."""
        if self._terms and trainer.is_last_batch:
            self._write(trainer, pl_module)

    def state_dict(self) -> dict[str, Any]:
        """The terms since the last row, so that a resumed run writes the same row. All ranks must call it."""
        return {"terms": self._mean_over_ranks()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from state_dict()."""
        self._terms = {name: list(terms.unbind()) for name, terms in state_dict["terms"].items()}

    def _mean_over_ranks(self) -> dict[str, Tensor]:
        """(n,) float32 a name: the term in each of the iterations since the last row that had it."""
        if not self._terms or self._trainer is None:
            return {}
        # Those out of a checkpoint lie on the CPU.
        found = {name: torch.stack([term.float().to(terms[-1].device) for term in terms]) for name, terms in self._terms.items()}
        if self._trainer.world_size > 1:
            joined = self._trainer.strategy.reduce(torch.cat(list(found.values())), reduce_op="mean")
            found = dict(zip(found, joined.split([len(terms) for terms in found.values()]), strict=True))
        return found

    def _write(self, trainer: Trainer, stage: Any) -> None:
        seen: int = stage.images_seen
        values = {name: round(float(terms.mean()), 6) for name, terms in self._mean_over_ranks().items()}
        now, (then, before, waited) = time.perf_counter(), self._since
        for name, optimizer in zip(("generator_lr", "discriminator_lr"), trainer.optimizers, strict=False):
            values[name] = float(optimizer.param_groups[0]["lr"])
        seconds = max(now - then, 1e-9)
        values |= {"images_per_second": round((seen - before) / seconds, 1)}
        values |= {"data_wait": round((self.wait.seconds - waited) / seconds, 4), **peak_memory()}
        if trainer.is_global_zero:
            self.record(seen, values)
        self._since, self._terms = (now, seen, self.wait.seconds), {}
