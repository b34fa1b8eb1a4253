"""What becomes of a sweep's jobs, written down: states, starts after starts, the table."""

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from stackgan.core.errors import RunError, UserError
from stackgan.runs.folder import RunFolder
from stackgan.sweeps.folder import Job, SweepFolder, Taken
from stackgan.sweeps.table import table

ONE = Job("a, seed 0", "a", 0, ("x=1", "seed=0"), "stage1/toybirds/one", budget=8)
TWO = Job("b, seed 1", "b", 1, ("x=2", "seed=1"), "stage1/toybirds/two", budget=8)


@pytest.fixture
def sweep(tmp_path: Path) -> SweepFolder:
    return SweepFolder(tmp_path / "sweeps" / "mine")


def finish(sweep: SweepFolder, job: Job, images: int) -> RunFolder:
    run = sweep.run(job)
    assert run is not None
    run.begin({}, {})
    run.finish({"images_seen": images, "agreement/test/normalised": 0.25, "agreement/test/body": 0.5, "seconds": 3.0})
    return run


def states(sweep: SweepFolder) -> dict[str, str]:
    return {job.row: job.state for job in sweep.jobs()}


def test_the_file_is_what_other_programs_expect(sweep: SweepFolder) -> None:
    sweep.begin([ONE])
    sweep.mark(ONE.words, "failed", "seed=0: no")
    assert json.loads(sweep.file.read_text()) == {
        "sweep": "mine",
        "jobs": [
            {
                "row": "a, seed 0", "variant": "a", "seed": 0, "words": ["x=1", "seed=0"], "run": "stage1/toybirds/one",
                "state": "failed", "why": "seed=0: no",
            }
        ],
    }  # fmt: skip


def test_started_again_done_is_done_and_the_rest_waits_or_was_cut(sweep: SweepFolder) -> None:
    three, four = (replace(ONE, row=row, words=(row,), run=f"stage1/toybirds/{row}") for row in ("three", "four"))
    sweep.begin([ONE, TWO, three, four])
    for job, state in ((ONE, "done"), (TWO, "running"), (three, "failed")):
        sweep.mark(job.words, state, "a cause" if state == "failed" else None)
    finish(sweep, ONE, 8)
    again = sweep.begin([ONE, TWO, three, four])
    assert [job.state for job in again] == ["done", "cut", "waiting", "waiting"]
    assert again[2].why == "a cause"
    assert list(states(sweep).values()) == ["done", "cut", "waiting", "waiting"]


def test_a_job_that_another_process_is_at_is_not_called_cut(sweep: SweepFolder) -> None:
    sweep.begin([ONE])
    sweep.mark(ONE.words, "running")
    assert not sweep.taken(ONE)
    with sweep.held(ONE):
        assert sweep.taken(ONE)
        assert not sweep.taken(TWO)
        with pytest.raises(Taken), sweep.held(ONE):
            pass
        sweep.begin([TWO])
        assert states(sweep) == {ONE.row: "running", TWO.row: "waiting"}
        assert [job.state for job in sweep.begin([ONE, TWO])] == ["running", "waiting"]
    sweep.begin([TWO])
    assert states(sweep) == {ONE.row: "cut", TWO.row: "waiting"}


def test_who_only_looks_takes_no_job(sweep: SweepFolder) -> None:
    sweep.begin([ONE])
    looking = threading.Event()

    def look() -> None:
        with sweep._lock(ONE):
            looking.set()
            time.sleep(0.1)

    other = threading.Thread(target=look)
    other.start()
    looking.wait()
    with sweep.held(ONE):
        assert sweep.taken(ONE)
    other.join()


@pytest.mark.parametrize("lost", ["DONE", "budget", "words"])
def test_what_was_done_is_tried_again_where_that_no_longer_holds(lost: str, sweep: SweepFolder) -> None:
    sweep.begin([ONE])
    run = finish(sweep, ONE, 8)
    sweep.mark(ONE.words, "done")
    asked = ONE
    if lost == "DONE":
        run.done.unlink()
    elif lost == "budget":
        asked = replace(ONE, budget=9)
    else:
        asked = replace(ONE, words=("x=1", "seed=0", "stage.epochs=2"), budget=None)
    assert [job.state for job in sweep.begin([asked])] == ["waiting"]
    assert len(sweep.jobs()) == 1


def test_jobs_of_an_earlier_start_stay_and_a_job_of_the_same_run_replaces_its_own(sweep: SweepFolder) -> None:
    sweep.begin([ONE])
    sweep.begin([TWO])
    sweep.begin([replace(TWO, words=("x=2", "seed=1", "stage.images=16"))])
    assert [job.row for job in sweep.jobs()] == [ONE.row, TWO.row]
    assert sweep.jobs()[1].words[-1] == "stage.images=16"


