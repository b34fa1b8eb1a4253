"""What observers saw is kept, found again, and never taken for something else."""

from pathlib import Path

import numpy as np
from galleries import Grey, gallery

from stackgan.metric.observing import CHUNK, Store, observe
from stackgan.metric.source import real

N = 2 * CHUNK + 11


def greys(store: Store | None, observer: Grey, size: int = N) -> list[int]:
    return [int(value) for value in observe(real(gallery(size), 0), [observer], store).arrays["grey"][:, 0]]


def test_rows_come_in_the_order_of_the_source() -> None:
    source = real(gallery(N), 0)
    assert greys(None, Grey()) == [int(value) for value in source.show(np.arange(N))[:, 0, 0, 0]]


def test_what_was_seen_is_not_looked_at_again(tmp_path: Path) -> None:
    first, again = Grey(), Grey()
    assert greys(Store(tmp_path), first) == greys(Store(tmp_path), again)
    assert (first.shown, again.shown) == (N, 0)


def test_a_killed_evaluation_goes_on_where_it_was(tmp_path: Path) -> None:
    whole = greys(Store(tmp_path), Grey())
    files = sorted(tmp_path.rglob("*.npz"))
    assert len(files) == 3
    files[1].unlink()
    files[2].write_bytes(files[2].read_bytes()[:100])
    again = Grey()
    assert greys(Store(tmp_path), again) == whole
    assert again.shown == CHUNK + 11


def test_another_observer_does_not_take_what_the_first_saw(tmp_path: Path) -> None:
    greys(Store(tmp_path), Grey())
    other = Grey()
    other.fingerprint = "grey2"
    greys(Store(tmp_path), other)
    assert other.shown == N


def test_a_longer_source_keeps_what_is_whole_of_a_shorter_one(tmp_path: Path) -> None:
    source = real(gallery(N), 0, n=CHUNK + 5)
    observe(source, [Grey()], Store(tmp_path))
    longer = Grey()
    observe(real(gallery(N), 0), [longer], Store(tmp_path))
    assert longer.shown == N - CHUNK
