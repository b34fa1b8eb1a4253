"""What Trackio's database holds after runs that were tracked without a network."""

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from wandb_session import pictures

from stackgan.callbacks.trackio_tracker import TrackioTracker
from stackgan.core.errors import UserError

TESTS = Path(__file__).parents[1]
needs_trackio = pytest.mark.skipif(
    importlib.util.find_spec("trackio") is None,
    reason="no trackio: it wants Pillow < 13 and so is in no other extra; pip install --editable '.[trackio]'",
)


def session(root: Path, first: int, last: int, *more: str) -> subprocess.CompletedProcess[str]:
    (root / "home").mkdir(exist_ok=True)
    (root / "abcd").mkdir(exist_ok=True)
    words = [str(root / "abcd"), str(root / "store"), str(first), str(last), *more]
    path = os.pathsep.join([str(TESTS.parent / "src"), str(TESTS), str(TESTS / "callbacks")])
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKIO_", "HF_"))}
    return subprocess.run(
        [sys.executable, str(TESTS / "callbacks" / "trackio_session.py"), *words],
        env=clean | {"HOME": str(root / "home"), "PYTHONPATH": path},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def rows(root: Path) -> list[tuple[int, dict[str, Any]]]:
    with closing(sqlite3.connect(root / "store" / "stackgan.db")) as database:
        found = database.execute("SELECT step, metrics FROM metrics ORDER BY id").fetchall()
    return [(step, json.loads(text)) for step, text in found]


def losses(root: Path) -> list[tuple[int, Any]]:
    return [(step, row["generator/loss"]) for step, row in rows(root) if "generator/loss" in row]


def shown(root: Path) -> list[tuple[int, str, dict[str, Any]]]:
    return [(step, key, value) for step, row in rows(root) for key, value in row.items() if key.startswith("sheets/")]


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of ten iterations that was killed after its checkpoint of the fifth, and its second half."""
    root = tmp_path_factory.mktemp("tracked")
    for words in ((0, 10, "killed"), (5, 12)):
        ended = session(root, *words)  # type: ignore[arg-type]
        assert ended.returncode == 0, ended.stderr
        # No connection was tried, though a token and a Space are set, and nothing was said.
        assert (ended.stdout, ended.stderr) == ("", "")
    return root


@needs_trackio
@pytest.mark.slow
def test_scalars_over_images_seen_without_those_past_the_checkpoint(tracked: Path) -> None:
    found = losses(tracked)
    assert [step for step, _ in found] == [4 * n for n in range(1, 13)]
    assert [value for step, value in found if step != 20] == [1 / n for n in range(1, 13) if n != 5]


@needs_trackio
@pytest.mark.slow
def test_pictures_under_their_sentences(tracked: Path) -> None:
    found = shown(tracked)
    assert [(step, key) for step, key, _ in found] == [
        (step, f"sheets/test/0{index}") for step in (4, 24, 48) for index in range(2)
    ]
    assert [value["caption"] for _, _, value in found[:2]] == ["a red bird", "a blue bird, it sings"]
    for step, key, value in found:
        with Image.open(tracked / "store" / "media" / value["file_path"]) as picture:
            assert np.array_equal(np.asarray(picture.convert("RGB")), pictures(step)[int(key[-1])])
    assert len(list((tracked / "store" / "media").rglob("*.png"))) == 6  # those of the killed half went with their rows


@needs_trackio
@pytest.mark.slow
def test_one_run_with_settings_group_and_summary(tracked: Path) -> None:
    with closing(sqlite3.connect(tracked / "store" / "stackgan.db")) as database:
        ((own, name, config),) = database.execute("SELECT run_id, run_name, config FROM configs").fetchall()
        assert database.execute("SELECT DISTINCT run_id FROM metrics").fetchall() == [(own,)]
    assert own == (tracked / "abcd" / "trackio-id").read_text().strip()
    assert name == "stage1 abcd"
    expected = {
        "seed": 3, "stage.name": "stage1", "stage.images": None, "stage.splits": '["a", "b"]', "provenance.commit": "abc",
        "tags": "toybirds light", "_Group": "augmentation", "_Username": None,
    }  # fmt: skip
    assert {key: value for key, value in json.loads(config).items() if key != "_Created"} == expected
    summaries = [(step, row) for step, row in rows(tracked) if "summary/done" in row]
    assert summaries == [(48, {"summary/agreement/test/normalised": 0.25, "summary/done": 1.0})]


@needs_trackio
@pytest.mark.slow
def test_nothing_lands_in_the_home_folder(tracked: Path) -> None:
    assert [path for path in (tracked / "home").rglob("*") if "trackio" in path.name or "huggingface" in path.name] == []


def test_a_missing_package_has_a_way_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"^logger=trackio: .*pip install .*'\.\[trackio\]'"):
        TrackioTracker(project="stackgan", folder=str(tmp_path)).check()
