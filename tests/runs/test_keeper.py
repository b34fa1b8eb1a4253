"""The Keeper: when it saves, what it keeps, what it does where it cannot, and how a run goes on from it."""

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback

from stackgan.core.errors import RunError
from stackgan.core.ranges import BestIs
from stackgan.runs import checkpoint, keeper, stopping
from stackgan.runs.checkpoint import load
from stackgan.runs.keeper import Keeper, Resume
from stackgan.runs.stopping import Council, Wishes

HEAD = {"format": checkpoint.FORMAT, "config": {"seed": 0}}


class Counting:
    """As much of a stage as a Keeper sees."""

    def __init__(self, seen: int = 0) -> None:
        self.images_seen = seen
        self.loaded: Any = None

    def run_state(self) -> dict[str, Any]:
        return {"images_seen": self.images_seen, "weights": {"w": torch.full((2,), float(self.images_seen))}}

    def load_run_state(self, state: Any) -> None:
        self.loaded = state

    def check_finite(self) -> None:
        """All is well."""


class Remembering(Callback):
    """A callback with a state."""

    def __init__(self) -> None:
        self.value = 0

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.value}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.value = state_dict["value"]


def trainer(*callbacks: Any, lead: bool = True) -> Any:
    return SimpleNamespace(is_global_zero=lead, should_stop=False, is_last_batch=False, world_size=1, callbacks=list(callbacks))


def kept(folder: Path, every_images: int, keep: int = 2, best: str | None = None, best_is: BestIs = "highest") -> Keeper:
    return Keeper(folder, HEAD, every_images, keep, best, best_is, {}, Wishes())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(keeper: Keeper, stage: Counting, until: int, before_save: Callable[[int], None] = lambda seen: None, by: Any = None) -> Any:
    """Train to so many images, four at a time, as far as the Keeper can tell."""
    by = by or trainer(keeper)
    keeper.on_train_start(by, stage)
    with keeper.wishes:
        while stage.images_seen < until and not by.should_stop:
            stage.images_seen += 4
            by.is_last_batch = stage.images_seen >= until
            before_save(stage.images_seen)
            keeper.on_train_batch_end(by, stage)
        keeper.on_train_end(by, stage)
    return by


def test_saves_when_due_and_at_the_end_and_keeps_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []
    save = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda path, state: (saved.append(state["images_seen"]), save(path, state)))
    run(kept(tmp_path, 10), Counting(), 34)
    assert saved == [12, 20, 32, 36]
    assert names(tmp_path) == ["seen-000000032.pt", "seen-000000036.pt"]
    state = torch.load(tmp_path / "seen-000000036.pt")  # default arguments: nothing but data
    assert state["images_seen"] == 36
    assert state["config"] == {"seed": 0}
    assert state["weights"]["w"].tolist() == [36.0, 36.0]


def test_goes_on_where_it_was_left(tmp_path: Path) -> None:
    run(kept(tmp_path, 1000), Counting(), 8)
    stage = Counting(8)
    Resume(load(tmp_path / "seen-000000008.pt")).on_train_start(trainer(), stage)
    assert stage.loaded["images_seen"] == 8
    before = (tmp_path / "seen-000000008.pt").stat().st_mtime_ns
    run(kept(tmp_path, 1000), stage, 8)
    assert (tmp_path / "seen-000000008.pt").stat().st_mtime_ns == before  # nothing new, nothing written
    run(kept(tmp_path, 1000), stage, 16)
    assert names(tmp_path) == ["seen-000000008.pt", "seen-000000016.pt"]


def test_callbacks_states_travel(tmp_path: Path) -> None:
    remembering, first = Remembering(), kept(tmp_path, 1000, best="score")
    remembering.value = 7
    first.noticed(4, {"score": 0.5})
    first.results["agreement"] = 0.25
    run(first, Counting(), 8, by=trainer(remembering, first))
    fresh, second = Remembering(), kept(tmp_path, 1000, best="score")
    Resume(load(tmp_path / "seen-000000008.pt")).on_train_start(trainer(fresh, second), Counting())
    assert fresh.value == 7
    assert second.results == {"agreement": 0.25}
    assert second.state_dict() == {"best": 0.5, "is_best": False, "seen": -1, "results": {"agreement": 0.25}}
    second.noticed(12, {"score": 0.4})
    assert not second._is_best


