"""Filling the cache: the slow part, done once."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import numpy as np

from stackgan.core import atomic
from stackgan.data.cache import Cache, save, skipped, write_skipped
from stackgan.data.decode import BROKEN, Frame, Pixels, shown_size, squares
from stackgan.data.encoded import expected_bytes, opened, sink
from stackgan.data.features import write_features
from stackgan.data.places import frame
from stackgan.data.progress import bar, notice
from stackgan.data.records import DataProblems, Problem, Record, Region, Source
from stackgan.data.wanted import Wanted
from stackgan.text.encoder import TextEncoder

T = TypeVar("T")
WAY_OUT = "Fetch these files again, remove them with their captions and labels, or set data.on_problem=skip"


def fill_missing(cache: Cache, root: Path, source: Source, wanted: Wanted, workers: int) -> None:
    """Build what is missing, under the cache's lock; what another process built meanwhile is not built again."""
    with cache.locked():
        if wanted.missing_text(cache):
            wanted.encoder.check()  # before the minutes that pictures may take
        if wanted.image_encoder is not None:
            wanted.image_encoder.check()
        write_records(cache, source.records, source.split_note)
        if wanted.missing_frames(cache):
            write_frames(cache, root, source.records, wanted.region, workers, wanted.skip)
        if missing := wanted.missing_sizes(cache):
            write_pictures(cache, root, source.records, missing, wanted.contrast_stretch, workers, wanted.skip)
        for size in wanted.missing_alike(cache):
            digests = [_digest(pixels) for pixels in opened(cache.pictures(size))]
            save(cache.alike(size), np.array(first_alike(digests), np.int64))
        if wanted.missing_text(cache):
            write_text(cache, root, source.records, wanted.encoder, wanted.skip)
        if wanted.image_encoder is not None and wanted.missing_features(cache):
            frames, bad = known_frames(cache, len(source.records)), wanted.undecodable(cache)
            write_features(cache, source.records, frames, bad, wanted.image_encoder, workers or cores())


def write_records(cache: Cache, records: Sequence[Record], split_note: str) -> None:
    """Say what the arrays' rows are, for people and other programs."""
    rows = [
        {"key": r.key, "class_id": r.class_id, "class": r.class_name, "split": r.split, "captions": r.captions} for r in records
    ]
    atomic.write_json(cache.folder / "records.json", {"split": split_note, "records": rows})


def write_frames(cache: Cache, root: Path, records: Sequence[Record], region: Region, workers: int, skip: bool) -> None:
    """Read every picture's size from its header and keep the region of it that is cached.

    Raises DataProblems, with all boxes that cannot be used, and then keeps nothing; with skip their rows are zeros.
    """

    def measured(row: int) -> Frame | str:
        try:
            return frame(region, records[row].box, *shown_size(records[row].image))
        except BROKEN as error:
            return str(error) or type(error).__name__

    found = list(_in_threads(measured, len(records), workers or cores()))
    bad = {row: what for row, what in enumerate(found) if isinstance(what, str)}
    keep_bad(root, records, bad, skip)
    write_skipped(cache.frames, bad)
    save(cache.frames, np.array([(0, 0, 0, 0) if isinstance(one, str) else one for one in found], np.int64))


def known_frames(cache: Cache, count: int) -> list[Frame | None]:
    """The region of each picture that is cached, None for all of it: also where only its box cannot be used."""
    if not cache.frames.exists():
        return [None] * count
    return [(left, top, right, bottom) if right else None for left, top, right, bottom in np.load(cache.frames).tolist()]


def write_pictures(
    cache: Cache,
    root: Path,
    records: Sequence[Record],
    sizes: Sequence[int],
    contrast_stretch: bool,
    workers: int,
    skip: bool = False,
) -> None:
    """Decode every picture once and keep it, or its region, at all sizes. workers: threads, 0 for one a processor core.

    Raises DataProblems, with all broken pictures, and then keeps nothing; with skip their rows are left empty.
    """
    gigabytes, at = expected_bytes(cache.kept, len(records), list(sizes)) / 1e9, " and ".join(map(str, sizes))
    notice(f"data.cache={cache.root}: {len(records):,} pictures at {at} px, about {gigabytes:.2g} GB, go to {cache.folder}")
    # Together: each sink alone sees the room that the others will take.
    cache.room_for(" and ".join(cache.pictures(size).name for size in sizes), expected_bytes(cache.kept, len(records), list(sizes)))
    frames = known_frames(cache, len(records))
    known = skipped(cache.frames) if cache.region == "box" else {}  # a whole picture outlives the correction of its box
    with ExitStack() as stack:
        sinks = [stack.enter_context(sink(cache, len(records), size)) for size in sizes]

        def fill(row: int) -> list[tuple[bytes, bytes]] | str:
            if row in known:
                return known[row]
            try:
                pictures = squares(records[row].image, tuple(sizes), contrast_stretch, frames[row])
                return [(into.pack(row, pixels), _digest(pixels)) for into, pixels in zip(sinks, pictures, strict=True)]
            except BROKEN as error:
                return f"not a whole picture ({error or type(error).__name__})"

        advance = stack.enter_context(bar("pictures", len(records)))
        bad: dict[int, str] = {}
        digests: list[list[bytes]] = []
        for row, packed in enumerate(_in_threads(fill, len(records), workers or cores())):
            advance(1)
            if isinstance(packed, str):
                bad[row], packed = packed, [(b"", str(row).encode())] * len(sizes)
            for into, (content, _) in zip(sinks, packed, strict=True):
                into.put(content)
            digests.append([digest for _, digest in packed])
        keep_bad(root, records, bad, skip)
        for place, size in enumerate(sizes):
            write_skipped(cache.pictures(size), bad)
            save(cache.alike(size), np.array(first_alike([row[place] for row in digests]), np.int64))


def write_text(cache: Cache, root: Path, records: Sequence[Record], encoder: TextEncoder, skip: bool) -> None:
    """Keep the embeddings of all captions as (N, M, T), M the largest number of captions of a picture."""
    most, path = max(len(record.captions) for record in records), cache.text(encoder)
    captions = [record.captions for record in records]
    with (
        cache.array(path, (len(records), most, encoder.dim), np.float32) as array,
        bar("captions", len({caption for several in captions for caption in several})) as advance,
    ):
        bad = encoder.encode_records([record.key for record in records], captions, array, advance)
        keep_bad(root, records, bad, skip)
        write_skipped(path, bad)


def keep_bad(root: Path, records: Sequence[Record], bad: Mapping[int, str], skip: bool) -> None:
    """Raise DataProblems for rows that cannot be used, unless they are to be skipped and others are left."""
    if bad and (not skip or len(bad) == len(records)):
        raise DataProblems(root, [Problem(records[row].image, bad[row], records[row].key) for row in sorted(bad)], WAY_OUT)


def first_alike(digests: Sequence[bytes]) -> list[int]:
    """For each row the first one with the same digest."""
    first: dict[bytes, int] = {}
    return [first.setdefault(digest, row) for row, digest in enumerate(digests)]


def _digest(pixels: Pixels) -> bytes:
    return hashlib.blake2b(pixels.tobytes(), digest_size=16).digest()


def _in_threads(work: Callable[[int], T], count: int, workers: int) -> Iterator[T]:
    pool = ThreadPoolExecutor(workers)
    try:
        yield from pool.map(work, range(count))
    finally:
        # Also reached by Ctrl-C: without this, leaving would first decode all that is still queued.
        pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
