"""kill -9, anywhere, again and again: the same command ends with the same bits, and a metrics file without gaps or doubles."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import SMALL, SRC, Program
from test_training import rows, same, state

from stackgan.runs import checkpoint

RUN = Path("logs/stage1/toybirds/killed")
Kill = Callable[..., bool]

LOOKING = ("callbacks.sheets=null", "callbacks.diversity=null", "callbacks.agreement.splits=[held_out]")
WORDS = (
    *SMALL, *LOOKING, "stage.recipe.lr_halve_every=1", "trainer.log_every=3", "trainer.checkpoint_every_images=20",
    "callbacks.balance.every_images=28", "callbacks.agreement.every_images=44",
)  # fmt: skip
"""Rows, checkpoints, looks and learning rates all come at numbers of iterations of their own; a pass has 15."""


@pytest.fixture
def kill(desk: Path) -> Kill:
    """kill(where, when, *words): whether the command was killed there; else it must have ended well."""

    def call(where: str, when: object, *words: str) -> bool:
        command = [sys.executable, str(Path(__file__).with_name("dying.py")), where, str(when), *words]
        environment = {**os.environ, "PYTHONPATH": str(SRC)}
        ended = subprocess.run(command, cwd=desk, capture_output=True, text=True, check=False, timeout=300, env=environment)
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
        return ended.returncode != 0

    return call


def compare(whole: Path, cut: Path, seen: int) -> None:
    a, b = state(whole, seen), state(cut, seen)
    for part in ("images_seen", "weights", "optimizers", "data", "first", "base", "format"):
        assert same(a[part], b[part]), part
    for name in set(a["callbacks"]) - {"Clock"}:
        # The results hold no wall-clock figures; those are Clock's.
        assert same(a["callbacks"][name], b["callbacks"][name]), name
    assert rows(whole) == rows(cut)
    written = [int(row["images_seen"]) for row in rows(cut) if row["generator/kl"]]
    assert written == [*range(12, seen, 12), seen]
    assert not list((cut / "checkpoints").glob(".*"))
    assert {path.name for path in cut.iterdir()} == {path.name for path in whole.iterdir()}


def test_killed_between_the_turns_while_writing_and_at_a_passes_end(kill: Kill, program: Program, desk: Path) -> None:
    words = (*WORDS, "stage.images=104")
    assert program(*words, "run.name=whole").code == 0
    words = (*words, "run.name=killed")
    assert kill("turns", 7, *words)
    assert [path.name for path in checkpoint.oldest_first(RUN / "checkpoints")] == ["seen-000000020.pt"]
    assert kill("writing", 3, *words)  # at 40 and 44 images two were written; the third is of 60
    left = sorted(path.name for path in (RUN / "checkpoints").iterdir())
    assert [name for name in left if name.startswith(".seen-000000060.pt.")]
    assert "seen-000000044.pt" in left
    assert kill("epoch", 1, *words)
    ended = program(*words)
    assert ended.code == 0, ended.err
    compare(RUN.with_name("whole"), RUN, 104)


@pytest.mark.slow
def test_killed_at_random_moments_and_inside_checkpoints(kill: Kill, program: Program, desk: Path) -> None:
    """Twenty times at a random moment of the clock, five times inside writing, and once at each other point, all of one run."""
    words = (*WORDS, "stage.images=2000")
    assert program(*words, "run.name=whole").code == 0
    words = (*words, "run.name=killed")
    chance = random.Random()  # another moment each time the suite runs; the result must not depend on it
    deaths = [("after", round(chance.uniform(0.0, 0.6), 3)) for _ in range(20)] + [("writing", 1 + i % 3) for i in range(5)]
    chance.shuffle(deaths)
    for where, when in [*deaths, ("named", 1), ("named", 2)]:
        assert kill(where, when, *words), f"the run ended before it could be killed: {where} {when}"
    at = checkpoint.newest(RUN / "checkpoints")
    iteration = 1 + (int(at.stem.partition("-")[2]) // 4 if at else 0)
    assert kill("step", iteration, *words)
    assert kill("turns", iteration + 1, *words)
    assert kill("epoch", iteration // 15 + 1, *words)
    ended = program(*words)
    assert ended.code == 0, ended.err
    compare(RUN.with_name("whole"), RUN, 2000)
