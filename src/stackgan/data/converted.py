"""Published forms that are no folder of pictures are turned into one, once, below the cache; folder.py reads that."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock
from PIL import Image

from stackgan.core import atomic
from stackgan.core.fingerprint import fingerprint
from stackgan.data.cache import unwritable
from stackgan.data.decode import Pixels

VERSION = 1
"""Raise it when the same source would be converted otherwise."""


def state_of(files: Sequence[Path], settings: Any) -> str:
    """A name for what would be converted: which files, as far as sizes and dates say, and how."""
    stats = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    return fingerprint({"version": VERSION, "files": stats, "settings": settings}, digits=12)


@contextmanager
def once(cache_root: Path, folder: Path) -> Iterator[Path | None]:
    """Yields a scratch folder that becomes `folder` when the block ends well, or None where it is there already.

    Another process that wants the same waits here.
    """
    scratch = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if folder.exists():
                yield None
                return
            for left in folder.parent.glob(f".{folder.name}.*"):
                shutil.rmtree(left, ignore_errors=True)
            scratch.mkdir()
            yield scratch
            os.sync()  # one call for all files: waiting for each of a hundred thousand takes minutes
            scratch.rename(folder)
            atomic.sync(folder.parent)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EROFS, errno.ENOSPC, errno.ENOTDIR, errno.EEXIST):
            raise
        raise unwritable(cache_root, error) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@dataclass
class FolderWriter:
    """Writes pictures and rows as folder.py reads them. Rows are held in memory, pictures are not."""

    folder: Path

    def __post_init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, key: str, content: bytes | Pixels | None, ending: str = "", **row: Any) -> None:
        """A picture as the bytes of its file, or as pixels, which become a PNG; None where there is none. row: its columns."""
        name = f"images/{_file_name(key)}{ending if isinstance(content, bytes | None) else '.png'}"
        if content is not None:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                Image.fromarray(content).save(path, format="PNG", compress_level=1)
        self.rows.append({"key": key, "image": name} | {column: value for column, value in row.items() if value is not None})

    def finish(self, about: dict[str, Any], order: Callable[[dict[str, Any]], Any] | None = None) -> None:
        """Write the list, last of all."""
        rows = sorted(self.rows, key=order) if order is not None else self.rows
        with (self.folder / "captions.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        atomic.write_json(self.folder / "about.json", about)


def _file_name(key: str) -> str:
    """The key, as far as it is good for a file's name below a folder; else its hash."""
    parts = key.split("/")
    good = all(part.strip(" .") == part != "" and part.isprintable() and not set(part) & set('\\:*?"<>|') for part in parts)
    return key if good and len(key) < 150 else hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
