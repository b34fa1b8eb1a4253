"""Checkpoint files: plain data that `torch.load` opens with its default arguments, written beside and renamed."""

import re
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.utils._pytree import tree_map_only

from stackgan.core import atomic
from stackgan.core.errors import UserError

FORMAT = 2
_NAME = re.compile(r"seen-(\d+)\.pt")


def oldest_first(folder: Path) -> list[Path]:
    """The checkpoints a run can go on from, by images seen."""
    found = [(int(match[1]), path) for path in folder.glob("seen-*.pt") if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found)]


def newest(folder: Path) -> Path | None:
    """The checkpoint with the most images seen, None where there is none."""
    return next(reversed(oldest_first(folder)), None)


def best(folder: Path) -> Path | None:
    """The checkpoint with the best score, None where no score is kept."""
    return next(iter(folder.glob("best-*.pt")), None)


def newest_whole(folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """The newest checkpoint that can be read, with its content; None where there is no checkpoint at all.

    Damaged ones are named on stderr and passed over. Raises UserError where all are damaged.
    """
    complaint = None
    for path in reversed(oldest_first(folder)):
        try:
            return path, load(path)
        except UserError as error:
            complaint = error
            print(f"warning: {error}", file=sys.stderr, flush=True)
    if complaint is not None:
        raise complaint
    return None


def load(path: Path, way: str = "delete it to go on from the one before") -> dict[str, Any]:
    """Read a checkpoint without running any code in it. Raises UserError with this way out where it is damaged or not ours."""
    try:
        # torch.load reads flipped bits without a word; the archive's checksums notice them.
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise ValueError(f"damaged at {damaged}")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise UserError(f"checkpoint {path}: cannot be read ({type(error).__name__}); {way}") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise UserError(f"checkpoint {path}: not a checkpoint of this version (format {FORMAT})")
    return state


def on_cpu(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state with its tensors on the CPU: a machine without the run's GPU then opens it with torch.load's default arguments."""
    moved: dict[str, Any] = tree_map_only(torch.Tensor, lambda value: value.detach().cpu(), dict(state))
    return moved


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint whole or not at all. Raises OSError, or RuntimeError (PyTorch's word for a full disk)."""
    atomic.write(path, lambda beside: torch.save(dict(state), beside))


def set_aside(folder: Path, after: Path) -> None:
    """Take those past a checkpoint out of the count, under the name *.damaged: they could not be read."""
    newer = oldest_first(folder)
    for path in newer[newer.index(after) + 1 :]:
        path.rename(path.with_suffix(".damaged"))
