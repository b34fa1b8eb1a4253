"""What a callback of this room is given: a folder, the data's examples, and the metrics file."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from lightning.pytorch import Callback, Trainer
from PIL import Image

from stackgan.callbacks.tracker import Drawings
from stackgan.core import atomic
from stackgan.core.ranges import Positive
from stackgan.core.shapes import Described, Examples, Gallery, Sampler
from stackgan.data.records import Split
from stackgan.metric.judge import Judge
from stackgan.metric.observing import Store


class Watched(Sampler, Protocol):
    """A stage as callbacks see it."""

    name: str
    images_seen: int


class ExampleData(Protocol):
    """A data module as callbacks see it."""

    @property
    def provides(self) -> frozenset[str]:
        """What its pictures have beside captions."""
        ...

    @property
    def splits(self) -> frozenset[str]:
        """The splits that have pictures."""
        ...

    def examples(self, split: Any, count: int, seed: int) -> Examples:
        """Fixed pictures of a split."""
        ...

    def described(self, split: Any) -> Described:
        """All pictures of a split as features, with all their captions."""
        ...

    def gallery(self, split: Any) -> Gallery:
        """All pictures of a split, to be scored."""
        ...


Record = Callable[[int, Mapping[str, float]], None]
"""record(images_seen, values): into metrics.csv and to whoever else keeps track."""

Show = Callable[[int, str, Drawings], None]
"""show(images_seen, name, drawings): to whoever keeps track of pictures."""


@dataclass(frozen=True)
class View:
    """folder: the run's. data: where examples come from. record, show: see Record and Show.

    results: figures for results.json, by name. judge: of the data set, where there is one. store: where what it saw is kept.
    """

    folder: Path
    data: ExampleData
    record: Record
    show: Show
    results: dict[str, Any]
    judge: Judge | None = None
    store: Store | None = None

    def save(self, picture: Image.Image, name: str) -> Path:
        """Write a sheet into the folder; a full disk costs the sheet, not the run."""
        path = self.folder / f"{name}.png"
        try:
            atomic.write(path, lambda beside: picture.save(beside, "PNG"))
        except OSError as error:
            print(f"warning: {path}: cannot be written ({error.strerror}); training goes on", file=sys.stderr, flush=True)
        return path


class Watcher(Callback):
    """A callback that looks on, every so many images and at the end.

    requires: what data set, stage and judge together must provide; where they do not, the callback is left out. everywhere: whether
    all ranks look, and not the first alone; only what the first records is kept.
    """

    requires: ClassVar[frozenset[str]] = frozenset()
    everywhere: ClassVar[bool] = False
    view: View
    key: str
    """Its name in conf/callbacks, under which its state is kept."""

    def __init__(self, every_images: Positive) -> None:
        self.every_images = every_images

    def attach(self, view: View) -> None:
        """Told once, before training."""
        self.view = view

    def begin(self, stage: Any) -> None:
        """Fix what will be looked at."""

    def look(self, stage: Any) -> Mapping[str, Any]:
        """Look, and return what results.json should say if this was the last time."""
        raise NotImplementedError

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Fix what will be looked at."""
        if self._takes_part(trainer):
            self._due = Every(self.every_images, pl_module.images_seen)
            self.begin(pl_module)

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Look where it is due; what is due with the last iteration is the last look."""
        if self._takes_part(trainer) and self._due.due(pl_module.images_seen) and not trainer.is_last_batch:
            self.look(pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """The last look, unless the run was only stopped."""
        if self._takes_part(trainer) and trainer.is_last_batch:
            self.view.results.update(self.look(pl_module))

    def _takes_part(self, trainer: Trainer) -> bool:
        return self.everywhere or trainer.is_global_zero

    def fixed_examples(self, splits: Sequence[str], count: int) -> dict[str, Examples]:
        """The same pictures in every run, of those splits that the data set has."""
        return {split: self.view.data.examples(split, count, 0) for split in splits if split in self.view.data.splits}


class OverExamples(Watcher):
    """A watcher that looks at the same pictures every time.

    count: pictures a split at most. splits: those the data set lacks are left out.
    """

    def __init__(self, every_images: Positive, splits: list[Split], count: Positive) -> None:
        super().__init__(every_images)
        self.splits, self.count = splits, count
        self._examples: dict[str, Examples] = {}

    def begin(self, stage: Any) -> None:
        """Fix the pictures."""
        self._examples = self.fixed_examples(self.splits, self.count)


class Every:
    """True once in each stretch of so many images seen."""

    def __init__(self, images: int, seen: int) -> None:
        self.images, self.last = images, seen

    def due(self, seen: int) -> bool:
        """Whether a new stretch was entered since the last call."""
        entered = seen // self.images > self.last // self.images
        self.last = seen
        return entered
