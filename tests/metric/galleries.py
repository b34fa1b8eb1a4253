"""A gallery and an observer that tests of several scores share."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from stackgan.core.shapes import Gallery
from stackgan.metric.score import Array, Pixels


def gallery(size: int = 7, name: str = "tiny") -> Gallery:
    """Grey pictures whose grey is their row; picture i has i % 3 + 1 captions, embedded as (row, caption)."""
    captions = tuple(tuple(f"picture {row} caption {k}" for k in range(row % 3 + 1)) for row in range(size))
    return Gallery(
        fingerprint=name,
        split="test",
        picture_N=np.arange(size) + 100,
        captions=captions,
        text=lambda place_N, caption_N: np.stack([place_N, caption_N], 1).astype(np.float32),
        pictures=lambda place_N: np.broadcast_to(place_N.astype(np.uint8)[:, None, None, None], (len(place_N), 4, 4, 3)).copy(),
        extras=lambda place_N: {},
    )


class Grey:
    """Sees the first pixel's red, and counts how many pictures it was shown."""

    name = "grey"
    gives: ClassVar[frozenset[str]] = frozenset({"grey"})
    fingerprint = "grey1"

    def __init__(self) -> None:
        self.shown = 0

    def check(self) -> None:
        """Nothing is needed."""

    def observe(self, pictures_NHWC: Pixels, sentences: Sequence[str]) -> dict[str, Array]:
        """(N, 1) float32."""
        assert len(pictures_NHWC) == len(sentences)
        self.shown += len(sentences)
        return {"grey": pictures_NHWC[:, 0, 0, :1].astype(np.float32)}
