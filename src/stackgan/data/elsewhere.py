"""Pictures that another system drew, to be scored: a folder of them, and what each was drawn for."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stackgan.core.errors import UserError
from stackgan.data.decode import BROKEN, load_rgb
from stackgan.data.folder_rows import ENDINGS, rows_in
from stackgan.data.records import Problem, inside, read_captions

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Drawings:
    """A folder's pictures in the order of their names.

    size: pixels a side, of all of them. sentences: "" where nothing says what a picture was drawn for. content: sha256 of all.
    """

    files: tuple[Path, ...]
    sentences: tuple[str, ...]
    size: int
    content: str

    def show(self, rows: NDArray[np.int64]) -> Pixels:
        """uint8 (N, size, size, 3)."""
        return np.stack([np.asarray(load_rgb(self.files[row])) for row in rows])


def drawings(folder: Path, captions: Path | None, advance: Callable[[int], None] = lambda _: None) -> Drawings:
    """All pictures below a folder, each read once to see that it can be. captions: see conf/evaluate.yaml.

    advance: told of pictures read. Raises UserError for broken files, for pictures that are not square and of one size, and for
    captions that cannot be read or name a picture that is not there.
    """
    if not folder.is_dir():
        raise UserError(f"images={folder}: no such folder")
    files = tuple(sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()))
    if not files:
        raise UserError(f"images={folder}: no pictures in it ({', '.join(sorted(ENDINGS))})")
    sentences = _sentences(folder, files, captions)
    digest, sizes = hashlib.sha256(), dict[tuple[int, int], Path]()
    broken: list[Path] = []
    for path in files:
        try:
            sizes.setdefault(load_rgb(path).size, path)
            digest.update(str(path.relative_to(folder)).encode() + hashlib.sha256(path.read_bytes()).digest())
        except BROKEN:
            broken.append(path)
        advance(1)
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        raise UserError(f"images={folder}: {broken[0].name}{more} cannot be read; draw them again, or remove them")
    return Drawings(files, sentences, _one_size(folder, sizes), digest.hexdigest()[:16])


def _one_size(folder: Path, sizes: Mapping[tuple[int, int], Path]) -> int:
    (first, path), *others = sizes.items()
    if others:
        (other, beside), *_ = others
        one, two = f"{path.name} is {first[0]} x {first[1]}", f"{beside.name} is {other[0]} x {other[1]}"
        raise UserError(f"images={folder}: mixed sizes ({one}, {two} pixels); scores compare pictures of one size, so bring one")
    if first[0] != first[1]:
        raise UserError(f"images={folder}: pictures are {first[0]} x {first[1]} pixels; scores want square ones")
    return first[0]


def _sentences(folder: Path, files: tuple[Path, ...], captions: Path | None) -> tuple[str, ...]:
    problems: list[Problem] = []
    if captions is None:
        beside = [path.with_suffix(".txt") for path in files]
        found = [read_captions(path, problems) if path.is_file() else ("",) for path in beside]
        said = {path: lines[0] for path, lines in zip(files, found, strict=True) if lines}
    else:
        if not captions.is_file():
            raise UserError(f"captions={captions}: no such file")
        rows = rows_in(captions, problems)
        named, there = [(row, inside(folder, row.image)) for row in rows], set(files)
        if lost := [row.image for row, path in named if path not in there]:
            raise UserError(f"captions={captions}: {lost[0]} is not a picture in images={folder}")
        said = {path: row.captions[0] for row, path in named if path is not None and row.captions}
    if problems:
        raise UserError(f"captions={captions or folder}: {problems[0].what} ({len(problems):,} problems)")
    return tuple(said.get(path, "") for path in files)
