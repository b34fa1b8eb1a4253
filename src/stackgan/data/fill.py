"""Filling the cache: the slow part, done once."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stackgan.core import atomic
from stackgan.core.shapes import ImageEncoder
from stackgan.data.cache import Cache
from stackgan.data.decode import BROKEN, squares
from stackgan.data.progress import bar
from stackgan.data.records import DataProblems, Problem, Record, Source
from stackgan.text.encoder import TextEncoder

FEATURE_BATCH = 64
"""Pictures that an image encoder is given at a time."""


@dataclass(frozen=True)
class Wanted:
    """What a cache should hold."""

    sizes: Sequence[int]
    contrast_stretch: bool
    encoder: TextEncoder
    image_encoder: ImageEncoder | None = None

    def missing_sizes(self, cache: Cache) -> list[int]:
        """Sizes that have to be decoded."""
        return [size for size in self.sizes if not cache.pictures(size).exists()]

    def missing_text(self, cache: Cache) -> bool:
        """Whether captions have to be encoded."""
        return not cache.text(self.encoder).exists()

    def missing_features(self, cache: Cache) -> bool:
        """Whether an image encoder has to see the pictures."""
        return self.image_encoder is not None and not cache.features(self.image_encoder).exists()


def fill_missing(cache: Cache, root: Path, source: Source, wanted: Wanted, workers: int) -> None:
    """Build what is missing, under the cache's lock; what another process built meanwhile is not built again."""
    with cache.locked():
        if wanted.missing_text(cache):
            wanted.encoder.check()  # before the minutes that pictures may take
        if wanted.image_encoder is not None and wanted.missing_features(cache):
            wanted.image_encoder.check()
        write_records(cache, source.records, source.split_note)
        if missing := wanted.missing_sizes(cache):
            write_pictures(cache, root, source.records, missing, wanted.contrast_stretch, workers)
        if wanted.missing_text(cache):
            write_text(cache, source.records, wanted.encoder)
        if wanted.image_encoder is not None and wanted.missing_features(cache):
            write_features(cache, source.records, wanted.image_encoder, workers)


def write_records(cache: Cache, records: Sequence[Record], split_note: str) -> None:
    """Say what the arrays' rows are, for people and other programs."""
    rows = [
        {"key": r.key, "class_id": r.class_id, "class": r.class_name, "split": r.split, "captions": r.captions} for r in records
    ]
    atomic.write_json(cache.folder / "records.json", {"split": split_note, "records": rows})


def write_pictures(
    cache: Cache, root: Path, records: Sequence[Record], sizes: Sequence[int], contrast_stretch: bool, workers: int
) -> None:
    """Decode every picture once and keep it at all sizes. workers: threads, 0 for one a processor core.

    Raises DataProblems, with all broken pictures, and then keeps nothing.
    """
    with ExitStack() as stack:
        arrays = [stack.enter_context(cache.array(cache.pictures(size), (len(records), size, size, 3), np.uint8)) for size in sizes]

        def fill(row: int) -> Problem | None:
            try:
                pictures = squares(records[row].image, tuple(sizes), contrast_stretch)
                for array, pixels in zip(arrays, pictures, strict=True):
                    array[row] = pixels
            except BROKEN as error:
                return Problem(records[row].image, f"not a whole picture ({error or type(error).__name__})")
            return None

        advance = stack.enter_context(bar("pictures", len(records)))
        problems: list[Problem] = []
        for problem in _in_threads(fill, len(records), workers or cores()):
            advance(1)
            problems += [problem] if problem else []
        if problems:
            raise DataProblems(root, problems, "Fetch these files again, or remove them with their captions and labels")


def write_text(cache: Cache, records: Sequence[Record], encoder: TextEncoder) -> None:
    """Encode every different sentence once and keep (N, M, T), M the largest number of captions of a picture."""
    sentences = sorted({caption for record in records for caption in record.captions})
    with bar("captions", len(sentences)) as advance:
        embeddings = encoder.encode(sentences, advance)
    place = {sentence: i for i, sentence in enumerate(sentences)}
    most = max(len(record.captions) for record in records)
    with cache.array(cache.text(encoder), (len(records), most, encoder.dim), np.float32) as array:
        for row, record in enumerate(records):
            array[row, : len(record.captions)] = embeddings[[place[caption] for caption in record.captions]]


def write_features(cache: Cache, records: Sequence[Record], encoder: ImageEncoder, workers: int) -> None:
    """Let an image encoder see every picture, decoded at the size it wants, as it is and mirrored: (N, 2, F)."""

    def seen(row: int) -> NDArray[np.uint8]:
        return squares(records[row].image, (encoder.size,), contrast_stretch=False)[0]

    with (
        cache.array(cache.features(encoder), (len(records), 2, encoder.dim), np.float32) as array,
        bar("features", len(records)) as advance,
        ThreadPoolExecutor(workers or cores()) as pool,
    ):
        for start in range(0, len(records), FEATURE_BATCH):
            rows = range(start, min(start + FEATURE_BATCH, len(records)))
            pictures_NHWC = np.stack(list(pool.map(seen, rows)))
            array[start : rows.stop, 0] = encoder.encode(pictures_NHWC)
            array[start : rows.stop, 1] = encoder.encode(np.ascontiguousarray(pictures_NHWC[:, :, ::-1]))
            advance(len(rows))


def _in_threads(work: Callable[[int], Problem | None], count: int, workers: int) -> Iterator[Problem | None]:
    pool = ThreadPoolExecutor(workers)
    try:
        yield from pool.map(work, range(count))
    finally:
        # Also reached by Ctrl-C: without this, leaving would first decode all that is still queued.
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
