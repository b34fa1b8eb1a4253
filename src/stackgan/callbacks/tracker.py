"""Trackers: where a run can be watched beside its own files. Those files hold everything; a tracker only shows it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


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
    def pictures(self, images_seen: int, name: str, pictures_NHWC: "np.ndarray[Any, Any]", captions: Sequence[str]) -> None:
        """Pictures (N, H, W, 3) uint8 with a sentence each."""

    @abstractmethod
    def finish(self, results: Mapping[str, Any], done: bool) -> None:
        """Once, at the end. results: those of results.json. done: the budget is spent; else the run can be resumed."""

    def abandon(self) -> None:
        """finish() did not come back: let go of all that would keep the program from ending."""
        return
