"""Ranks that torchrun or srun started: two processes here, told by the same variables that two machines would be told by."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import SRC
from test_launching import RANKS, equal_ranks, nothing_left  # noqa: F401 (a fixture)
from test_sweeps import states
from test_training import state

pytestmark = [pytest.mark.slow, pytest.mark.ddp, pytest.mark.usefixtures("nothing_left")]

RANKS_FILE = str(Path(__file__).with_name("ranks.py"))
WORDS = (*(word for word in RANKS if word != "trainer.devices=2"), "trainer=ddp", "trainer.accelerator=cpu")
STEP = {
    "SLURM_JOB_ID": str(os.getpid()), "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_NODELIST": "127.0.0.1", "SLURM_LOCALID": "0",
}  # fmt: skip


def srun(desk: Path, what: str, *words: str) -> list[tuple[int, str]]:
    """Exit code and output of two processes, each the only one on its machine as far as it is told."""
    (desk / "seen" / "null").mkdir(parents=True)
    command = [sys.executable, RANKS_FILE, str(desk / "seen" / "null"), what, *words]
    started = [
        subprocess.Popen(
            command, cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONPATH": str(SRC), **STEP, "SLURM_PROCID": str(rank), "SLURM_NODEID": str(rank)},
        )
        for rank in range(2)
    ]  # fmt: skip
    outputs = [one.communicate(timeout=300)[0] for one in started]
    return [(one.returncode, output) for one, output in zip(started, outputs, strict=True)]


def test_a_sweep_under_torchrun(desk: Path) -> None:
    """A process sees the second job's settings too, and both ranks agree on them and on the weights."""
    (desk / "seen" / "null").mkdir(parents=True)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command = [*torchrun, RANKS_FILE, str(desk / "seen" / "null"), "plain", "-m", *WORDS, "stage.recipe.kl_weight=0.5,2.0"]
    ended = subprocess.run(
        command, cwd=desk, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "PYTHONPATH": str(SRC)}
    )
    assert ended.returncode == 0, ended.stderr
    assert states() == ["done", "done"]
    assert [one["kl_weight"] for one in equal_ranks(desk)] == [0.5, 2.0]
    assert ended.stdout.count("2 ranks") == 2


def test_two_machines_of_slurm(desk: Path) -> None:
    (code, out), (other_code, other_out) = srun(desk, "plain", *WORDS, "run.name=one")
    assert (code, other_code) == (0, 0), out + other_out
    assert len(equal_ranks(desk)) == 1
    assert "2 ranks" in out
    assert state(Path("logs/stage1/toybirds/one"), 24)["final"]


def test_a_rank_that_fails_is_named_and_the_sweep_goes_on(desk: Path) -> None:
    """Rank 1 fails in its second iteration, which the second job does not have."""
    (code, out), (other_code, other_out) = srun(desk, "fails 1", "-m", *WORDS, "stage.images=16,8")
    assert (code, other_code) == (1, 0), out + other_out
    assert states() == ["failed", "done"]
    assert "rank 1: ValueError: the cause itself; the same command goes on from the newest checkpoint" in out
