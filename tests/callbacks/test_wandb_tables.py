"""Tables of pictures: bounded, light, and no danger to the curves."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from wandb_host import host
from wandb_programs import KEY, TESTS, environment, files, history, records, tables

MANY = """
import sys
from pathlib import Path
import numpy as np
from stackgan.callbacks import wandb_tracker
from stackgan.callbacks.tracker import Drawings, RunCard
wandb_tracker.ROWS = 3
folder = Path(sys.argv[1])
tracker = wandb_tracker.WandbTracker(project="stackgan", entity=None, mode="offline", tags=[], finish_seconds=8.0)
tracker.begin(RunCard(folder, "run", "stage1", "toybirds", None, (), {}, {}, 0, 1))
five = np.zeros((5, 4, 4, 3), np.uint8)
tracker.pictures(1, "drawn/test", Drawings(five, tuple("abcde"), tuple(range(5)), {"real": five, "Stage-I 64 px": five}))
tracker.finish({}, done=True)
"""


@pytest.mark.slow
def test_a_table_is_bounded_and_a_place_of_the_users_own_stays(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    command = [sys.executable, "-c", MANY, str(folder)]
    env = environment(tmp_path, WANDB_DATA_DIR=str(tmp_path / "mine"))
    ended = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    (file,) = files(folder)
    (look,) = tables(file, "drawn/test/table")
    assert look["sentence"] == ["a", "b", "c"]
    assert list(look)[3:] == ["drawn", "real", "Stage-I 64 px"]
    assert all(path.is_relative_to(tmp_path / "mine") for path in look["drawn"])
    (row,) = history(file)
    assert row["drawn/test.count"] == 5


HELD = """
import gc, sys
from pathlib import Path
import numpy as np
from PIL import Image
from stackgan.callbacks.tracker import Drawings, RunCard
from stackgan.callbacks.wandb_tracker import WandbTracker
folder = Path(sys.argv[1])
tracker = WandbTracker(project="stackgan", entity=None, mode="offline", tags=[], finish_seconds=8.0)
tracker.begin(RunCard(folder, "run", "stage1", "toybirds", None, (), {}, {}, 0, 1))
four = np.zeros((4, 8, 8, 3), np.uint8)
for look in range(1, 6):
    tracker.pictures(look, "drawn/test", Drawings(four, tuple("abcd"), tuple(range(4)), {"real": four}))
gc.collect()
print(sum(isinstance(kept, Image.Image) for kept in gc.get_objects()))
tracker.finish({}, done=True)
"""


@pytest.mark.slow
def test_no_pixels_of_a_look_stay_in_memory(tmp_path: Path) -> None:
    """wandb keeps the last 100 tables, with all their objects, as long as the program runs."""
    folder = tmp_path / "run"
    folder.mkdir()
    command = [sys.executable, "-c", HELD, str(folder)]
    ended = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "0\n"
    looks = tables(files(folder)[0], "drawn/test/table")
    assert [look["images seen"] for look in looks] == [[look] * 4 for look in range(1, 6)]


LOOKS = """
import sys
from pathlib import Path
from stackgan.callbacks.guard import guard
from stackgan.callbacks.tracker import RunCard
from stackgan.callbacks.wandb_tracker import WandbTracker
from wandb_session import drawings
folder = Path(sys.argv[1])
tracker = guard("wandb", WandbTracker(project="stackgan", entity=None, mode="auto", tags=[], finish_seconds=8.0))
tracker.begin(RunCard(folder, "run", "stage1", "toybirds", None, (), {}, {}, 0, 1))
for look in range(1, 6):
    tracker.record(look, {"generator/loss": 1 / look})
    tracker.pictures(look, "drawn/test", drawings(look))
tracker.finish({}, done=True)
"""


def looks(folder: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    """Five rows with five looks, more than the guard forgives failures."""
    folder.mkdir()
    command = [sys.executable, "-c", LOOKS, str(folder)]
    around = environment(folder.parent, **env)
    around["PYTHONPATH"] += f":{TESTS / 'callbacks'}"
    return subprocess.run(command, env=around, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.slow
def test_where_tables_fail_rows_and_lists_go_on(tmp_path: Path) -> None:
    """As with a full disk: no folder can be made below a file."""
    (tmp_path / "full").touch()
    ended = looks(tmp_path / "run", WANDB_DATA_DIR=str(tmp_path / "full" / "mine"))
    assert ended.returncode == 0, ended.stderr
    _, why = ended.stderr.splitlines()
    assert re.fullmatch(r"W&B: no more tables in this run \(\w+Error: .*\); rows and lists of pictures go on", why)
    (file,) = files(tmp_path / "run")
    assert [row["generator/loss"] for row in history(file)] == [1 / look for look in range(1, 6)]
    assert all(row["drawn/test.count"] == 2 for row in history(file))
    assert records(file, "artifact") == []


@pytest.mark.slow
def test_where_the_host_takes_no_tables_rows_and_lists_go_on(tmp_path: Path) -> None:
    with host(taken=True) as server:
        ended = looks(tmp_path / "run", WANDB_API_KEY=KEY, WANDB_BASE_URL=server.url)
    assert ended.returncode == 0, ended.stderr
    _, why = ended.stderr.splitlines()
    assert re.fullmatch(
        r"W&B: no more tables in this run \(ValueError: Artifact .* exists with type 'dataset'; .*\); rows and lists .* go on", why
    )
    assert [row["generator/loss"] for row in server.rows] == [1 / look for look in range(1, 6)]
    assert all(row["drawn/test"]["count"] == 2 for row in server.rows)
