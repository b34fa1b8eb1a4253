"""SIGTERM at awkward moments: before the first iteration, in the last look, in a sweep; and what a stopped run becomes."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from commands import SMALL, Program
from test_training import done, rows, same, state

from stackgan.callbacks.agreement import ColourAgreement
from stackgan.callbacks.sheets import Sheets

ONE = (*SMALL, "run.name=one", "stage.images=24", "trainer.checkpoint_every_images=8", "trainer.checkpoints_kept=9")
RUN = Path("logs/stage1/toybirds/one")
STOPPED = 128 + signal.SIGTERM


def with_signal(patch: pytest.MonkeyPatch, owner: Any, method: str) -> None:
    """The method as it is, with SIGTERM at its beginning."""
    real = getattr(owner, method)

    def signalled(*words: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return real(*words)

    patch.setattr(owner, method, signalled)


def test_before_the_first_iteration(program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        with_signal(patch, Sheets, "begin")
        ended = program(*ONE)
    assert ended.code == STOPPED
    assert ended.out.splitlines()[-1] == "stopped by SIGTERM after 4 images; the same command goes on from there"
    assert [path.name for path in (RUN / "checkpoints").iterdir()] == ["seen-000000004.pt"]
    done(program, *ONE)
    done(program, *ONE, "run.name=two")
    assert same(state(RUN)["weights"], state(RUN.with_name("two"))["weights"])
    assert rows(RUN) == rows(RUN.with_name("two"))


def test_in_the_last_look_the_run_ends_and_so_does_its_sweep(program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [word for word in ONE if not word.startswith("run.name")]
    with monkeypatch.context() as patch:
        with_signal(patch, ColourAgreement, "look")
        ended = program("-m", *words, "seed=0,1")
    assert ended.code == STOPPED
    assert ended.out.splitlines()[-1] == "stopped by SIGTERM after 24 images; which was all"
    (only,) = Path("sweeps").glob("*/stage1/toybirds/*/DONE")
    assert "agreement/test/normalised" in json.loads((only.parent / "results.json").read_text())


def test_a_stopped_run_given_a_smaller_budget_is_looked_at(program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*words: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return {}

    with monkeypatch.context() as patch:
        patch.setattr(ColourAgreement, "look", stop)
        assert program(*ONE, "callbacks.agreement.every_images=12").code == STOPPED
    assert not (RUN / "DONE").exists()
    out = done(program, *ONE, "stage.images=8")
    assert "agreement/test/normalised" in json.loads((RUN / "results.json").read_text())
    assert json.loads((RUN / "DONE").read_text()) == {"images_seen": 12}
    assert f"sheet: {RUN}/sheets/seen-000000012-test.png" in out
