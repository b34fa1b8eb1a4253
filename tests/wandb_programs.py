"""Each session is a program of its own with an empty home: wandb reads key and settings once in a program."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent
KEY = "0" * 40
LIMIT = 12.0
"""Seconds that a short program with finish_seconds=8 may take: 10 are promised for its end, 2 are for a busy machine."""


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_") and name != "NETRC"}
    # A host that refuses at once: no test of ours may reach the real one.
    return kept | {"HOME": str(home), "PYTHONPATH": str(TESTS.parent / "src"), "WANDB_BASE_URL": "http://127.0.0.1:9"} | more


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
    command = [sys.executable, str(TESTS / "callbacks" / "wandb_session.py"), str(folder), mode, str(first), str(last), *more]
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
    env = environment(folder, WANDB_ERROR_REPORTING="false")
    read = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert read.returncode == 0, f"{read.stderr}\n{sorted(map(str, folder.rglob('*')))}"
    rows = [json.loads(line) for line in read.stdout.splitlines()]
    return [row[kind] for row in rows if row["type"] == kind]


def tables(folder: Path, key: str) -> list[dict[str, list[Any]]]:
    """Each table that was logged under this key, a list a column, with the kept file in a picture's place."""
    found = []
    for artifact in records(folder, "artifact"):
        kept = {entry["path"]: Path(entry["local_path"]) for entry in artifact["manifest"]["contents"]}
        if f"{key}.table.json" in kept:
            table = json.loads(kept[f"{key}.table.json"].read_text())
            cells = [[kept[cell["path"]] if isinstance(cell, dict) else cell for cell in row] for row in table["data"]]
            found.append({name: list(column) for name, column in zip(table["columns"], zip(*cells, strict=True), strict=True)})
    return found


def history(folder: Path) -> list[dict[str, Any]]:
    return [record["item"] for record in records(folder, "history")]
