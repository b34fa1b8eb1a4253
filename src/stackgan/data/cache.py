"""The training cache: decoded pictures and encoded captions as arrays that are mapped, not read.

In `<cache>/<data>/<image fingerprint>/`, for each region (whole, box) and size: `whole_<size>.npy`, uint8 (N, size, size, 3),
or with data.cache_as=jpeg or webp the files that encoded.py writes; `whole_<size>.alike.npy`, int64 (N,), the first row with
the same pixels; for data sets with boxes `whole.<boxes' fingerprint>.frames.npy`, (N, 4), which part of the picture was cached.
`text/<encoder fingerprint>.npy`, float32 (N, M, T) with zeros beyond a picture's last caption. `features/<region>-<image
encoder's fingerprint>.npy`, float32 (N, 2, F), of each picture as it is and mirrored, where a stage reads features.
`records.json`, what the rows are. Beside an array of which rows were left out, `<array>.skipped.json`. A name exists only once
its content is complete and on disk.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import DTypeLike, NDArray

from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.core.shapes import ImageEncoder
from stackgan.data.progress import notice
from stackgan.text.encoder import TextEncoder

CROP = "whole"
"""In the fingerprint of every cache, whatever the region: what earlier versions wrote stays valid."""

CacheAs = Literal["pixels", "jpeg", "webp"]
"""How pictures are kept: raw, as JPEG of quality 95, or as lossless WebP."""


def unwritable(root: Path, error: OSError) -> UserError:
    """The error for a cache folder that cannot be written. root: `data.cache`."""
    return UserError(f"data.cache={root}: {error.strerror}; set paths.cache to a folder you can write")


@dataclass(frozen=True)
class Cache:
    """The folder of one data set in one state. root: `data.cache`, for messages. region, kept: see Region and CacheAs.

    boxes: their fingerprint: pictures whose boxes have changed are measured anew.
    """

    root: Path
    folder: Path
    region: str = "whole"
    kept: CacheAs = "pixels"
    boxes: str = "none"

    def pictures(self, size: int) -> Path:
        """Where the pictures of this size are."""
        ending = "npy" if self.kept == "pixels" else f"{self.kept}.npy"
        return self.folder / f"{self.region}_{size}.{ending}"

    def alike(self, size: int) -> Path:
        """Where it says which pictures of this size are the same."""
        return self.pictures(size).with_suffix(".alike.npy")

    @property
    def frames(self) -> Path:
        """Where the regions of the pictures are."""
        return self.folder / f"{self.region}.{self.boxes}.frames.npy"

    def text(self, encoder: TextEncoder) -> Path:
        """Where this encoder's embeddings are."""
        return self.folder / "text" / f"{encoder.fingerprint}.npy"

    def features(self, encoder: ImageEncoder) -> Path:
        """Where this image encoder's features are."""
        return self.folder / "features" / f"{self.region}-{encoder.fingerprint}.npy"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process prepares; others wait here and find the work done. What a killed one left is removed."""
        try:
            for room in ("text", "features"):
                (self.folder / room).mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / ".lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                notice(f"data.cache={self.root}: another process prepares {self.folder.parent.name}; waiting for it")
                lock.acquire()
        except OSError as error:
            raise unwritable(self.root, error) from error
        try:
            for part in self.folder.rglob("*.part"):
                part.unlink()
            yield
        finally:
            lock.release()

    def room_for(self, name: str, need: int) -> None:
        """Raise UserError where the disk is too full for so many bytes: a full disk under a mapping kills the process."""
        free = shutil.disk_usage(self.folder).free
        if need > free:
            raise UserError(
                f"data.cache={self.root}: {name} needs {need / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
                "set paths.cache to a folder on a larger disk"
            )

    @contextmanager
    def array(self, path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> Iterator[NDArray[np.generic]]:
        """A mapped array to fill, which gets its name when the block ends without an error and is removed otherwise."""
        self.room_for(path.name, int(np.prod(shape)) * np.dtype(dtype).itemsize)
        part = path.with_name(f"{path.name}.part")
        try:
            mapped = np.lib.format.open_memmap(part, mode="w+", dtype=dtype, shape=shape)
            yield mapped
            mapped.flush()
            atomic.sync(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def skipped(array: Path) -> dict[int, str]:
    """The rows that were left out of an array, and why."""
    beside = array.with_suffix(".skipped.json")
    found: dict[str, str] = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
    return {int(row): what for row, what in found.items()}


def write_skipped(array: Path, rows: Mapping[int, str]) -> None:
    """Keep what skipped() says; before the array itself gets its name."""
    beside = array.with_suffix(".skipped.json")
    if rows:
        atomic.write_json(beside, {str(row): rows[row] for row in sorted(rows)})
    else:
        beside.unlink(missing_ok=True)


def save(path: Path, values: NDArray[Any]) -> None:
    """A small array, whole or not there."""
    atomic.write(path, lambda beside: _save(beside, values))


def _save(path: Path, values: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, values)
