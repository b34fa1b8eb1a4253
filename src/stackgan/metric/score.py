"""What scores are made of: what observers saw of pictures, and the figures that come out of it. Pure; no network runs here."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[Any]
Pixels = NDArray[np.uint8]


class Observer(Protocol):
    """Looks at pictures once, and keeps numbers of them: a judge's features, a program's readings.

    name: the last part of its scores' keys. gives: names of the arrays. fingerprint: of everything that changes them.
    """

    name: str
    gives: frozenset[str]

    @property
    def fingerprint(self) -> str:
        """A short name for everything that changes what is seen."""
        ...

    def check(self) -> None:
        """Raise UserError where observe() could not work; cheap."""
        ...

    def observe(self, pictures_NHWC: Pixels, sentences: Sequence[str]) -> dict[str, Array]:
        """uint8 pictures (N, H, W, 3) of any size, and the sentences they were drawn for, to one array (N, ...) a name."""
        ...


@dataclass(frozen=True)
class Seen:
    """What observers saw of N pictures.

    arrays: by name, each (N, ...). sentences: what each was drawn for, or its caption. picture_N: the data set's picture that the
    sentence belongs to; sentences of one picture are not independent, so intervals keep them together.
    """

    arrays: Mapping[str, Array]
    sentences: tuple[str, ...]
    picture_N: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sentences)

    def rows(self, rows: NDArray[np.int64]) -> "Seen":
        """Some of the pictures, in this order."""
        arrays = {name: array[rows] for name, array in self.arrays.items()}
        return Seen(arrays, tuple(self.sentences[row] for row in rows), self.picture_N[rows])


@dataclass(frozen=True)
class Figure:
    """One number with what it takes to read it.

    spread: a deviation over splits or subsets, which is no interval. interval: 95 %, low and high. n: pictures it is of.
    protocol: what else changes the value (splits, subsets, pictures compared with). reversed: whether it is better the other way
    round than its score (an error rate beside an accuracy).
    """

    value: float
    n: int
    spread: float | None = None
    interval: tuple[float, float] | None = None
    protocol: Mapping[str, Any] = field(default_factory=dict)
    reversed: bool = False


Show = Callable[[NDArray[np.int64]], Pixels]
"""Pictures by their row, drawn again."""


class Score(ABC):
    """From what was seen to figures; its settings are its constructor's.

    name: as in `metric=`, and the first part of its figures' keys. needs: arrays of the drawn pictures and of the references.
    references: real pictures it compares with: "real" (of the scored split), "train". conditional: whether it reads the sentences,
    so that shuffled captions are a floor.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[str]]
    references: ClassVar[tuple[str, ...]] = ()
    conditional: ClassVar[bool] = False
    higher_is_better: ClassVar[bool]

    def enough(self, drawn: int, real: int, width: int) -> None:  # noqa: B027
        """Raise UserError where so few pictures have no such score. Asked before anything is drawn, and by compute().

        width: of the features.
        """

    @abstractmethod
    def compute(self, drawn: Seen, references: Mapping[str, Seen]) -> dict[str, Figure]:
        """Figures by name; "" is the score itself, others stand below it (`precision_recall/precision`).

        Raises UserError where these pictures have no such score (too few, all equal).
        """

    def sheets(self, drawn: Seen, references: Mapping[str, Seen], show: Mapping[str, Show]) -> dict[str, Image.Image]:
        """Pictures to look at, by name; show: "drawn" and each reference. Most scores have none."""
        return {}
