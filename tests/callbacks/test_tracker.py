import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stackgan.callbacks import guard as room
from stackgan.callbacks.guard import guard
from stackgan.callbacks.tracker import Drawings, RunCard, Tracker
from stackgan.core.errors import UserError

PICTURES = np.zeros((2, 4, 4, 3), np.uint8)
LOOK = Drawings(PICTURES, ("a", "b"), (0, 1), {"real": PICTURES[:, ::2, ::2]})


class Diary(Tracker):
    """Writes down what it is told. troubles: what happens in place of it, by the method's name."""

    finish_seconds = 0.5

    def __init__(self, **troubles: Any) -> None:
        self.troubles = troubles
        self.told: list[Any] = []

    def begin(self, card: RunCard) -> None:
        self._note("begin", card.name)

    def record(self, images_seen: int, values: Mapping[str, float]) -> None:
        self._note("record", images_seen, dict(values))

    def pictures(self, images_seen: int, name: str, drawings: Drawings) -> None:
        self._note("pictures", images_seen, name, drawings)

    def finish(self, results: Mapping[str, Any], done: bool) -> None:
        self._note("finish", dict(results), done)

    def abandon(self) -> None:
        self._note("abandon")

    def check(self) -> None:
        self._note("check")

    def _note(self, what: str, *more: Any) -> None:
        trouble = self.troubles.get(what)
        if isinstance(trouble, threading.Event):
            trouble.wait()
        elif trouble is not None:
            raise trouble
        self.told.append((what, *more))


@pytest.fixture
def card(tmp_path: Path) -> RunCard:
    return RunCard(tmp_path, "abcd", "stage1", "toybirds", None, (), {}, {}, 0, 64)


def names(diary: Diary) -> list[str]:
    return [entry[0] for entry in diary.told]


def test_an_iteration_is_a_batch(card: RunCard) -> None:
    assert [card.iteration(seen) for seen in (0, 64, 6400)] == [0, 1, 100]


def test_all_calls_come_in_their_order(card: RunCard, capfd: pytest.CaptureFixture[str]) -> None:
    diary = Diary()
    guarded = guard("diary", diary)
    guarded.begin(card)
    row = {"loss": 1.0}
    guarded.record(64, row)
    row["loss"] = 2.0  # the row is kept as it was
    guarded.pictures(64, "sheets/test", LOOK)
    guarded.record(128, row)
    guarded.finish({"score": 0.5}, done=True)
    guarded.finish({"score": 0.5}, done=True)
    assert diary.told == [
        ("begin", "abcd"),
        ("record", 64, {"loss": 1.0}),
        ("pictures", 64, "sheets/test", LOOK),
        ("record", 128, {"loss": 2.0}),
        ("finish", {"score": 0.5}, True),
    ]
    assert capfd.readouterr().err == ""


def test_all_pictures_of_a_look_count() -> None:
    assert LOOK.nbytes == 2 * 4 * 4 * 3 + 2 * 2 * 2 * 3


def test_nothing_is_called_before_begin() -> None:
    diary = Diary()
    guarded = guard("diary", diary)
    guarded.record(64, {})
    guarded.finish({}, done=False)
    assert diary.told == []


def test_three_failures_and_one_line(card: RunCard, capfd: pytest.CaptureFixture[str]) -> None:
    diary = Diary(record=ValueError("no\nsuch  key"))
    guarded = guard("diary", diary)
    guarded.begin(card)
    for seen in range(64, 64 * 11, 64):
        guarded.record(seen, {})
    diary_thread_is_done(guarded)
    assert guarded.failures == 3
    guarded.pictures(640, "sheets/test", LOOK)
    guarded.finish({}, done=True)
    # What was begun may still close its files.
    assert names(diary) == ["begin", "finish"]
    line = (
        "tracker diary: ValueError: no such key; training goes on without it; the run's folder holds the same figures and sheets\n"
    )
    assert capfd.readouterr().err == line


def diary_thread_is_done(guarded: Any) -> None:
    deadline = time.monotonic() + 5
    while guarded.failures < 3 and time.monotonic() < deadline:
        time.sleep(0.001)


def test_one_failure_stops_nothing(card: RunCard, capfd: pytest.CaptureFixture[str]) -> None:
    diary = Diary(pictures=OSError("disk full"))
    guarded = guard("diary", diary)
    guarded.begin(card)
    guarded.pictures(64, "sheets/test", LOOK)
    guarded.record(64, {})
    guarded.finish({}, done=True)
    assert names(diary) == ["begin", "record", "finish"]
    assert capfd.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("trouble", [RuntimeError("down"), SystemExit(1), KeyboardInterrupt()])
def test_a_failed_begin_is_the_end_of_it(trouble: BaseException, card: RunCard, capfd: pytest.CaptureFixture[str]) -> None:
    diary = Diary(begin=trouble)
    guarded = guard("diary", diary)
    guarded.begin(card)
    guarded.record(64, {})
    guarded.finish({}, done=True)
    assert diary.told == []
    err = capfd.readouterr().err
    assert re.match(rf"tracker diary: {type(trouble).__name__}(: \w+)?; training goes on", err)
    assert err.count("\n") == 1


def test_a_failing_finish_says_so(card: RunCard, capfd: pytest.CaptureFixture[str]) -> None:
    guarded = guard("diary", Diary(finish=TimeoutError("slow")))
    guarded.begin(card)
    guarded.finish({}, done=True)
    assert capfd.readouterr().err == "tracker diary: TimeoutError: slow; the run's folder holds the same figures and sheets\n"


@pytest.mark.parametrize("hangs", ["begin", "record", "finish"])
def test_training_waits_for_no_hanging_call(hangs: str, card: RunCard, capfd: pytest.CaptureFixture[str]) -> None:
    release = threading.Event()
    diary = Diary(**{hangs: release})
    guarded = guard("diary", diary)
    then = time.perf_counter()
    guarded.begin(card)
    for seen in range(1000):
        guarded.record(seen, {"loss": 0.0})
    # A thousand rows within the time of one iteration.
    assert time.perf_counter() - then < 0.3
    then = time.perf_counter()
    guarded.finish({}, done=True)
    assert 0.4 < time.perf_counter() - then < 2
    assert names(diary)[-1] == "abandon"
    err = capfd.readouterr().err
    assert "tracker diary: not done within 0.5 s, given up; the run's folder holds the same figures and sheets\n" in err
    release.set()


def test_what_does_not_fit_is_counted(card: RunCard, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(room, "WAITING", 5)
    monkeypatch.setattr(room, "WAITING_BYTES", 2 * LOOK.nbytes)
    release = threading.Event()
    diary = Diary(begin=release)
    guarded = guard("diary", diary)
    guarded.begin(card)
    while not guarded._calls.empty():
        time.sleep(0.001)
    for seen in (1, 2, 3):
        guarded.pictures(seen, "sheets/test", LOOK)
    for seen in (4, 5, 6, 7):
        guarded.record(seen, {})
    release.set()
    guarded.finish({}, done=True)
    # Two albums fit by their bytes, five calls by their number.
    assert [entry[1] for entry in diary.told[1:-1]] == [1, 2, 4, 5, 6]
    line = "tracker diary: too slow, 2 rows or pictures were left out; the run's folder holds them all\n"
    assert capfd.readouterr().err == line


def test_only_a_users_error_from_check_comes_through() -> None:
    with pytest.raises(UserError):
        guard("diary", Diary(check=UserError("no key"))).check()