def test_other_ranks_do_not_write_but_are_asked_for_their_state(tmp_path: Path) -> None:
    asked: list[int] = []
    remembering = Remembering()
    remembering.state_dict = lambda: asked.append(1) or {}  # type: ignore[method-assign, return-value, func-returns-value]
    run(kept(tmp_path, 4), Counting(), 8, by=trainer(remembering, lead=False))
    assert names(tmp_path) == []
    assert len(asked) == 2


def test_the_best_stays_when_newer_ones_push_it_out(tmp_path: Path) -> None:
    scores = {8: 0.2, 16: 0.6, 24: float("nan"), 28: 0.6, 32: 0.5}
    one = kept(tmp_path, 8, best="score")

    def score(seen: int) -> None:
        if seen in scores:
            one.noticed(seen, {"other": 9.0, "score": scores[seen]})

    run(one, Counting(), 40, score)
    assert names(tmp_path) == ["best-000000016.pt", "seen-000000032.pt", "seen-000000040.pt"]
    assert checkpoint.best(tmp_path) == tmp_path / "best-000000016.pt"
    assert load(tmp_path / "best-000000016.pt")["images_seen"] == 16
    newest = checkpoint.newest(tmp_path)
    assert newest is not None
    assert newest.name == "seen-000000040.pt"  # a best one is nothing to go on from


def test_of_a_distance_the_lowest_is_the_best(tmp_path: Path) -> None:
    scores = {8: 0.2, 16: -0.1, 24: float("nan"), 32: 0.0}
    one = kept(tmp_path, 8, best="score", best_is="lowest")
    run(one, Counting(), 40, lambda seen: one.noticed(seen, {"score": scores.get(seen, 0.5)}))
    assert checkpoint.best(tmp_path) == tmp_path / "best-000000016.pt"


def test_a_best_between_two_saves_is_saved(tmp_path: Path) -> None:
    one = kept(tmp_path, 1000, best="score")
    run(one, Counting(), 16, lambda seen: one.noticed(seen, {"score": 1.0 if seen == 8 else 0.0}))
    assert names(tmp_path) == ["best-000000008.pt", "seen-000000008.pt", "seen-000000016.pt"]


def test_without_links_the_best_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    one = kept(tmp_path, 1000, best="score")
    run(one, Counting(), 8, lambda seen: one.noticed(seen, {"score": float(seen)}))
    assert load(tmp_path / "best-000000008.pt")["images_seen"] == 8
    assert not [name for name in names(tmp_path) if name.endswith(".part")]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), RuntimeError("unexpected pos 704\nat ...")])
