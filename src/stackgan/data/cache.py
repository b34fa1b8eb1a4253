"""The training cache: decoded pictures and encoded captions as arrays that are mapped, not read.

In `<cache>/<data>/<image fingerprint>/`: `whole_<size>.npy`, uint8 (N, size, size, 3); `text/<encoder
fingerprint>.npy`, float32 (N, M, T) with zeros beyond a picture's last caption; `features/<image encoder's fingerprint>.npy`,
float32 (N, 2, F), of each picture as it is and mirrored, where a stage reads features; `records.json`, what the rows are. A
name exists only once its content is complete and on disk.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import DTypeLike, NDArray

from stackgan.core.errors import UserError
from stackgan.core.shapes import ImageEncoder
from stackgan.data.progress import notice
from stackgan.text.encoder import TextEncoder

CROP = "whole"
"""The crop in the arrays' names; data sets with boxes will add theirs."""


def unwritable(root: Path, error: OSError) -> UserError:
    """The error for a cache folder that cannot be written. root: `data.cache`."""
    return UserError(f"data.cache={root}: {error.strerror}; set paths.cache to a folder you can write")


@dataclass(frozen=True)
class Cache:
    """The folder of one data set in one state. root: `data.cache`, for messages."""

    root: Path
    folder: Path

    def pictures(self, size: int) -> Path:
        """Where the pictures of this size are."""
        return self.folder / f"{CROP}_{size}.npy"

    def text(self, encoder: TextEncoder) -> Path:
        """Where this encoder's embeddings are."""
        return self.folder / "text" / f"{encoder.fingerprint}.npy"

    def features(self, encoder: ImageEncoder) -> Path:
        """Where this image encoder's features are."""
        return self.folder / "features" / f"{encoder.fingerprint}.npy"

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

    @contextmanager
    def array(self, path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> Iterator[NDArray[np.generic]]:
        """A mapped array to fill, which gets its name when the block ends without an error and is removed otherwise.

        Raises UserError where the disk is too full: asked before, since a full disk under a mapping kills the process.
        """
        need, free = int(np.prod(shape)) * np.dtype(dtype).itemsize, shutil.disk_usage(self.folder).free
        if need > free:
            raise UserError(
                f"data.cache={self.root}: {path.name} needs {need / 1e9:.1f} GB, {free / 1e9:.1f} GB are free; "
                "set paths.cache to a folder on a larger disk"
            )
        part = path.with_name(f"{path.name}.part")
        try:
            mapped = np.lib.format.open_memmap(part, mode="w+", dtype=dtype, shape=shape)
            yield mapped
            mapped.flush()
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
