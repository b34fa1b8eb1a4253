"""Each session is a program of its own with an empty home: wandb reads key and settings once in a program."""

import json
import os
import pty
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from wandb_host import host
from wandb_session import BATCH, pictures

from stackgan.callbacks import wandb_reach
from stackgan.callbacks.wandb_tracker import WandbTracker, kept_id
from stackgan.core.errors import UserError

HERE = Path(__file__).parent
KEY = "0" * 40
LIMIT = 12.0
"""Seconds that a short program with finish_seconds=8 may take: 10 are promised for its end, 2 are for a busy machine."""


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_") and name != "NETRC"}
    # A host that refuses at once: no test of ours may reach the real one.
    return kept | {"HOME": str(home), "PYTHONPATH": str(HERE.parents[1] / "src"), "WANDB_BASE_URL": "http://127.0.0.1:9"} | more


@dataclass
class Session:
    """seconds: the whole program's. worst, finish: seconds of the slowest record() and of finish()."""

    code: int
    err: str
    seconds: float
    worst: float
    finish: float


def session(folder: Path, mode: str, first: int, last: int, *more: str, **env: str) -> Session:
    folder.mkdir(exist_ok=True)
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    command = [sys.executable, str(HERE / "wandb_session.py"), str(folder), mode, str(first), str(last), *more]
    then = time.perf_counter()
    ended = subprocess.run(
        command, env=environment(home, **env), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False
    )
    seconds = time.perf_counter() - then
    found = re.fullmatch(r"worst (\S+) finish (\S+)\n", ended.stdout)
    assert found, ended.stdout + ended.stderr
    return Session(ended.returncode, ended.stderr, seconds, float(found[1]), float(found[2]))


def files(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "wandb").iterdir() if re.match(r"(offline-)?run-", path.name))


def records(folder: Path, kind: str) -> list[Any]:
    """What wandb's own reader finds in a session's folder."""
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(folder)]
    env = environment(folder.parents[2] / "home", WANDB_ERROR_REPORTING="false")
    read = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=60)
    rows = [json.loads(line) for line in read.stdout.splitlines()]
    return [row[kind] for row in rows if row["type"] == kind]


def history(folder: Path) -> list[dict[str, Any]]:
    return [record["item"] for record in records(folder, "history")]


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


@pytest.mark.slow
def test_no_prompt_at_a_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, str(HERE / "wandb_session.py"), str(tmp_path), "auto", "0", "2"]
    process = subprocess.Popen(command, env=environment(tmp_path), stdin=theirs, stdout=theirs, stderr=theirs)
    try:
        assert process.wait(timeout=60) == 0
        said = os.read(ours, 65536).decode()
    finally:
        process.kill()
        os.close(ours)
        os.close(theirs)
    assert "offline (no API key)" in said
    assert "(1)" not in said
    assert "?" not in said


@pytest.mark.slow
def test_a_host_that_refuses(tmp_path: Path) -> None:
    ended = session(tmp_path / "run", "auto", 0, 100, WANDB_API_KEY=KEY)
    assert (ended.code, ended.seconds < LIMIT) == (0, True)
    assert "offline (127.0.0.1:9 does not answer)" in ended.err
    assert len(history(files(tmp_path / "run")[0])) == 100


