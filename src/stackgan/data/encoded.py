"""How cached pictures are kept and read back: raw pixels, or each square as JPEG or lossless WebP, one behind the other.

Encoded, `<name>.npy` holds where each square begins, int64 (N + 1,), and `<name>.bin` the squares: a seventh (JPEG) to a half
(WebP) of the raw pixels' size, decoded anew whenever a batch is cut.
"""

import io
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stackgan.core import atomic
from stackgan.data.cache import Cache, CacheAs, save
from stackgan.data.decode import Pixels

SHARE: dict[CacheAs, float] = {"pixels": 1.0, "jpeg": 0.2, "webp": 0.6}
"""How much of the raw size to expect; photographs at 304 pixels stay below it."""

OPTIONS: dict[str, dict[str, Any]] = {
    "jpeg": {"format": "JPEG", "quality": 95, "subsampling": 0},
    "webp": {"format": "WEBP", "lossless": True, "quality": 20, "method": 1, "exact": True},
}


class Sink(ABC):
    """Takes the squares of one size. pack() is called in threads, put() for every row in order."""

    @abstractmethod
    def pack(self, row: int, pixels: Pixels) -> bytes:
        """Whatever of the work can be shared out."""

    @abstractmethod
    def put(self, packed: bytes) -> None:
        """The next row; empty for one that is skipped."""


class RawSink(Sink):
    """Into a mapped array."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array

    def pack(self, row: int, pixels: Pixels) -> bytes:
        """Write the pixels where they belong."""
        self.array[row] = pixels
        return b""

    def put(self, packed: bytes) -> None:
        """Nothing is left to do."""


class EncodedSink(Sink):
    """Into a file, one behind the other."""

    def __init__(self, file: Any, options: dict[str, Any]) -> None:
        self.file, self.options, self.starts = file, options, [0]

    def pack(self, row: int, pixels: Pixels) -> bytes:
        """Encode the square."""
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, **self.options)
        return buffer.getvalue()

    def put(self, packed: bytes) -> None:
        """Append it."""
        self.file.write(packed)
        self.starts.append(self.starts[-1] + len(packed))


@contextmanager
def sink(cache: Cache, count: int, size: int) -> Iterator[Sink]:
    """For count squares of this size; they get their name when the block ends without an error."""
    path = cache.pictures(size)
    if cache.kept == "pixels":
        with cache.array(path, (count, size, size, 3), np.uint8) as array:
            yield RawSink(array)
        return
    cache.room_for(path.name, expected_bytes(cache.kept, count, [size]))
    part = path.with_suffix(".bin.part")
    try:
        with part.open("wb") as file:
            filling = EncodedSink(file, OPTIONS[cache.kept])
            yield filling
        atomic.sync(part)
        part.replace(path.with_suffix(".bin"))
        save(path, np.array(filling.starts, np.int64))
    finally:
        part.unlink(missing_ok=True)


def expected_bytes(kept: CacheAs, count: int, sizes: list[int]) -> int:
    """About how much room so many squares of each of these sizes take."""
    return int(SHARE[kept] * sum(count * size * size * 3 for size in sizes))


class EncodedPictures:
    """Reads like the raw array (N, size, size, 3), one square at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.asarray(np.load(self.path, mmap_mode="r"))

    @cached_property
    def _bytes(self) -> NDArray[np.uint8]:
        return np.asarray(np.memmap(self.path.with_suffix(".bin"), np.uint8, mode="r"))

    @cached_property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, size, size, 3)"""
        some = int(np.argmax(np.diff(self._starts) > 0))
        side = self[some].shape[0]
        return len(self._starts) - 1, side, side, 3

    def __getitem__(self, place: Any) -> Pixels:
        """Of one row, or of (row, rows of pixels, columns of pixels)."""
        row, *rest = place if isinstance(place, tuple) else (place,)
        start, stop = self._starts[row : row + 2]
        with Image.open(io.BytesIO(self._bytes[start:stop].tobytes())) as file:
            square: Pixels = np.asarray(file.convert("RGB"))[tuple(rest)]
        return square


def opened(path: Path) -> Any:
    """Cached pictures as an array (N, size, size, 3) to slice: a plain one over the mapping, or EncodedPictures."""
    if path.with_suffix(".bin").exists():
        return EncodedPictures(path)
    return np.asarray(np.load(path, mmap_mode="r"))
