"""Observers looking at a source, a chunk at a time; what they saw is kept, so that a killed evaluation goes on where it was."""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stackgan.core import atomic
from stackgan.metric.gathered import Gathered
from stackgan.metric.score import Array, Observer, Pixels, Seen
from stackgan.metric.source import Source

CHUNK = 64
"""Pictures that exist at a time."""


@dataclass(frozen=True)
class Store:
    """`<folder>/<source>/<observer>/<first row>.npz`. Both names hold everything that changes what is in the file."""

    folder: Path

    def load(self, source: Source, observer: Observer, rows: range) -> dict[str, Array] | None:
        """What was kept of these rows, None where it is not there or not whole."""
        try:
            with np.load(self._path(source, observer, rows), allow_pickle=False) as kept:
                arrays = {name: kept[name] for name in kept.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None
        whole = arrays.keys() >= observer.gives and all(len(array) >= len(rows) for array in arrays.values())
        return {name: array[: len(rows)] for name, array in arrays.items()} if whole else None

    def save(self, source: Source, observer: Observer, rows: range, arrays: dict[str, Array]) -> None:
        """Keep it; whole or not at all."""
        path = self._path(source, observer, rows)
        path.parent.mkdir(parents=True, exist_ok=True)

        def fill(beside: Path) -> None:
            with beside.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)

        atomic.write(path, fill)

    def _path(self, source: Source, observer: Observer, rows: range) -> Path:
        return self.folder / source.fingerprint / observer.fingerprint / f"{rows.start:08d}.npz"


def observe(
    source: Source,
    observers: Sequence[Observer],
    store: Store | None = None,
    advance: Callable[[int], None] = lambda _: None,
    rank: int = 0,
    world: int = 1,
) -> Seen:
    """Everything the observers see of a source. All ranks take part, each looks at its chunks, and all return the same.

    store: where what was seen is kept and found again. advance: told of pictures done.
    """
    gathered = Gathered()
    for rows in _share(len(source), rank, world):
        gathered.update(np.arange(rows.start, rows.stop), _look(source, observers, store, rows))
        advance(len(rows))
    return Seen({**gathered.compute()[1], **source.known}, source.sentences, source.picture_N)


def _share(n: int, rank: int, world: int) -> Iterator[range]:
    """Chunks dealt out in turn; small enough that every rank has some work where there is enough."""
    size = min(CHUNK, max(1, -(-n // world)))
    for start in range(rank * size, n, world * size):
        yield range(start, min(start + size, n))


def _look(source: Source, observers: Iterable[Observer], store: Store | None, rows: range) -> dict[str, Array]:
    seen: dict[str, Array] = {}
    pictures: Pixels | None = None
    for observer in observers:
        kept = store.load(source, observer, rows) if store else None
        if kept is None:
            if pictures is None:
                pictures = source.show(np.arange(rows.start, rows.stop))
            kept = observer.observe(pictures, source.sentences[rows.start : rows.stop])
            if store:
                store.save(source, observer, rows, kept)
        seen |= kept
    return seen