@pytest.mark.slow
def test_a_host_that_accepts_and_never_answers(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hole:
        place = f"127.0.0.1:{hole.getsockname()[1]}"
        ended = session(tmp_path / "run", "auto", 0, 100, WANDB_API_KEY=KEY, WANDB_BASE_URL=f"http://{place}")
    assert (ended.code, ended.seconds < LIMIT) == (0, True)
    assert f"offline ({place} does not answer)" in ended.err
    assert ended.worst < 0.1
    assert len(history(files(tmp_path / "run")[0])) == 100


@pytest.mark.slow
def test_a_host_that_falls_silent_before_the_run_is_online(tmp_path: Path) -> None:
    """wandb.init fails; the same program goes on offline."""
    with host(posts=0) as server:
        ended = session(tmp_path / "run", "auto", 0, 100, WANDB_API_KEY=KEY, WANDB_BASE_URL=server.url)
    assert (ended.code, ended.seconds < LIMIT + 2) == (0, True)
    assert "offline (wandb.init failed: " in ended.err
    (offline,) = [file for file in files(tmp_path / "run") if file.name.startswith("offline-")]
    assert len(history(offline)) == 100


@pytest.mark.slow
def test_online(tmp_path: Path) -> None:
    with host() as server:
        ended = session(tmp_path / "run", "online", 0, 10, WANDB_API_KEY=KEY, WANDB_BASE_URL=server.url)
    assert (ended.code, ended.seconds < LIMIT) == (0, True)
    assert ended.err.startswith("W&B: http")
    announced = server.upserts[0]
    kept = (tmp_path / "run" / "wandb-id").read_text().strip()
    assert (announced["name"], announced["groupName"], announced["jobType"]) == (kept, "augmentation", "stage1")
    assert announced["tags"] == ["toybirds", "light", "mine"]
    assert json.loads(announced["config"])["provenance"]["value"] == {"commit": "abc", "threads": 2}
    assert [(row["_step"], row["images_seen"]) for row in server.rows] == [(step, 4 * step) for step in range(1, 11)]


@pytest.mark.slow
def test_a_host_that_falls_silent_in_mid_run(tmp_path: Path) -> None:
    with host(posts=3) as server:
        ended = session(tmp_path / "run", "online", 0, 200, WANDB_API_KEY=KEY, WANDB_BASE_URL=server.url)
    assert (ended.code, ended.finish < 9) == (0, True)
    assert ended.seconds < LIMIT + 3
    assert ended.worst < 0.1
    (file,) = files(tmp_path / "run")
    assert re.search(rf"^tracker wandb: TimeoutError: .*; wandb sync {file} sends it later$", ended.err, re.MULTILINE)
    assert len(history(file)) == 200


@pytest.mark.slow
def test_a_frozen_process_of_wandb(tmp_path: Path) -> None:
    ended = session(tmp_path / "run", "offline", 0, 10, "freeze")
    assert (ended.code, ended.finish < 9) == (0, True)
    later = f"wandb sync {tmp_path}/run/wandb/offline-run-* sends it later"
    lines = [f"W&B: offline (mode=offline); {later}", f"tracker wandb: not done within 8 s, given up; {later}"]
    assert ended.err.splitlines() == lines
    # Three seconds before the freeze.
    assert ended.seconds < LIMIT + 3


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "online", "offline"])
def test_disabled_is_honoured(mode: str, tmp_path: Path) -> None:
    ended = session(tmp_path / "run", mode, 0, 2, WANDB_MODE="disabled")
    assert ended.err == "W&B: off (WANDB_MODE=disabled)\n"
    assert list((tmp_path / "run").iterdir()) == []


def fake(monkeypatch: pytest.MonkeyPatch, mode: str, key: bool, answers: bool) -> None:
    """A wandb with these settings and a host that answers or not."""
    settings = SimpleNamespace(mode=mode, base_url="https://wandb.example")
    module = SimpleNamespace(setup=lambda: SimpleNamespace(settings=settings), login=lambda **_: key, Error=RuntimeError)
    monkeypatch.setattr(wandb_reach, "load", lambda: module)
    monkeypatch.setattr(wandb_reach, "answers", lambda url: answers)
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


@pytest.mark.parametrize(("heads", "expected"), [(True, True), (False, False)])
def test_only_an_answer_counts(heads: bool, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wandb_reach, "REACH_SECONDS", 2.0 if expected else 0.3)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with host(heads=heads) as server:
        then = time.perf_counter()
        assert wandb_reach.answers(server.url) is expected
        assert time.perf_counter() - then < 2


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


def test_the_id_is_made_once(tmp_path: Path) -> None:
    made = kept_id(tmp_path / "wandb-id")
    assert re.fullmatch(r"[0-9a-f]{12}", made)
    assert kept_id(tmp_path / "wandb-id") == made
    assert kept_id(tmp_path / "other") != made
