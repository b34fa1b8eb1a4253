"""One run in all trackers at once, continued with a longer budget: each shows what metrics.csv has, as one curve."""

import csv
import importlib.util
import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from commands import SMALL, Program
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb_programs import environment, files, history, records

from stackgan.launch import identity
from stackgan.report import wandb_pages
from stackgan.report.record import read
from stackgan.report.variants import variants
from stackgan.runs.folder import RunFolder

pytestmark = pytest.mark.slow

RUN = Path("logs/stage1/toybirds/one")
TRACKIO = importlib.util.find_spec("trackio") is not None
WORDS = (*(word for word in SMALL if word != "logger=none"), "trainer.accelerator=cpu", "run.name=one")
NAMES = ("generator/kl", "discriminator/r1", "agreement/test/normalised", "generator_lr")
Curve = list[tuple[int, float]]


@pytest.fixture
def folder(desk: Path, shell: Program, monkeypatch: pytest.MonkeyPatch) -> Path:
    """12 images, then 24; no key, no host, an empty home."""
    (desk / "home").mkdir()
    for name in [name for name in os.environ if name.startswith(("WANDB_", "TRACKIO_"))]:
        monkeypatch.delenv(name)
    for name, value in environment(desk / "home").items():
        monkeypatch.setenv(name, value)
    loggers = f"logger=[wandb,tensorboard{',trackio' if TRACKIO else ''}]"
    for images in (12, 24):
        ended = shell(*WORDS, loggers, f"stage.images={images}", "callbacks.sheets.every_images=12")
        assert ended.code == 0, ended.err
        assert "tracker " not in ended.err
    return desk / RUN


def metrics(folder: Path, name: str) -> Curve:
    with (folder / "metrics.csv").open(newline="") as lines:
        return [(int(row["images_seen"]), float(row[name])) for row in csv.DictReader(lines) if row[name]]


def of_trackio(desk: Path) -> list[tuple[int, dict[str, Any]]]:
    with closing(sqlite3.connect(desk / "logs" / "trackio" / "stackgan.db")) as database:
        assert len(database.execute("SELECT DISTINCT run_id FROM metrics").fetchall()) == 1
        return [(step, json.loads(row)) for step, row in database.execute("SELECT step, metrics FROM metrics ORDER BY id")]


def test_every_tracker_has_the_figures_and_pictures_of_a_continued_run(folder: Path, desk: Path) -> None:
    rows = [row for file in files(folder) for row in history(file)]
    board = EventAccumulator(str(folder / "tensorboard"), {"tensors": 0, "images": 0, "scalars": 0})
    board.Reload()
    assert len(files(folder)) == 2
    for name in NAMES:
        ours = metrics(folder, name)
        assert [(row["images_seen"], row[name]) for row in rows if name in row] == ours
        theirs = [(event.step, event.value) for event in board.Scalars(name)]
        assert theirs == [(seen, pytest.approx(value)) for seen, value in ours]
        if TRACKIO:
            assert [(step, row[name]) for step, row in of_trackio(desk) if name in row] == ours
    captions = next(row["drawn/test.captions"] for row in rows if "drawn/test.captions" in row)
    for index, caption in enumerate(captions):
        assert [event.step for event in board.Images(f"drawn/test/{index:02d} {caption}")] == [0, 12, 24]
        if TRACKIO:
            shown = [(step, row[f"drawn/test/{index:02d}"]) for step, row in of_trackio(desk) if f"drawn/test/{index:02d}" in row]
            assert [(step, value["caption"]) for step, value in shown] == [(step, caption) for step in (0, 12, 24)]
    assert [row["images_seen"] for row in rows if "drawn/test.captions" in row] == [0, 12, 24]


def test_pages_that_compare_publishes_ask_for_nothing_that_was_not_logged(folder: Path) -> None:
    """Keys, ids and settings as wandb's own reader finds them in the run's files."""
    found, _ = variants([read(RunFolder(folder), identity.identity)])
    keys = wandb_pages.logged(found, ["agreement/*/normalised", "diversity/*"], ["generator/*", "discriminator/*"])
    rows = [row for file in files(folder) for row in history(file)]
    names = {name for row in rows for name in row}
    assert {"agreement/test/normalised", "diversity/within"} < set(keys.scores) <= names
    assert {"generator/kl", "discriminator/r1"} < set(keys.losses) <= names
    assert set(keys.images) == {name.removesuffix(".captions") for name in names if name.endswith(".captions")}
    run = records(files(folder)[0], "run")[0]
    assert wandb_pages.ids(found) == [run["run_id"]]
    assert "images_seen" in names
    assert run["config"]["update"]["stage"]["conditioning_augmentation"] is True
