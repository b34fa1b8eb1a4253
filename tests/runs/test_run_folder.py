"""The run folder: what lies where, when it is done, and whose it is."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stackgan.core.errors import UserError
from stackgan.runs.folder import RunFolder, held

SRC = Path(__file__).parents[2] / "src"
HOLDER = """
import sys, time
from pathlib import Path
from stackgan.runs.folder import RunFolder, held
lock = held(RunFolder(Path(sys.argv[1])), wait=False)
lock.__enter__()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path / "stage1" / "toybirds" / "one")


def test_begin_and_finish(folder: RunFolder) -> None:
    assert folder.images_done() == 0
    assert folder.settings() == {}
    folder.begin({"seed": 0}, {"commit": "abc"})
    assert folder.settings() == {"seed": 0}
    assert folder.facts() == {"commit": "abc"}
    assert folder.sheets.is_dir()
    assert folder.checkpoints.is_dir()
    assert folder.images_done() == 0
    folder.finish({"images_seen": 64, "seconds": 1.5})
    assert folder.images_done() == 64
    assert json.loads(folder.results.read_text()) == {"images_seen": 64, "seconds": 1.5}
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "DONE",
        "checkpoints",
        "config.json",
        "provenance.json",
        "results.json",
        "sheets",
    ]


def test_beginning_again_renews_settings_and_provenance(folder: RunFolder) -> None:
    folder.begin({"seed": 0}, {"commit": "abc"})
    folder.begin({"seed": 1}, {"commit": "def"})
    assert folder.settings() == {"seed": 1}
    assert folder.facts() == {"commit": "def"}


def test_done_is_written_last(folder: RunFolder) -> None:
    folder.begin({}, {})
    with pytest.raises(TypeError):
        folder.finish({"images_seen": 64, "bad": object()})
    assert not folder.done.exists()
    assert not folder.results.exists()
    assert not list(folder.path.glob("*.part")) + list(folder.path.glob(".*.part"))


def test_the_lock_makes_no_run_folder(folder: RunFolder) -> None:
    with held(folder, wait=False):
        assert not folder.path.exists()


def test_a_second_holder_is_refused(folder: RunFolder) -> None:
    with held(folder, wait=False):
        with pytest.raises(UserError, match=r"run\.name=one: another process trains .*one; wait for it, or set"):
            held(folder, wait=False).__enter__()
        with held(RunFolder(folder.path.with_name("two")), wait=False):
            pass
    with held(folder, wait=False):
        pass


def test_the_lock_is_freed_when_its_holder_dies(folder: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-c", HOLDER, str(folder.path)]
    with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(SRC)}, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError):
            held(folder, wait=False).__enter__()
        holder.kill()
        began = time.monotonic()
        with held(folder, wait=True):
            assert time.monotonic() - began < 30


def test_the_lock_is_freed_after_an_error(folder: RunFolder) -> None:
    with pytest.raises(ZeroDivisionError), held(folder, wait=False):
        raise ZeroDivisionError
    with held(folder, wait=False):
        pass


def test_logs_that_cannot_be_written_are_a_line(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file, not a folder")
    with pytest.raises(UserError, match=r"stage1/toybirds: cannot be written .* set paths\.logs"):
        RunFolder(tmp_path / "logs/stage1/toybirds/one").lock()
