"""The program in processes of its own: what a shell sees. Slow: each starts Python and PyTorch."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import SMALL, SRC, Program

pytestmark = pytest.mark.slow

RUN = Path("logs/stage1/toybirds/one")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["stage.imges=8"], "stage.imges=8: no such setting; did you mean stage.images?"),
        (["seed=abc"], "seed=abc: input should be a valid integer, unable to parse string as an integer"),
        (["data=oxford", "data.root=none"], "data.root=none: no such folder."),
    ],
)
def test_a_mistake_is_one_line(words: list[str], complaint: str, shell: Program, desk: Path) -> None:
    ended = shell(*words)
    assert ended.complaint.startswith(complaint)
    assert ended.out == ""
    assert not list(desk.iterdir())


def test_what_is_printed_is_short_and_free_of_others_advertisements(shell: Program, desk: Path) -> None:
    ended = shell(*SMALL, "stage.images=8", "run.name=one")
    assert ended.code == 0, ended.err
    assert not [line for line in ended.err.splitlines() if "pictures" not in line and "captions" not in line]
    starts = ("stage1 on toybirds: 8 images", "agreement/", "sheet: ", "run: ", "next: ")
    assert all(line.startswith(starts) for line in ended.out.splitlines()), ended.out
    assert {path.name for path in desk.iterdir()} == {"logs"}


def test_sigterm_leaves_a_checkpoint_from_which_the_same_command_goes_on(shell: Program, desk: Path) -> None:
    small = [word for word in SMALL if not word.startswith("callbacks.")]
    words = [*small, "callbacks=none", "run.name=one", "stage.images=1200"]
    running = subprocess.Popen(
        [sys.executable, str(SRC / "train.py"), *words], cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 120
    while not (RUN / "metrics.csv").exists() and running.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGTERM, err
    assert "stopped by SIGTERM after" in out
    assert "Traceback" not in err
    assert not (RUN / "DONE").exists()
    (checkpoint,) = (RUN / "checkpoints").iterdir()
    seen = int(checkpoint.stem.removeprefix("seen-"))
    assert 0 < seen < 1200
    ended = shell(*words)
    assert ended.code == 0, ended.err
    assert json.loads((RUN / "DONE").read_text()) == {"images_seen": 1200}
    images = [int(line.split(",")[0]) for line in (RUN / "metrics.csv").read_text().splitlines()[1:]]
    assert images == list(range(4, 1201, 4))


def test_a_sweep_of_an_ablation(shell: Program, desk: Path) -> None:
    ended = shell("-m", *SMALL, "stage.images=8", "stage.conditioning_augmentation=true,false")
    assert ended.code == 0, ended.err
    runs = list((desk / "sweeps" / "default" / "stage1" / "toybirds").glob("*/DONE"))
    settings = [json.loads((done.parent / "config.json").read_text())["stage"]["conditioning_augmentation"] for done in runs]
    assert sorted(settings) == [False, True]
    files = {path.relative_to(desk) for path in desk.rglob("*") if path.is_file()}
    own = {path for path in files if path.parts[:4] == ("sweeps", "default", "stage1", "toybirds")}
    assert {path.name for path in files - own} == {"sweep.json", "table.md", "grid.png", ".sweep.lock", ".grid.lock"}


def test_stage_two_trains_the_stage_one_it_needs(shell: Program, desk: Path) -> None:
    words = ("stage=stage2", "stage.resolution=128", "stage.base=train", "stage.base_images=8", "stage.images=8")
    ended = shell(*SMALL, *words)
    assert ended.code == 0, ended.err
    assert sorted(path.parts[1] for path in Path().glob("logs/*/*/*/DONE")) == ["stage1", "stage2"]
