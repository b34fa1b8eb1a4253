"""Writes the data set to disk in CUB's own layout, so that it travels through the same code as CUB."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stackgan.toybirds.pictures import Picture, draw, plan, read_records
from stackgan.toybirds.render import PARTS
from stackgan.toybirds.species import SPECIES, TEST_SPECIES

VERSION = 1
"""goes up with any change to a drawn pixel or a written word"""

Progress = Callable[[int, int], None]


def fingerprint(train: int = 6000, test: int = 1500, seed: int = 0) -> str:
    """12 hexadecimal digits that name the data set write(train, test, seed) makes."""
    return hashlib.sha256(f"toybirds {VERSION} {train} {test} {seed}".encode()).hexdigest()[:12]


def write(
    root: Path, train: int = 6000, test: int = 1500, seed: int = 0, workers: int = 2, progress: Progress | None = None
) -> None:
    """Draw the data set into root, which appears whole or not at all.

    train: pictures of the 30 train species to learn from. test: pictures in CUB's test split; half of them (rounded
    down) are new pictures of the train species, the others show the 10 test species. workers: processes; the files do
    not depend on it. progress: called with (pictures drawn, pictures in all).
    Raises FileExistsError when root exists, ValueError for counts that make no sense, RuntimeError when a worker fails.
    """
    pictures = plan(train, test)
    root = Path(root)
    if seed < 0 or workers < 1:
        raise ValueError(f"seed={seed}, workers={workers}: toybirds needs a seed of at least 0 and at least one worker")
    if root.exists():
        raise FileExistsError(f"{root} exists: remove it, or name another folder for toybirds")
    with _beside(root) as scratch:
        report = progress or (lambda done, total: None)
        if workers == 1:
            for done in draw(scratch, train, test, seed, 0, 1):
                report(done, len(pictures))
        else:
            _draw_apart(scratch, (train, test, seed), workers, lambda done: report(min(done, len(pictures)), len(pictures)))
        _write_tables(scratch, pictures)
        report(len(pictures), len(pictures))


@contextmanager
def _beside(root: Path) -> Iterator[Path]:
    """A scratch folder on root's own disk that becomes root when the block ends well, and vanishes when it does not."""
    scratch = root.parent / f".{root.name}.{os.getpid()}.drawing"
    # A process that was killed while drawing may have had the same number.
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        yield scratch
        scratch.rename(root)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _draw_apart(scratch: Path, order: tuple[int, int, int], workers: int, report: Callable[[int], None]) -> None:
    """One Python process a worker.

    Fresh interpreters, not multiprocessing: that would run the caller's script (and import torch) again, or fork its
    threads.
    """
    source = str(Path(__file__).parents[2])
    paths = os.pathsep.join(path for path in (source, os.environ.get("PYTHONPATH")) if path)
    command = [sys.executable, "-m", "stackgan.toybirds", str(scratch), *map(str, order)]
    # The arithmetic is too small to share: threads of a numeric library would only get in the other worker's way.
    environment = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    team = [
        subprocess.Popen([*command, str(worker), str(workers)], stdout=subprocess.PIPE, text=True, env=environment)
        for worker in range(workers)
    ]
    try:
        for worker, process in enumerate(team):
            for line in process.stdout or ():
                # The others are as far as the first: they all draw every workers-th picture.
                if worker == 0:
                    report(int(line) * workers)
            if process.wait() != 0:
                raise RuntimeError(
                    f"toybirds: drawing process {worker} ended with status {process.returncode}; its message is above"
                )
    finally:
        for process in team:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def _write_lines(path: Path, lines: Iterator[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _write_tables(root: Path, pictures: list[Picture]) -> None:
    """Everything but pictures and captions, from the records the workers left."""
    cub = root / "CUB_200_2011"
    records = read_records(root)
    _write_lines(cub / "classes.txt", (f"{kind.number} {kind.folder}" for kind in SPECIES))
    _write_lines(cub / "images.txt", (f"{p.number} {p.key}.png" for p in pictures))
    _write_lines(cub / "image_class_labels.txt", (f"{p.number} {p.kind.number}" for p in pictures))
    _write_lines(cub / "train_test_split.txt", (f"{p.number} {int(p.split == 'train')}" for p in pictures))
    boxes = ((p.number, records[p.number].box) for p in pictures)
    _write_lines(cub / "bounding_boxes.txt", (f"{n} {x:.1f} {y:.1f} {w:.1f} {h:.1f}" for n, (x, y, w, h) in boxes))
    _write_lines(cub / "parts/parts.txt", (f"{part} {name}" for part, name in enumerate(PARTS, start=1)))
    places = ((p.number, part, *place) for p in pictures for part, place in enumerate(records[p.number].parts, start=1))
    _write_lines(cub / "parts/part_locs.txt", (f"{n} {part} {x:.1f} {y:.1f} {seen:.0f}" for n, part, x, y, seen in places))
    _write_lines(root / "scenes.jsonl", (records[p.number].scene for p in pictures))
    _write_lines(root / "testclasses.txt", (kind.folder for kind in TEST_SPECIES))
