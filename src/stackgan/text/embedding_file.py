"""A file of embeddings: an .npz with `keys` (N,) strings and `embeddings` (N, M, T) floats, read and written row by row."""

import hashlib
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from stackgan.core import atomic
from stackgan.core.errors import UserError

BROKEN = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
WAY_OUT = "bring an .npz with keys (N,) of strings and embeddings (N, M, T) of floats, M captions of T numbers a picture"


class EmbeddingFile:
    """An existing file. Nothing in it is unpickled, and no more than a picture's embeddings are in memory at a time.

    Everything raises UserError where the file is not what it should be.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """(N, M, T)"""
        return self._header[0]

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Of the pictures, in the order of the rows."""
        try:
            with np.load(self.path, allow_pickle=False) as file:
                keys = file["keys"]
        except BROKEN as error:
            raise self._unusable(error) from error
        found = tuple(map(str, keys.tolist())) if keys.ndim == 1 and keys.dtype.kind == "U" else ()
        if len(found) != self.shape[0] or len(set(found)) != len(found):
            raise self._unusable(f"keys must be {self.shape[0]:,} different strings, one for each row of embeddings")
        return found

    def rows(self) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Each picture's key and embeddings (M, T)."""
        shape, kind = self._header
        size = shape[1] * shape[2] * kind.itemsize
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open("embeddings.npy") as member:
                _header_of(member)
                for key in self.keys:
                    content = member.read(size)
                    if len(content) != size:
                        raise EOFError("it is cut short")
                    yield key, np.frombuffer(content, kind).reshape(shape[1:]).astype(np.float32)
        except BROKEN as error:
            raise self._unusable(error) from error

    def digest(self) -> str:
        """Of the content, however it is packed."""
        total = hashlib.sha256("\n".join(self.keys).encode())
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open("embeddings.npy") as member:
                while block := member.read(1 << 20):
                    total.update(block)
        except BROKEN as error:
            raise self._unusable(error) from error
        return total.hexdigest()

    @cached_property
    def _header(self) -> tuple[tuple[int, int, int], np.dtype[Any]]:
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open("embeddings.npy") as member:
                shape, fortran, kind = _header_of(member)
        except BROKEN as error:
            raise self._unusable(error) from error
        if len(shape) != 3 or not all(shape) or kind.kind != "f" or fortran:
            raise self._unusable(f"embeddings are {kind} {shape}")
        return (shape[0], shape[1], shape[2]), kind

    def _unusable(self, what: object) -> UserError:
        return UserError(f"text.file={self.path}: no file of embeddings ({what}); {WAY_OUT}")


def _header_of(member: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(member)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, kind = read(member)
    return shape, fortran, kind


def write_embeddings(path: Path, keys: Sequence[str], most: int, dim: int, rows: Iterable[NDArray[Any]]) -> None:
    """Write such a file, whole or not at all; rows: up to (most, dim) for each key, the rest is zero."""

    def fill(beside: Path) -> None:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
            with archive.open("keys.npy", "w") as member:
                npy.write_array(member, np.array(keys, dtype=np.str_), allow_pickle=False)
            with archive.open("embeddings.npy", "w", force_zip64=True) as member:
                header = {"descr": "<f4", "fortran_order": False, "shape": (len(keys), most, dim)}
                npy.write_array_header_1_0(member, header)
                for row in rows:
                    block = np.zeros((most, dim), "<f4")
                    block[: len(row)] = row
                    member.write(block.tobytes())

    atomic.write(path, fill)
