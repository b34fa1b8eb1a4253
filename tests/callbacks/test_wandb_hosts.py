"""Programs end in time and lose no row, whatever becomes of the host, the terminal or wandb's own process."""

import io
import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from wandb_host import Host, host
from wandb_programs import KEY, LIMIT, TESTS, environment, files, history, session


@pytest.mark.slow
def test_no_prompt_at_a_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, str(TESTS / "callbacks" / "wandb_session.py"), str(tmp_path), "auto", "0", "2"]
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
    assert ended.err.count("\n") == 1, ended.err
    assert server.committed[:1] == ["a1"], "the table of the first look; a busy machine may be too late for the last one's"
    assert "/kept/a1/sheets/test/table.table.json" in server.files
    announced = server.upserts[0]
    kept = (tmp_path / "run" / "wandb-id").read_text().strip()
    assert (announced["name"], announced["groupName"], announced["jobType"]) == (kept, "augmentation", "stage1")
    assert announced["tags"] == ["toybirds", "light", "mine"]
    assert json.loads(announced["config"])["provenance"]["value"] == {"commit": "abc", "threads": 2}
    assert [(row["_step"], row["images_seen"]) for row in server.rows] == [(step, 4 * step) for step in range(1, 11)]


@pytest.mark.slow
def test_a_host_that_falls_silent_in_mid_run(tmp_path: Path) -> None:
    with host(posts=3) as server:
        ended = session(tmp_path / "run", "online", 0, 200, "begun", WANDB_API_KEY=KEY, WANDB_BASE_URL=server.url)
    assert (ended.code, ended.finish < 9) == (0, True)
    assert ended.seconds < LIMIT + 3
    assert ended.worst < 0.1
    (file,) = files(tmp_path / "run")
    assert re.search(rf"^tracker wandb: TimeoutError: .*; wandb sync {file} sends it later$", ended.err, re.MULTILINE)
    assert len(history(file)) == 200


@pytest.mark.slow
def test_a_frozen_process_of_wandb(tmp_path: Path) -> None:
    ended = session(tmp_path / "run", "offline", 0, 10, "freeze")
    assert (ended.code, ended.finish < 10) == (0, True)
    later = f"wandb sync {tmp_path}/run/wandb/offline-run-* sends it later"
    lines = [f"W&B: offline (mode=offline); {later}", f"tracker wandb: not done within 8 s, given up; {later}"]
    assert ended.err.splitlines() == lines
    # Three seconds before the freeze, and some for a busy machine.
    assert ended.seconds < LIMIT + 15


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "online", "offline"])
def test_disabled_is_honoured(mode: str, tmp_path: Path) -> None:
    ended = session(tmp_path / "run", mode, 0, 2, WANDB_MODE="disabled")
    assert ended.err == "W&B: off (WANDB_MODE=disabled)\n"
    assert list((tmp_path / "run").iterdir()) == []


def picture(file: bytes) -> "np.ndarray":  # type: ignore[type-arg]
    return np.asarray(Image.open(io.BytesIO(file)))


def sync(run: Path, server: Host) -> "subprocess.CompletedProcess[str]":
    env = environment(run.parent / "home", WANDB_API_KEY=KEY, WANDB_BASE_URL=server.url, WANDB_ERROR_REPORTING="false")
    command = [sys.executable, "-m", "wandb", "sync", *map(str, files(run))]
    return subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.slow
def test_curves_are_sent_where_the_tables_pictures_are_gone(tmp_path: Path) -> None:
    """As after the run's folder was moved to another place."""
    assert session(tmp_path / "run", "offline", 0, 10).code == 0
    shutil.rmtree(tmp_path / "run" / "wandb" / "artifacts")
    with host() as server:
        synced = sync(tmp_path / "run", server)
    assert synced.returncode == 0, synced.stderr
    assert [row["_step"] for row in server.rows] == list(range(1, 11))
    assert server.committed == []


@pytest.mark.slow
def test_sync_joins_the_sessions_of_a_run_that_was_killed_past_its_checkpoint(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for first, last in ((0, 10), (5, 15)):
        assert session(run, "offline", first, last).code == 0
    with host() as server:
        synced = sync(run, server)
    assert synced.returncode == 0, synced.stderr
    assert {announced["name"] for announced in server.upserts} == {(run / "wandb-id").read_text().strip()}
    assert server.artifacts == ["run_table"] * 4, "two looks a session"
    assert sorted(server.committed) == ["a1", "a2", "a3", "a4"]
    looks = [json.loads(server.files[f"/kept/{artifact}/sheets/test/table.table.json"])["data"] for artifact in server.committed]
    assert sorted(look[0][0] for look in looks) == [4, 24, 40, 60]
    sent = sorted(picture(server.files[path])[0, 0, 1] for path in server.files if path.startswith("/kept/") and "/test_" in path)
    assert sent == sorted([4, 24, 40, 60] * 2), "each drawing, by the pixel that says when it was drawn"
    assert [row["_step"] for row in server.rows] == [*range(1, 11), *range(6, 16)]
    # The second half goes on after the first's lines, and what it repeats has the same values: one curve over images seen.
    assert {(row["images_seen"], row["generator/loss"]) for row in server.rows} == {(4 * n, 1 / n) for n in range(1, 16)}
