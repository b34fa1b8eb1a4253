"""What every text encoder promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]
"""(N, dim) float32."""

Progress = Callable[[int], object]
"""Called with the number of items done since the last call."""


class TextEncoder(ABC):
    """Turns sentences into vectors of one width; a pure function of the sentence and of what fingerprint names.

    name: as in `text=`. dim: width of a vector. Entries have a mean square of about 1, so that networks meet one scale
    whichever encoder is chosen. gives: "embedding", or "characters" where the numbers are none yet.
    """

    gives: str = "embedding"
    name: str
    dim: int

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A short name for everything that changes the embeddings: encoder, parameters, weights."""

    def check(self) -> None:
        """Raise UserError where encode() could not work (a missing package, changed weights); cheap, loads nothing."""
        return

    def carried(self) -> Mapping[str, Any] | None:
        """Plain data that checkpoints take along to build this encoder again; None where settings alone do."""
        return None

    @abstractmethod
    def encode(self, sentences: Sequence[str], progress: Progress | None = None) -> Embeddings:
        """(N, dim) float32 embeddings of N sentences, in their order."""
