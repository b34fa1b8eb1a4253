"""Checkpoints: plain data, whole or not there, the last few kept, nothing in them run."""

import os
import pickle
import re
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from stackgan.core.errors import UserError
from stackgan.runs import checkpoint
from stackgan.runs.checkpoint import Clock, Keeper, Resume, load, newest

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


def trainer() -> Any:
    return SimpleNamespace(is_global_zero=True, should_stop=False, is_last_batch=False)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(keeper: Keeper, stage: Counting, until: int, batch: int = 4) -> Any:
    """Train to so many images, as far as the Keeper can tell."""
    by = trainer()
    keeper.on_train_start(by, stage)
    try:
        while stage.images_seen < until and not by.should_stop:
            stage.images_seen += batch
            keeper.on_train_batch_end(by, stage)
        keeper.on_train_end(by, stage)
    finally:
        keeper.teardown(by, stage, "fit")
    return by


def test_saves_when_due_and_at_the_end_and_keeps_the_last(tmp_path: Path) -> None:
    saved = []
    keeper = Keeper(tmp_path, HEAD, every_images=10, keep=2)
    save = torch.save

    def listening(state: Any, path: Any) -> None:
        saved.append(state["images_seen"])
        save(state, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "save", listening)
        run(keeper, Counting(), 34)
    assert saved == [12, 20, 32, 36]
    assert names(tmp_path) == ["seen-000000032.pt", "seen-000000036.pt"]
    found = newest(tmp_path)
    assert found is not None
    state = torch.load(found)  # default arguments: nothing but data
    assert state["images_seen"] == 36
    assert state["config"] == {"seed": 0}
    assert state["weights"]["w"].tolist() == [36.0, 36.0]
    assert load(found).keys() == state.keys()


def test_goes_on_where_it_was_left(tmp_path: Path) -> None:
    run(Keeper(tmp_path, HEAD, every_images=1000, keep=3), Counting(), 8)
    stage = Counting(8)
    Resume(load(tmp_path / "seen-000000008.pt")).on_train_start(trainer(), stage)
    assert stage.loaded["images_seen"] == 8
    before = (tmp_path / "seen-000000008.pt").stat().st_mtime_ns
    run(Keeper(tmp_path, HEAD, every_images=1000, keep=3), stage, 8)
    assert (tmp_path / "seen-000000008.pt").stat().st_mtime_ns == before  # nothing new, nothing written
    run(Keeper(tmp_path, HEAD, every_images=1000, keep=3), stage, 16)
    assert names(tmp_path) == ["seen-000000008.pt", "seen-000000016.pt"]


def test_other_ranks_do_not_write(tmp_path: Path) -> None:
    Keeper(tmp_path, HEAD, 1, 1).save(SimpleNamespace(is_global_zero=False), Counting(4))  # type: ignore[arg-type]
    assert names(tmp_path) == []


@pytest.mark.parametrize("error", [RuntimeError("disk full"), KeyboardInterrupt()])
def test_a_failed_save_leaves_the_old_one_and_nothing_else(tmp_path: Path, error: BaseException, monkeypatch: Any) -> None:
    stage, keeper = Counting(4), Keeper(tmp_path, HEAD, every_images=4, keep=1)
    keeper.save(trainer(), stage)

    def half(state: Any, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise error

    monkeypatch.setattr(torch, "save", half)
    stage.images_seen = 8
    with pytest.raises(type(error)):
        keeper.save(trainer(), stage)
    assert names(tmp_path) == ["seen-000000004.pt"]
    assert load(tmp_path / "seen-000000004.pt")["images_seen"] == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_its_iteration(tmp_path: Path, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    keeper, stage = Keeper(tmp_path, HEAD, every_images=1000, keep=2), Counting()
    run_state = stage.run_state
    by = trainer()
    keeper.on_train_start(by, stage)
    os.kill(os.getpid(), number)
    assert not by.should_stop
    stage.images_seen += 4
    keeper.on_train_batch_end(by, stage)
    assert by.should_stop
    assert keeper.stopped == number
    assert names(tmp_path) == ["seen-000000004.pt"]
    with pytest.raises(KeyboardInterrupt):  # the second one does not wait
        os.kill(os.getpid(), number)
    keeper.teardown(by, stage, "fit")
    assert signal.getsignal(number) == before
    assert run_state()["images_seen"] == 4


def test_newest_is_the_most_images_seen(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    assert newest(tmp_path / "nowhere") is None
    for name in ("seen-000000900.pt", "seen-000001000.pt", "seen-1000000000.pt", ".seen-000009000.pt.1.part", "seen-latest.pt"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "seen-000000900.pt")
    found = newest(tmp_path)
    assert found is not None
    assert found.name == "seen-1000000000.pt"


class Bomb:
    """Pickled code."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "it ran"
    torch.save(HEAD | {"weights": Bomb(trap)}, tmp_path / "zip.pt")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Bomb(trap), protocol=2))
    for name in ("zip.pt", "bare.pt"):
        with pytest.raises(UserError, match=re.escape(name)):
            load(tmp_path / name)
    assert not trap.exists()
    pickle.loads((tmp_path / "bare.pt").read_bytes())
    assert trap.exists()  # the trap itself works


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 cut off"])
def test_garbage_is_refused_with_a_way_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "seen-000000004.pt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"cannot be read.*delete it to go on from the one before") as caught:
        load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("value", [{"weights": {}}, {"format": checkpoint.FORMAT + 1}, [1, 2], torch.zeros(2)])
def test_foreign_files_are_refused(tmp_path: Path, value: Any) -> None:
    torch.save(value, tmp_path / "seen-000000004.pt")
    with pytest.raises(UserError, match=f"not a checkpoint of this version \\(format {checkpoint.FORMAT}\\)"):
        load(tmp_path / "seen-000000004.pt")


def test_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path / "seen-000000004.pt")


def test_clock() -> None:
    times = iter([10.0, 14.5])
    clock = Clock(now=lambda: next(times))
    clock.on_train_start(trainer(), Counting(8))  # type: ignore[arg-type]
    clock.on_train_end(trainer(), Counting(40))  # type: ignore[arg-type]
    assert (clock.seconds, clock.images) == (4.5, 32)