def test_jobs_of_other_settings_stay_and_are_told_apart(sweep: SweepFolder) -> None:
    finish(sweep, ONE, 8)
    sweep.begin([ONE])
    sweep.mark(ONE.words, "done")
    other = replace(ONE, words=("x=1", "seed=0", "data=oxford"), run="stage1/oxford/one")
    (now,) = sweep.begin([other])
    assert (now.row, now.variant) == ("a (data=oxford), seed 0", "a (data=oxford)")
    assert states(sweep) == {ONE.row: "done", now.row: "waiting"}
    # Whichever is started again, both keep their names and their states.
    assert [job.state for job in sweep.begin([ONE])] == ["done"]
    assert {sweep.job(job.words).state for job in (ONE, other)} == {"done", "waiting"}
    assert len({job.row for job in sweep.jobs()}) == 2
    (bare,) = sweep.begin([replace(ONE, words=("seed=0",), run="stage1/toybirds/bare")])
    assert bare.variant.startswith("a (without x=1")
    assert len(sweep.jobs()) == 3


def test_words_that_mean_another_run_now_are_the_new_run_s(sweep: SweepFolder) -> None:
    finish(sweep, ONE, 8)
    sweep.begin([ONE])
    sweep.mark(ONE.words, "done")
    edited = replace(ONE, run="stage1/toybirds/other")
    for _ in range(2):
        (now,) = sweep.begin([edited])
        assert (now.row, now.state) == (ONE.row, "waiting")
        assert states(sweep) == {"a (before: one), seed 0": "done", ONE.row: "waiting"}
    sweep.mark(ONE.words, "done")
    assert states(sweep) == {"a (before: one), seed 0": "done", ONE.row: "done"}
    assert sweep.job(ONE.words).run == edited.run


def test_a_run_that_another_process_trains_is_given_no_other_budget(sweep: SweepFolder) -> None:
    sweep.begin([ONE])
    sweep.mark(ONE.words, "running")
    longer = replace(ONE, words=(*ONE.words, "stage.images=16"))
    before = sweep.file.read_bytes()
    with sweep.held(ONE):
        with pytest.raises(UserError, match=r"^sweep.name=mine: another process trains a, seed 0 there with other settings"):
            sweep.begin([longer])
        assert sweep.file.read_bytes() == before
        sweep.begin([ONE])
    sweep.begin([longer])
    assert [job.words for job in sweep.jobs()] == [longer.words]


def test_a_job_whose_place_was_taken_is_not_marked_in_silence(sweep: SweepFolder) -> None:
    sweep.begin([ONE])
    sweep.begin([replace(ONE, words=("x=1", "seed=0", "stage.images=16"))])
    for ask in (lambda: sweep.job(ONE.words), lambda: sweep.mark(ONE.words, "done")):
        with pytest.raises(RunError, match=r"no longer lists x=1 seed=0; another command with this sweep.name took its place"):
            ask()
    assert list(states(sweep).values()) == ["waiting"]


@pytest.mark.parametrize("text", ["{", "[]", '{"jobs": [{"row": "a"}]}', '{"jobs": 1}'])
def test_a_file_that_is_no_sweep_s(text: str, sweep: SweepFolder) -> None:
    sweep.path.mkdir(parents=True)
    sweep.file.write_text(text)
    with pytest.raises(UserError, match=r"sweep.json: is not what a sweep wrote \(\w+\); move it away, and the same command"):
        sweep.begin([ONE])
    assert sweep.file.read_text() == text


@pytest.mark.parametrize("name", ["DONE", "results.json"])
def test_a_damaged_run_is_tried_again_and_takes_no_row_of_others_along(name: str, sweep: SweepFolder) -> None:
    sweep.begin([ONE, TWO])
    for job in (ONE, TWO):
        finish(sweep, job, 8)
        sweep.mark(job.words, "done")
    damaged = sweep.run(TWO)
    assert damaged is not None
    (damaged.path / name).write_text("{")
    assert not damaged.is_readable()
    assert [job.state for job in sweep.begin([ONE, TWO])] == ["done", "waiting"]
    lines = sweep.table.read_text().splitlines()
    assert "| a | 0 | 8 | 0.25 | done |" in lines
    assert "| b | 1 | ? |  | waiting, its files cannot be read |" in lines


def test_where_nothing_can_be_written_the_way_out_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be written .*; set paths.sweeps to a folder you can write"):
        SweepFolder(tmp_path / "file" / "mine").begin([ONE])


def test_the_table_shows_what_there_is(sweep: SweepFolder) -> None:
    run = finish(sweep, ONE, 51_200)
    run.add_results({"scores": {"inception_score/small": {"value": 5.709, "interval_95": [5.341, 6.15]}, "kid": {"value": 0.1}}})
    run.add_results({"told_apart/fake": 0.5, "diversity/within": 0.5, "accuracy/test": 0.75, "accuracy/test/pictures": 20.0})
    other = RunFolder(sweep.path / "stage1" / "toybirds" / "two")
    other.begin({}, {})
    (other.checkpoints / "seen-000001600.pt").write_bytes(b"")
    text = table("mine", [("a", 0, "done", None, run), ("b | c", 1, "running", None, other), ("d", 2, "failed", "no: why", None)])
    assert text.splitlines() == [
        "# Sweep mine", "", "3 jobs: 1 done, 1 running, 1 failed.", "",
        "| variant | seed | images seen | agreement/test/normalised | accuracy/test | inception_score/small | kid | state |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        "| a | 0 | 51,200 | 0.25 | 0.75 | 5.709 [5.341, 6.15] | 0.1 | done |",
        "| b \\| c | 1 | 1,600 |  |  |  |  | running |",
        "| d | 2 |  |  |  |  |  | failed: no: why |",
    ]  # fmt: skip