def test_a_full_disk_costs_no_checkpoint_but_the_one_that_does_not_fit(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From 12 to 24 images the disk is full; older ones make room, the newest good one stays; then there is room again."""
    full, save = range(12, 28), checkpoint.save

    def saving(path: Path, state: Any) -> None:
        if state["images_seen"] in full:
            raise error
        save(path, state)

    monkeypatch.setattr(checkpoint, "save", saving)
    left: dict[int, list[str]] = {}
    run(kept(tmp_path, 4), Counting(), 32, lambda seen: left.update({seen: names(tmp_path)}))
    assert left[12] == ["seen-000000004.pt", "seen-000000008.pt"]
    assert left[16] == left[28] == ["seen-000000008.pt"]
    assert names(tmp_path) == ["seen-000000028.pt", "seen-000000032.pt"]
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 4
    assert all(
        line.startswith("warning: checkpoint ") and "training goes on" in line and "seen-000000008.pt is kept" in line
        for line in err
    )


def test_a_full_disk_at_the_end_is_an_error_that_names_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(kept(tmp_path, 1000), Counting(), 8)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "save", full)
    with pytest.raises(RunError, match=r"cannot be written .*No space left.* the same command goes on from .*seen-000000008.pt"):
        run(kept(tmp_path, 1000), Counting(8), 16)
    assert names(tmp_path) == ["seen-000000008.pt"]


def test_a_full_disk_with_a_best_score_is_tried_once_and_the_next_best_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0.9 at 8 images finds the disk full; 0.8 at 16 is then the best that there is."""
    tried, save = list[int](), checkpoint.save

    def saving(path: Path, state: Any) -> None:
        tried.append(state["images_seen"])
        if state["images_seen"] == 8:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(path, state)

    monkeypatch.setattr(checkpoint, "save", saving)
    one = kept(tmp_path, 1000, best="score")
    scores = {8: 0.9, 16: 0.8, 20: 0.7}
    run(one, Counting(), 28, lambda seen: one.noticed(seen, {"score": scores[seen]}) if seen in scores else None)
    assert tried == [8, 8, 16, 28]
    assert names(tmp_path) == ["best-000000016.pt", "seen-000000016.pt", "seen-000000028.pt"]
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_read_only_folder_makes_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(kept(tmp_path, 4), Counting(), 8)

    def read_only(*_: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(checkpoint, "save", read_only)
    with pytest.raises(RunError, match="Read-only file system"):
        run(kept(tmp_path, 1000), Counting(8), 16)
    assert names(tmp_path) == ["seen-000000004.pt", "seen-000000008.pt"]


def test_a_kill_between_writing_and_naming_the_best_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    def scored(seen: int) -> None:
        one.noticed(seen, {"score": {8: 0.2, 16: 0.6}.get(seen, 0.0)})

    one = kept(tmp_path, 1000, best="score")
    with monkeypatch.context() as patch:
        links = iter([os.link, os.link, killed])
        patch.setattr(os, "link", lambda *words: next(links)(*words))
        with pytest.raises(KeyboardInterrupt):
            run(one, Counting(), 24, scored)
    assert names(tmp_path) == ["best-000000008.pt", "seen-000000004.pt", "seen-000000008.pt", "seen-000000016.pt"]
    found = checkpoint.newest_whole(tmp_path)
    assert found is not None
    again, resume = kept(tmp_path, 1000, best="score"), Resume(found[1])
    by = trainer(again)
    resume.on_train_start(by, Counting(16))
    again.on_train_start(by, Counting(16))
    assert names(tmp_path) == ["best-000000016.pt", "seen-000000004.pt", "seen-000000008.pt", "seen-000000016.pt"]


def test_two_bests_become_one(tmp_path: Path) -> None:
    for name in ("best-000000004.pt", "best-000000012.pt"):
        (tmp_path / name).touch()
    one = kept(tmp_path, 1000, best="score")
    run(one, Counting(), 8, lambda seen: one.noticed(seen, {"score": float(seen)}))
    assert [name for name in names(tmp_path) if name.startswith("best")] == ["best-000000008.pt"]


def test_where_the_best_cannot_be_named_the_checkpoint_is_still_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    monkeypatch.setattr(keeper.shutil, "copyfile", full)
    one = kept(tmp_path, 1000, best="score")
    run(one, Counting(), 8, lambda seen: one.noticed(seen, {"score": float(seen)}))
    assert names(tmp_path) == ["seen-000000004.pt", "seen-000000008.pt"]
    assert "best-000000004.pt: cannot be kept (No space left on device); training goes on" in capsys.readouterr().err


def test_the_log_is_made_safe_before_a_checkpoint(tmp_path: Path) -> None:
    secured: list[list[str]] = []
    one = Keeper(tmp_path, HEAD, 4, 9, None, "highest", {}, Wishes(), lambda: secured.append(names(tmp_path)))
    run(one, Counting(), 8)
    assert secured == [[], ["seen-000000004.pt"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_its_iteration(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    one, stage = kept(tmp_path, 1000), Counting()
    by = trainer(one)
    with one.wishes:
        one.on_train_start(by, stage)
        os.kill(os.getpid(), number)
        assert not by.should_stop
        stage.images_seen += 4
        one.on_train_batch_end(by, stage)
        assert by.should_stop
        assert one.stopped == number
        assert names(tmp_path) == ["seen-000000004.pt"]
        with pytest.raises(KeyboardInterrupt):  # the second one does not wait
            os.kill(os.getpid(), number)
        one.on_train_end(by, stage)
    assert signal.getsignal(number) == before


def test_a_signal_in_the_last_iteration_lets_it_finish(tmp_path: Path) -> None:
    one = kept(tmp_path, 1000)
    run(one, Counting(), 8, lambda seen: os.kill(os.getpid(), signal.SIGTERM) if seen == 8 else None)
    assert names(tmp_path) == ["seen-000000008.pt"]
    assert load(tmp_path / "seen-000000008.pt")["final"]
    assert one.stopped == signal.SIGTERM


def test_ranks_agree_on_the_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    other = torch.tensor([0, 1, 7])
    monkeypatch.setattr(stopping.distributed, "new_group", lambda backend: backend)

    def all_reduce(said: torch.Tensor, how: Any, group: Any) -> None:
        assert (how, group) == (stopping.distributed.ReduceOp.MAX, "gloo")
        torch.maximum(said, other, out=said)

    monkeypatch.setattr(stopping.distributed, "all_reduce", all_reduce)
    assert Council(2).agree(15, 0, 2) == [15, 1, 7]
    assert Council(1).agree(15, 0, 2) == [15, 0, 2]
