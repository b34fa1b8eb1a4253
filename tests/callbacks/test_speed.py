"""The clock and the wait for data, by clocks that tell what they are told."""

from types import SimpleNamespace
from typing import Any

import pytest

from stackgan.callbacks import speed
from stackgan.callbacks.speed import Clock, DataWait


def test_only_fetching_counts_as_waiting() -> None:
    times = iter([10.0, 10.5, 20.0, 22.0])
    wait = DataWait(lambda: next(times))
    for action in (
        "[_TrainingEpochLoop].train_dataloader_next",
        "run_training_batch",
        "[_TrainingEpochLoop].train_dataloader_next",
    ):
        wait.start(action)
        wait.stop(action)
    assert wait.seconds == 2.5


def test_the_clock_goes_on_over_starts() -> None:
    now, trainer = [100.0], SimpleNamespace()
    wait = DataWait()
    first = Clock(wait, lambda: now[0])
    stage: Any = SimpleNamespace(images_seen=0)
    first.on_train_start(trainer, stage)  # type: ignore[arg-type]
    now[0], stage.images_seen, wait.seconds = 104.0, 32, 1.0
    kept = first.state_dict()
    assert kept == {"seconds": 4.0, "waited": 1.0, "images": 32}
    second = Clock(DataWait(), lambda: now[0])
    now[0], stage = 500.0, SimpleNamespace(images_seen=32)
    second.on_train_start(trainer, stage)  # type: ignore[arg-type]
    second.load_state_dict(kept)
    now[0], stage.images_seen, second.wait.seconds = 506.0, 80, 0.5
    assert second.state_dict() == {"seconds": 10.0, "waited": 1.5, "images": 80}


def test_figures() -> None:
    found = speed.figures({"seconds": 8.04, "waited": 2.01, "images": 200})
    assert {name: found[name] for name in ("seconds", "images_per_second", "data_wait")} == {
        "seconds": 8.0, "images_per_second": 24.9, "data_wait": 0.25,
    }  # fmt: skip
    assert 0.01 < found["peak_memory_gib"] < 64
    assert "images_per_second" not in speed.figures({"seconds": 0.0, "waited": 0.0, "images": 0})


@pytest.mark.parametrize(("platform", "gib"), [("linux", 2.0), ("darwin", 0.0)])
def test_peak_memory_knows_the_systems_unit(platform: str, gib: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed.sys, "platform", platform)
    monkeypatch.setattr(speed.resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=2 * 2**20))
    assert speed.peak_memory()["peak_memory_gib"] == gib
