"""Files that are either whole or not there."""

import itertools
import json
import math
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


def write(path: Path, fill: Callable[[Path], object]) -> None:
    """Let fill write beside path, sync, and rename over it: a reader sees the old file or the new one, never half.

    The folder is synced too, so that after a power cut the new name is there whenever this returned.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        fill(beside)
        sync(beside)
        beside.replace(path)
        sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def write_folder(parent: Path, stem: str, fill: Callable[[Path], object]) -> Path:
    """Let fill write into a folder beside, then rename it to the first `<stem>-<number>` that is free; nothing is overwritten.

    Returns the folder. Where fill fails nothing is left behind.
    """
    parent.mkdir(parents=True, exist_ok=True)
    beside = parent / f".{stem}.{os.getpid()}.new"  # not .part: those are files, which a resumed run removes
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    try:
        fill(beside)
        for number in itertools.count(1):
            folder = parent / f"{stem}-{number}"
            try:
                if not folder.exists():
                    return beside.rename(folder)
            except OSError:
                if not folder.exists():  # else another process took this number in between
                    raise
        raise AssertionError("numbers do not end")
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, value: Any) -> None:
    """write() for a JSON value."""
    write(path, lambda beside: _dump(beside, value))


def _dump(path: Path, value: Any) -> None:
    path.write_text(json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    """JSON knows no nan or infinity: null stands for both."""
    if isinstance(value, Mapping):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
