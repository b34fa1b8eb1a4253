"""What wandb's own reader finds in the files of offline runs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wandb_programs import LIMIT, Session, environment, files, history, records, session, tables
from wandb_session import BATCH, drawings, pictures


@pytest.fixture(scope="module")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Session]]:
    """A run of 10 iterations, and its resumed second half."""
    folder = tmp_path_factory.mktemp("tracked") / "abcd1234"
    return folder, [session(folder, "auto", 0, 10), session(folder, "auto", 10, 20)]


@pytest.mark.slow
def test_offline_by_itself_where_there_is_no_key(resumed: tuple[Path, list[Session]]) -> None:
    folder, sessions = resumed
    for ended in sessions:
        assert ended.code == 0
        assert ended.err == f"W&B: offline (no API key); wandb sync {folder}/wandb/offline-run-* sends it later\n"
        assert ended.seconds < LIMIT


@pytest.mark.slow
def test_scalars_read_back(resumed: tuple[Path, list[Session]]) -> None:
    first, _ = files(resumed[0])
    rows = history(first)
    found = [(row["_step"], row["images_seen"], row["generator/loss"], row["discriminator/real"]) for row in rows]
    assert found == [(step, 4 * step, 1 / step, 0.5) for step in range(1, 11)]
    axes = records(first, "metric")
    assert [axis.get("step_metric") for axis in axes if axis.get("glob_name") == "*"] == ["images_seen"]


@pytest.mark.slow
def test_pictures_read_back_with_their_sentences_and_pixels(resumed: tuple[Path, list[Session]]) -> None:
    first, _ = files(resumed[0])
    shown = [row for row in history(first) if "sheets/test.captions" in row]
    assert [row["images_seen"] for row in shown] == [4, 40]
    for row in shown:
        assert row["sheets/test.captions"] == ["a red bird", "a blue bird, it sings"]
        for file, expected in zip(row["sheets/test.filenames"], pictures(row["images_seen"]), strict=True):
            with Image.open(first / "files" / file) as picture:
                assert np.array_equal(np.asarray(picture), expected)


@pytest.mark.slow
def test_tables_read_back_a_look_each(resumed: tuple[Path, list[Session]]) -> None:
    """In a resumed session too; pictures wait beside the run's other files, and nothing lies in the user's home."""
    folder, _ = resumed
    first, second = files(folder)
    assert [look["images seen"] for look in tables(first, "sheets/test/table")] == [[4, 4], [40, 40]]
    assert [look["images seen"] for look in tables(second, "sheets/test/table")] == [[44, 44], [80, 80]]
    look = tables(second, "sheets/test/table")[0]
    assert list(look) == ["images seen", "sentence", "key", "drawn", "real"]
    assert look["sentence"] == ["a red bird", "a blue bird, it sings"]
    assert look["key"] == [7, 2**40]
    expected = drawings(44)
    for name, pictures_NHWC in (("drawn", expected.drawn_NHWC), ("real", expected.beside["real"])):
        for path, picture in zip(look[name], pictures_NHWC, strict=True):
            assert path.is_relative_to(folder / "wandb")
            with Image.open(path) as kept:
                assert np.array_equal(np.asarray(kept), picture)
    assert not list((folder.parent / "home").rglob("staging"))
    rows = {row["_step"]: row for row in history(second) if "sheets/test/table.nrows" in row}
    assert {step: row["images_seen"] for step, row in rows.items()} == {11: 44, 20: 80}, "in the row of the look's list"
    assert all(row["sheets/test.count"] == row["sheets/test/table.nrows"] == 2 for row in rows.values())


@pytest.mark.slow
def test_settings_group_tags_and_results_read_back(resumed: tuple[Path, list[Session]]) -> None:
    folder, _ = resumed
    for file in files(folder):
        (run,) = records(file, "run")
        config = {key: value for key, value in run["config"]["update"].items() if key != "_wandb"}
        assert config == {
            "seed": 3, "stage": {"name": "stage1", "images": None}, "provenance": {"commit": "abc", "threads": 2}
        }  # fmt: skip
        named = {key: run[key] for key in ("project", "display_name", "run_group", "job_type", "tags")}
        assert named == {
            "project": "stackgan", "display_name": "abcd1234", "run_group": "augmentation", "job_type": "stage1",
            "tags": ["toybirds", "light", "mine"],
        }  # fmt: skip
        summaries = [record["update"] for record in records(file, "summary")]
        assert {"agreement/test/normalised": 0.25, "done": True}.items() <= {
            key: value for update in summaries for key, value in update.items()
        }.items()
        assert [record["exit_code"] for record in records(file, "exit")] == [0]


@pytest.mark.slow
def test_a_resumed_run_is_a_second_file_with_the_same_id_whose_steps_go_on(resumed: tuple[Path, list[Session]]) -> None:
    folder, _ = resumed
    kept = (folder / "wandb-id").read_text().strip()
    first, second = files(folder)
    assert [record["run_id"] for file in (first, second) for record in records(file, "run")] == [kept, kept]
    assert [row["_step"] for row in history(first)] == list(range(1, 11))
    assert [(row["_step"], row["images_seen"]) for row in history(second)] == [(step, BATCH * step) for step in range(11, 21)]


TWICE = """
import sys, time
from pathlib import Path
from stackgan.callbacks.tracker import RunCard
from stackgan.callbacks.wandb_tracker import WandbTracker
folder = Path(sys.argv[1])
time.sleep(1.02 - time.time() % 1)
for turn in (1, 2):
    tracker = WandbTracker(project="stackgan", entity=None, mode="offline", tags=[], finish_seconds=8.0)
    tracker.begin(RunCard(folder, "run", "stage1", "toybirds", None, (), {}, {}, 0, 1))
    tracker.record(turn, {"turn": float(turn)})
    tracker.finish({}, done=False)
"""


@pytest.mark.slow
def test_two_sessions_in_one_second_share_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    command = [sys.executable, "-c", TWICE, str(folder)]
    ended = subprocess.run(command, env=environment(tmp_path), capture_output=True, text=True, timeout=60)
    # wandb's exit code of a run that is not done is not the program's.
    assert ended.returncode == 0, ended.stderr
    assert sorted(row["turn"] for file in files(folder) for row in history(file)) == [1, 2]
    assert [record["exit_code"] for file in files(folder) for record in records(file, "exit")] == [1, 1]
