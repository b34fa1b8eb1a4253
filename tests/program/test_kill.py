"""kill -9, anywhere, again and again: the same command ends with the same bits, and a metrics file without gaps or doubles."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from commands import SMALL, SRC, Program
from test_training import rows, same, state

from stackgan.runs import checkpoint

CLOCK = {"seconds", "images_per_second", "data_wait", "peak_memory_gib"}
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
        assert same(a["callbacks"][name], b["callbacks"][name]), name
    assert rows(whole) == rows(cut)
    written = [int(row["images_seen"]) for row in rows(cut) if row["generator/kl"]]
    assert written == [*range(12, seen, 12), seen]
    assert not list(cut.rglob(".*"))
    for folder in ("", "checkpoints"):
        assert {path.name for path in (cut / folder).iterdir()} == {path.name for path in (whole / folder).iterdir()}
    bests = [checkpoint.best(run / "checkpoints") for run in (whole, cut)]
    assert bests[0] is not None
    assert bests[1] is not None
    assert same(torch.load(bests[0])["weights"], torch.load(bests[1])["weights"])
    figures = [json.loads((run / "results.json").read_text()) for run in (whole, cut)]
    assert {k: v for k, v in figures[0].items() if k not in CLOCK} == {k: v for k, v in figures[1].items() if k not in CLOCK}


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
    """Twenty times at a random moment of the clock, five times inside writing; a run that got through makes room for the next."""
    words = (*WORDS, "stage.images=2000")
    assert program(*words, "run.name=whole").code == 0
    chance = random.Random()  # other moments each time the suite runs; the result must not depend on them
    # A run takes some four seconds of training: most deaths find it in the middle, some in a look, at its end, or done.
    deaths = [("after", round(chance.uniform(0.0, 3.0), 3)) for _ in range(20)] + [("writing", 1 + i % 3) for i in range(5)]
    chance.shuffle(deaths)
    number, killed = 0, 0
    for where, when in deaths:
        name = f"run.name=killed-{number}"
        if kill(where, when, *words, name):
            killed += 1
        else:
            compare(RUN.with_name("whole"), RUN.with_name(f"killed-{number}"), 2000)
            number += 1
    assert killed >= 15
    assert program(*words, f"run.name=killed-{number}").code == 0
    compare(RUN.with_name("whole"), RUN.with_name(f"killed-{number}"), 2000)


@pytest.mark.slow
def test_killed_at_each_named_point(kill: Kill, program: Program, desk: Path) -> None:
    words = (*WORDS, "stage.images=104")
    assert program(*words, "run.name=whole").code == 0
    words = (*words, "run.name=killed")
    for where, when in (
        ("step", 1),
        ("turns", 3),
        ("named", 1),
        ("named", 2),
        ("epoch", 1),
        ("named", 3),
        ("looked", 1),
        ("done", 1),
    ):
        assert kill(where, when, *words), f"the run ended before it could be killed: {where} {when}"
    ended = program(*words)
    assert ended.code == 0, ended.err
    compare(RUN.with_name("whole"), RUN, 104)
