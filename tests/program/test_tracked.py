"""A run of two ranks with W&B, offline: what wandb's own reader finds in its file is what the run's folder says."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import BIRDS, SMALL, Program
from PIL import Image
from test_training import same, state
from wandb_programs import environment, files, history, records, tables

from stackgan.callbacks.tracker import RunCard
from stackgan.callbacks.wandb_tracker import WandbTracker

pytestmark = [pytest.mark.slow, pytest.mark.ddp]

RUN = Path("logs/stage1/toybirds/one")
WORDS = (*(word for word in SMALL if word != "logger=none"), "trainer.accelerator=cpu", "stage.images=24", "run.name=one")

SCORE = "inception_score/small-toybirds"
JUDGE = (
    "stage=judge", "stage.classifier.network.width=4", "stage.recipe.batch_size=4", "stage.images=16", "logger=none", *BIRDS,
    "trainer.precision=32-true",
)  # fmt: skip


@pytest.fixture
def nowhere(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no host, an empty home."""
    for name in [name for name in os.environ if name.startswith("WANDB_")]:
        monkeypatch.delenv(name)
    for name, value in environment(desk / "home").items():
        monkeypatch.setenv(name, value)
    (desk / "home").mkdir()


def test_two_ranks_offline(nowhere: None, shell: Program, desk: Path) -> None:
    ended = shell(*WORDS, "trainer.devices=2", "callbacks.sheets.every_images=12")
    assert ended.code == 0, ended.err
    assert [line for line in ended.err.splitlines() if "W&B" in line] == [
        f"W&B: offline (no API key); wandb sync {RUN}/wandb/offline-run-* sends it later"
    ]
    (file,) = files(RUN)  # one file, of the first rank
    found = history(desk / file)
    with (RUN / "metrics.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    for name in ("discriminator/real_conditional", "discriminator/r1", "generator/kl", "agreement/test/normalised", "generator_lr"):
        ours = [(int(row["images_seen"]), float(row[name])) for row in rows if row[name]]
        theirs = [(row["images_seen"], row[name]) for row in found if name in row]
        assert ours == theirs
        assert ours
    assert {row["_step"]: row["images_seen"] for row in found if "generator/kl" in row} == {n: 4 * n for n in range(1, 7)}
    shown = [row for row in found if "drawn/test.captions" in row]
    assert [row["images_seen"] for row in shown] == [0, 12, 24]
    with Image.open(desk / file / "files" / shown[-1]["drawn/test.filenames"][0]) as picture:
        drawn = np.asarray(picture)
    assert drawn.shape == (64, 64, 3)
    assert drawn.std() > 0
    assert all(len(caption.split()) > 3 for caption in shown[-1]["drawn/test.captions"])
    looks = tables(desk / file, "drawn/test/table")
    assert [look["images seen"] for look in looks] == [[0, 0], [12, 12], [24, 24]]
    assert looks[-1]["sentence"] == shown[-1]["drawn/test.captions"]
    assert {tuple(look["key"]) for look in looks} == {tuple(looks[0]["key"])}, "the same noise at every look"
    with Image.open(looks[-1]["drawn"][0]) as kept, Image.open(looks[-1]["real"][0]) as real:
        assert np.array_equal(np.asarray(kept), drawn)
        assert real.size == (64, 64)
    (run,) = records(desk / file, "run")
    config: dict[str, Any] = run["config"]["update"]
    assert config["stage"] == json.loads((RUN / "config.json").read_text())["stage"]
    assert config["provenance"]["data"] == json.loads((RUN / "provenance.json").read_text())["data"]
    assert {"stage1", "toybirds", "light", "modern", "hashing"} == set(run["tags"])
    assert run["run_id"] == (RUN / "wandb-id").read_text().strip()


def test_two_ranks_score_what_one_scores_and_track_it(nowhere: None, shell: Program, desk: Path) -> None:
    """Each rank draws and judges half; the weights of both runs are those before the first step, so the scores must agree."""
    judge = shell(*JUDGE)
    assert judge.code == 0, judge.err
    looks = (
        "callbacks.scores.every_images=12",
        "callbacks.scores.n=70",
        "callbacks.agreement=null",
        "stage.recipe.generator_lr=1e-12",
    )
    found: dict[int, list[Any]] = {}
    for ranks in (1, 2):
        words = [word for word in WORDS if not word.startswith(("run.name", "callbacks.agreement"))]
        ended = shell(*words, *looks, f"trainer.devices={ranks}", f"run.name=of{ranks}", "trainer.accelerator=cpu")
        assert ended.code == 0, ended.err
        (file,) = files(RUN.with_name(f"of{ranks}"))
        rows = [row for row in history(desk / file) if SCORE in row]
        assert [row["images_seen"] for row in rows] == [12, 24]
        assert {row[f"{SCORE}/n"] for row in rows} == {70}
        found[ranks] = [row[SCORE] for row in rows]
    assert found[2] == pytest.approx(found[1], rel=1e-3)


def test_a_tracker_that_cannot_begin_costs_nothing_else(nowhere: None, program: Program, desk: Path, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("no wandb today")

    with monkeypatch.context() as patch:
        patch.setattr("stackgan.callbacks.wandb_tracker.WandbTracker.begin", broken)
        ended = program(*WORDS)
    assert ended.code == 0
    assert "tracker wandb: RuntimeError: no wandb today; training goes on without it" in ended.err
    assert program(*WORDS, "run.name=two").code == 0
    assert program(*WORDS, "run.name=three", "logger=none").code == 0
    a, b, c = (state(RUN.with_name(name))["weights"] for name in ("one", "two", "three"))
    assert same(a, b)
    assert same(a, c)


def test_a_sweeps_jobs_are_runs_of_their_own_in_one_group(program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cards: list[RunCard] = []
    monkeypatch.setattr(WandbTracker, "begin", lambda tracker, card: cards.append(card))
    words = [word for word in WORDS if not word.startswith("run.name")]
    ended = program(
        "-m", *words, "callbacks.sheets=null", "callbacks.agreement=null", "seed=0,1", "sweep.name=seeds", "stage.images=8"
    )
    assert ended.code == 0, ended.err
    assert [card.group for card in cards] == ["seeds", "seeds"]
    assert [card.config["seed"] for card in cards] == [0, 1]
    assert len({card.folder for card in cards}) == 2
    assert program(*WORDS, "stage.images=8").code == 0
    assert cards[-1].group is None
