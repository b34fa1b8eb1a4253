import os
import re
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from wandb_host import host

from stackgan.callbacks import wandb_reach
from stackgan.callbacks.tracker import RunCard, kept_id
from stackgan.callbacks.wandb_tracker import WandbTracker
from stackgan.core.errors import UserError


def fake(monkeypatch: pytest.MonkeyPatch, mode: str, key: bool, answers: bool) -> None:
    """A wandb with these settings and a host that answers or not."""
    settings = SimpleNamespace(mode=mode, base_url="https://wandb.example")
    module = SimpleNamespace(setup=lambda: SimpleNamespace(settings=settings), login=lambda **_: key, Error=RuntimeError)
    monkeypatch.setattr(wandb_reach, "load", lambda: module)
    monkeypatch.setattr(wandb_reach, "answers", lambda *_: answers)
    monkeypatch.setattr(wandb_reach, "_failed", [])


@pytest.mark.parametrize(
    ("mode", "environment", "key", "there", "way"),
    [
        ("auto", "online", True, True, ("online", "")),
        ("auto", "online", False, True, ("offline", "no API key")),
        ("auto", "online", True, False, ("offline", "wandb.example does not answer")),
        ("auto", "offline", True, True, ("offline", "WANDB_MODE=offline")),
        ("auto", "dryrun", True, True, ("offline", "WANDB_MODE=offline")),
        ("online", "online", True, False, ("online", "")),
        ("online", "offline", True, True, ("offline", "WANDB_MODE=offline")),
        ("offline", "online", True, True, ("offline", "mode=offline")),
        ("offline", "disabled", True, True, ("disabled", "WANDB_MODE=disabled")),
    ],
)
def test_the_way(
    mode: Any, environment: str, key: bool, there: bool, way: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, environment, key, there)
    found = wandb_reach.choose(mode)
    assert (found.mode, found.why) == way


def test_after_a_failure_nothing_goes_online_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, "online", key=True, answers=True)
    wandb_reach.remember_failure("wandb.init failed: too slow")
    assert wandb_reach.choose("online") == wandb_reach.Way("offline", "wandb.init failed: too slow")


@pytest.mark.parametrize(("heads", "seconds"), [(True, 2.0), (False, 0.3)])
def test_only_an_answer_counts(heads: bool, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with host(heads=heads) as server:
        then = time.perf_counter()
        assert wandb_reach.answers(server.url, seconds) is heads
        assert time.perf_counter() - then < 2


def test_a_refusal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    then = time.perf_counter()
    assert not wandb_reach.answers("http://127.0.0.1:9", 30.0)
    assert time.perf_counter() - then < 10


@pytest.mark.parametrize(("mode", "environment", "key", "refused"), [
    ("online", "online", False, True), ("online", "online", True, False), ("auto", "online", False, False),
    ("online", "offline", False, False),
])  # fmt: skip
def test_only_online_insists_on_a_key(
    mode: Any, environment: str, key: bool, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(monkeypatch, environment, key, answers=True)
    check: Callable[[], None] = WandbTracker(project="p", entity=None, mode=mode, tags=[], finish_seconds=8.0).check
    if refused:
        with pytest.raises(UserError, match=r"^logger.wandb.mode=online: no API key; run `wandb login`, .* or set mode=auto"):
            check()
    else:
        check()


@pytest.mark.parametrize("users", [None, "/users/own"])
@pytest.mark.parametrize("end", ["finish", "fail", "abandon"])
def test_the_folder_of_artifacts_is_that_of_the_run_while_it_lasts(
    end: str, users: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def finish(**_: Any) -> None:
        if end == "fail":
            raise TimeoutError

    fake(monkeypatch, "offline", key=False, answers=False)
    monkeypatch.setattr(wandb_reach, "_kept", [])
    if users is None:
        monkeypatch.delenv("WANDB_DATA_DIR", raising=False)
    else:
        monkeypatch.setenv("WANDB_DATA_DIR", users)
    tracker = WandbTracker(project="p", entity=None, mode="offline", tags=[], finish_seconds=8.0)
    run = SimpleNamespace(
        define_metric=lambda *_, **__: None, offline=True, dir=tmp_path / "wandb/1/files", summary={}, finish=finish
    )
    monkeypatch.setattr(tracker, "_init", lambda *_: run)
    tracker.begin(RunCard(tmp_path, "run", "stage1", "toybirds", None, (), {}, {}, 0, 1))
    assert os.environ["WANDB_DATA_DIR"] == (users or str(tmp_path / "wandb"))
    if end == "abandon":
        tracker.abandon()
    else:
        with pytest.raises(TimeoutError) if end == "fail" else nullcontext():
            tracker.finish({}, done=True)
    assert os.environ.get("WANDB_DATA_DIR") == users


def test_a_run_that_ends_late_leaves_the_next_ones_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_DATA_DIR", raising=False)
    monkeypatch.setattr(wandb_reach, "_kept", [])
    for name in ("first", "second"):
        wandb_reach.keep_in(tmp_path / name)
    wandb_reach.let_go(tmp_path / "first")
    assert os.environ["WANDB_DATA_DIR"] == str(tmp_path / "second")
    wandb_reach.let_go(tmp_path / "second")
    assert "WANDB_DATA_DIR" not in os.environ


def test_the_id_is_made_once(tmp_path: Path) -> None:
    made = kept_id(tmp_path / "wandb-id")
    assert re.fullmatch(r"[0-9a-f]{12}", made)
    assert kept_id(tmp_path / "wandb-id") == made
    assert kept_id(tmp_path / "other") != made
