"""What every text encoder promises."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Embeddings = NDArray[np.float32]
"""(N, dim) float32."""

Progress = Callable[[int], object]
"""Called with the number of items done since the last call."""


class Captioned(Protocol):
    """A data set as an encoder may ask it."""

    name: str

    def embeddings(self) -> Path | None:
        """The file of the data set's own embeddings, where it has one."""
        ...

    def captions(self) -> Mapping[str, Sequence[str]]:
        """The sentences of each picture, by its key."""
        ...


class TextEncoder(ABC):
    """Turns sentences into vectors of one width; a pure function of the sentence and of what fingerprint names.

    name: as in `text=`. dim: width of a vector. Entries have a mean square of about 1, so that networks meet one scale
    whichever encoder is chosen. gives: "embedding", or "characters" where the numbers are none yet.
    reads_new: whether it reads sentences that no data set brought.
    """

    gives: str = "embedding"
    reads_new: bool = True
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

    def attach(self, data: Captioned) -> None:
        """Told once which data set's sentences will be asked for; most encoders need not know."""
        return

    def encode_records(
        self, keys: Sequence[str], captions: Sequence[Sequence[str]], out_NMT: NDArray[Any], progress: Progress | None = None
    ) -> dict[int, str]:
        """Write the embeddings of each picture's captions into out_NMT, (N, M, dim), which is zero before.

        keys: of the N pictures. progress: told of different sentences. Returns the rows for which there are none, and why.
        """
        sentences = sorted({caption for several in captions for caption in several})
        embeddings = self.encode(sentences, progress)
        place = {sentence: i for i, sentence in enumerate(sentences)}
        for row, several in enumerate(captions):
            out_NMT[row, : len(several)] = embeddings[[place[caption] for caption in several]]
        return {}

    @abstractmethod
    def encode(self, sentences: Sequence[str], progress: Progress | None = None) -> Embeddings:
        """(N, dim) float32 embeddings of N sentences, in their order."""
