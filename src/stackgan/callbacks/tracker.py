"""Trackers: where a run can be watched beside its own files. Those files hold everything; a tracker only shows it."""

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stackgan.core import atomic


@dataclass(frozen=True)
class RunCard:
    """What a tracker is told of a run.

    folder: the run's. name: that folder's name. group: the sweep's name, None for a single run. config: resolved settings;
    provenance: where the numbers come from; both plain data. images_seen: where the run begins (0) or resumes.
    """

    folder: Path
    name: str
    stage: str
    data: str
    group: str | None
    tags: tuple[str, ...]
    config: Mapping[str, Any]
    provenance: Mapping[str, Any]
    images_seen: int
    batch_size: int

    def iteration(self, images_seen: int) -> int:
        """The step of a tracker that counts steps: the same for the same images seen, in a resumed run too."""
        return images_seen // self.batch_size


@dataclass(frozen=True)
class Drawings:
    """Pictures of one look, a row a sentence.

    drawn_NHWC: uint8. keys: of the noise that each was drawn from. beside: by name, more uint8 pictures (N, H, W, 3) of these
    sentences, of any size: the data set's own, and what a Stage-II stands on.
    """

    drawn_NHWC: "np.ndarray[Any, Any]"
    sentences: tuple[str, ...]
    keys: tuple[int, ...]
    beside: Mapping[str, "np.ndarray[Any, Any]"] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Of all pictures."""
        return int(self.drawn_NHWC.nbytes + sum(pictures.nbytes for pictures in self.beside.values()))


class Tracker(ABC):
    """Shows one run. Its methods may raise and may hang: training calls them through guard() only, and on rank 0 only.

    finish_seconds: how long the end of a run may wait for this tracker.
    """

    finish_seconds: float = 8.0

    @property
    def way_out(self) -> str:
        """What a user can do where this tracker fails, for the line that says so."""
        return "the run's folder holds the same figures and sheets"

    def check(self) -> None:
        """Called before training. Raises UserError where the settings cannot work on this machine."""
        return

    @abstractmethod
    def begin(self, card: RunCard) -> None:
        """Once, before anything else."""

    @abstractmethod
    def record(self, images_seen: int, values: Mapping[str, float]) -> None:
        """A row of figures. images_seen never falls within a run."""

    @abstractmethod
    def pictures(self, images_seen: int, name: str, drawings: Drawings) -> None:
        """A look. name: of what is looked at, the same over the run."""

    @abstractmethod
    def finish(self, results: Mapping[str, Any], done: bool) -> None:
        """Once, at the end. results: those of results.json. done: the budget is spent; else the run can be resumed."""

    def abandon(self) -> None:
        """finish() did not come back: let go of all that would keep the program from ending."""
        return


def kept_id(path: Path) -> str:
    """A run's id at its tracker: the one in this file, which is made where there is none."""
    if not path.exists():
        made = secrets.token_hex(6)
        atomic.write(path, lambda beside: _write_text(beside, made + "\n"))
    return path.read_text().strip()


def _write_text(path: Path, text: str) -> None:
    path.write_text(text)


def flat(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str | float | None]]:
    """`stage.recipe.beta1`, 0.5 for every leaf of settings, for trackers that know no settings inside settings; a list as JSON."""
    for key, value in node.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value if isinstance(value, str | int | float | None) else json.dumps(value, default=str)
