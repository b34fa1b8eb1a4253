"""When a sweep's grid is drawn, by whichever process: every variant with a finished run is in it, and it is drawn no oftener."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import filelock
import numpy as np
import pytest
from PIL import Image

from stackgan.sweeps import grid
from stackgan.sweeps.folder import Job, SweepFolder
from stackgan.sweeps.grid import Drawn

ONE = Job("a, seed 0", "a", 0, ("x=1",), "stage1/toybirds/one", budget=8)
TWO = Job("b, seed 0", "b", 0, ("x=2",), "stage1/toybirds/two", budget=8)
PIXELS = np.zeros((4, 1, 1, 3), np.uint8)
Draw = Callable[[Path, int], Drawn | None]


def drawn(run: Path, images_seen: int) -> Drawn:
    return Drawn(f"{images_seen} images", "test", ("a", "b", "c", "d"), PIXELS, PIXELS[:, None])


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepFolder:
    """Two jobs; the width of its grid in pixels is the number of variants in it."""
    monkeypatch.setattr(grid, "_drawn", drawn)
    monkeypatch.setattr(grid, "_grid", lambda name, rows, others: Image.new("RGB", (len(rows), 1)))
    made = SweepFolder(tmp_path / "sweeps" / "mine")
    made.begin([ONE, TWO])
    return made


def end(sweep: SweepFolder, job: Job, images: int = 8) -> None:
    run = sweep.run(job)
    assert run is not None
    run.begin({}, {})
    run.finish({"images_seen": images})
    sweep.mark(job.words, "done")


def variants(sweep: SweepFolder) -> int:
    with Image.open(sweep.grid) as image:
        return image.size[0]


def test_of_jobs_that_end_at_the_same_moment_none_is_missing(sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first has found itself alone, and draws for so long that the second has come to its end meanwhile."""
    drawing, go_on = threading.Event(), threading.Event()

    def slowly(run: Path, images_seen: int) -> Drawn:
        if threading.current_thread() is first:
            drawing.set()
            assert go_on.wait(30)
        return drawn(run, images_seen)

    monkeypatch.setattr(grid, "_drawn", slowly)
    end(sweep, ONE)
    first, second = (threading.Thread(target=grid.grow, args=(sweep,)) for _ in range(2))
    first.start()
    assert drawing.wait(30)
    end(sweep, TWO)
    second.start()
    second.join(0.5)
    go_on.set()
    first.join(30)
    second.join(30)
    assert variants(sweep) == 2


def test_a_process_that_dies_before_it_draws_leaves_it_to_the_next(sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(run: Path, images_seen: int) -> Drawn:
        end(sweep, TWO)  # while the first draws without it, whose picture is the newer one then
        return drawn(run, images_seen)

    end(sweep, ONE)
    monkeypatch.setattr(grid, "_drawn", dies)
    grid.grow(sweep)
    assert variants(sweep) == 1
    monkeypatch.setattr(grid, "_drawn", drawn)
    grid.grow(sweep)
    assert variants(sweep) == 2


@pytest.mark.parametrize("change", ["nothing", "images", "names", "damage"])
def test_it_is_drawn_anew_where_something_changed(change: str, sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    end(sweep, ONE)
    grid.grow(sweep)
    calls: list[Path] = []

    def counted(run: Path, images_seen: int) -> Drawn:
        calls.append(run)
        return drawn(run, images_seen)

    monkeypatch.setattr(grid, "_drawn", counted)
    if change == "images":
        end(sweep, ONE, 16)
    elif change == "names":
        sweep._write([replace(job, variant=f"{job.variant}, renamed") for job in sweep.jobs()])
    elif change == "damage":
        sweep.grid.write_bytes(b"no picture")
    grid.grow(sweep)
    assert len(calls) == (change != "nothing")
    assert variants(sweep) == 1


def test_a_run_that_was_damaged_takes_no_other_along(sweep: SweepFolder, capsys: pytest.CaptureFixture[str]) -> None:
    end(sweep, ONE)
    end(sweep, TWO)
    run = sweep.run(ONE)
    assert run is not None
    run.done.write_text("{")
    grid.grow(sweep)
    assert variants(sweep) == 1
    assert capsys.readouterr().err == ""


def test_what_stands_in_its_way_is_a_line(
    sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(run: Path, images_seen: int) -> Drawn:
        raise RuntimeError("no paint")

    end(sweep, ONE)
    monkeypatch.setattr(grid, "_drawn", fails)
    grid.grow(sweep)
    assert capsys.readouterr().err == f"warning: no {sweep.grid}: RuntimeError: no paint\n"
    assert not sweep.grid.exists()


def test_one_that_hangs_while_it_draws_holds_up_nobody_for_ever(
    sweep: SweepFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    end(sweep, ONE)
    monkeypatch.setattr(grid, "PATIENCE", 0.1)
    with filelock.FileLock(sweep.path / ".grid.lock"):
        grid.grow(sweep)
    assert capsys.readouterr().err.startswith(f"warning: no {sweep.grid}: Timeout: ")
    grid.grow(sweep)
    assert variants(sweep) == 1
