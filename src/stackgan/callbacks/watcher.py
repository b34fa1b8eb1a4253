"""What a callback of this room is given: a folder, the data's examples, and the metrics file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from lightning.pytorch import Callback

from stackgan.core.shapes import Examples, Sampler


class Watched(Sampler, Protocol):
    """A stage as callbacks see it."""

    name: str
    images_seen: int


class ExampleData(Protocol):
    """A data module as callbacks see it."""

    provides: frozenset[str]

    @property
    def splits(self) -> frozenset[str]:
        """The splits that have pictures."""
        ...

    def examples(self, split: Any, count: int, seed: int) -> Examples:
        """Fixed pictures of a split."""
        ...


@dataclass(frozen=True)
class View:
    """folder: the run's. data: where examples come from. record(images_seen, values): adds a row to the metrics file.

    results: figures for results.json, by name.
    """

    folder: Path
    data: ExampleData
    record: Callable[[int, Mapping[str, float]], None]
    results: dict[str, float]


class Watcher(Callback):
    """A callback that looks on. requires: what the data set must provide; where it does not, the callback is left out."""

    requires: ClassVar[frozenset[str]] = frozenset()
    view: View

    def attach(self, view: View) -> None:
        """Told once, before training."""
        self.view = view

    def fixed_examples(self, splits: Sequence[str], count: int) -> dict[str, Examples]:
        """The same pictures in every run, of those splits that the data set has."""
        return {split: self.view.data.examples(split, count, 0) for split in splits if split in self.view.data.splits}


class Every:
    """True once in each stretch of so many images seen."""

    def __init__(self, images: int, seen: int) -> None:
        self.images, self.last = images, seen

    def due(self, seen: int) -> bool:
        """Whether a new stretch was entered since the last call."""
        entered = seen // self.images > self.last // self.images
        self.last = seen
        return entered
