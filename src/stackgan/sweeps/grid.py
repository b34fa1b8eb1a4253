"""grid.png of a sweep: a row a variant, the same sentences and noise keys in all of them, drawn by its finished runs."""

import functools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from stackgan.callbacks.sheets import NEXT_NOISE
from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.data.records import Split
from stackgan.draw.painter import Pixels
from stackgan.launch import build, loading
from stackgan.plots.sheet import sheet
from stackgan.runs.folder import RunFolder
from stackgan.sweeps.folder import Job, SweepFolder

SPLITS: tuple[Split, ...] = ("test", "held_out", "validation", "train")
"""Whose sentences: of the first that the data set has."""
SENTENCES, NOISES, CELL = 4, 2, 96
SHOWN = "runs shown"
"""A text in the PNG: the fingerprint of the finished runs that it was drawn of."""
PATIENCE = 300.0
"""Seconds to wait for another process that draws: one that hangs holds up nobody for ever, and the end of the sweep draws again."""

Finished = tuple[Job, RunFolder, int]
"""A job that is done, its run, and the images that this has seen."""


@dataclass(frozen=True)
class Drawn:
    """What a run draws of the sentences, and the real pictures of them. drawn_NKHWC: uint8, K noises."""

    caption: str
    split: str
    sentences: tuple[str, ...]
    real_NHWC: Pixels
    drawn_NKHWC: Pixels


def grow(sweep: SweepFolder) -> None:
    """Draw the grid anew where it lacks a run that has finished, one process at a time.

    Only a picture for people: what stands in its way is said in a line, and no job fails of it.
    """
    try:
        # Of several jobs that end at once the last one in here finds all of them done.
        with filelock.FileLock(sweep.path / ".grid.lock", timeout=PATIENCE):
            finished = _finished(sweep)
            shown = fingerprint([[job.variant, job.seed, job.run, images] for job, _, images in finished])
            if finished and _shown(sweep.grid) != shown:
                rows, others = _rows(sweep, finished)
                if rows:
                    atomic.write(sweep.grid, lambda beside: _save(_grid(sweep.path.name, rows, others), shown, beside))
    except Exception as error:  # any: see above
        print(f"warning: no {sweep.grid}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


def _finished(sweep: SweepFolder) -> list[Finished]:
    """Those that can still be read: one that was damaged from outside does not take the others along."""
    done = [(job, run) for job in sweep.jobs() if job.state == "done" and (run := sweep.run(job)) is not None]
    return [(job, run, run.images_done()) for job, run in done if run.is_readable() and run.images_done()]


def _shown(grid: Path) -> str | None:
    """Which finished runs a grid was drawn of; None where there is no grid, or none that says so."""
    try:
        with Image.open(grid) as image:
            return image.info.get(SHOWN)
    except OSError:
        return None


def _save(grid: Image.Image, shown: str, path: Path) -> None:
    info = PngInfo()
    info.add_text(SHOWN, shown)
    grid.save(path, "PNG", pnginfo=info)


def _rows(sweep: SweepFolder, finished: Sequence[Finished]) -> tuple[list[tuple[Job, Drawn]], list[str]]:
    """Of each variant its first seed that draws; all of the first one's sentences. And variants that have others."""
    found: dict[str, tuple[Job, Drawn]] = {}
    others: list[str] = []
    for job, run, images in sorted(finished, key=lambda each: each[0].seed):
        if job.variant in found or (drawn := _drawn(run.path, images)) is None:
            continue
        first = next(iter(found.values()), None)
        if first is None or first[1].sentences == drawn.sentences:
            found[job.variant] = (job, drawn)
        elif job.variant not in others:
            others.append(job.variant)
    return [found[variant] for variant in dict.fromkeys(job.variant for job in sweep.jobs()) if variant in found], others


@functools.cache
def _drawn(run: Path, images_seen: int) -> Drawn | None:
    """Drawn once in a process, however often the grid grows; None of a run that draws no pictures."""
    try:
        painter = loading.load(run, accelerator="cpu")
    except UserError:
        return None
    data = build.data_module(RunFolder(run).settings(), encoder=painter.encoder)
    data.prepare_data()
    data.setup()
    split = next(split for split in SPLITS if split in data.splits)
    examples = data.examples(split, SENTENCES)
    keys = [examples.key_N + noise * NEXT_NOISE for noise in range(NOISES)]
    pixels = [painter.draw(examples.text_NT, key_N, extras=examples.extras)[0] for key_N in keys]
    caption = f"{images_seen:,} images, {painter.resolution} px"
    return Drawn(caption, split, examples.sentences, examples.real_NHWC, np.stack(pixels, axis=1))


def _grid(name: str, rows: Sequence[tuple[Job, Drawn]], others: Sequence[str]) -> Image.Image:
    first = rows[0][1]
    largest = max((drawn for _, drawn in rows), key=lambda drawn: drawn.real_NHWC.shape[1])
    columns = [
        (sentence, [largest.real_NHWC[place][None], *(drawn.drawn_NKHWC[place] for _, drawn in rows)])
        for place, sentence in enumerate(first.sentences)
    ]
    labels = [f"real pictures of split {first.split}", *(f"{job.row} ({drawn.caption})" for job, drawn in rows)]
    without = f" (not shown, as they have other sentences: {', '.join(others)})" if others else ""
    return sheet(columns, labels, f"sweep {name}: the same sentences and noise{without}", CELL)
