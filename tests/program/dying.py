"""`python dying.py WHERE WHEN words...`: `src/train.py words`, killed with SIGKILL at a chosen point of its life.

WHERE and WHEN: `step N` in the middle of iteration N's D turn; `turns N` between D's and G's turn of iteration N; `epoch N` after
the last iteration of pass N, before anything is recorded of it; `writing N` with half of the Nth checkpoint on the disk; `named N`
with the Nth checkpoint renamed, but not yet counted; `looked N` after the Nth look at agreement, before anything else; `done N`
with the last checkpoint written and no DONE; `after S` S seconds after training began. Iterations count from the run's first.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import torch

from stackgan.callbacks.agreement import ColourAgreement
from stackgan.callbacks.speed import Clock
from stackgan.core import atomic
from stackgan.launch import cli
from stackgan.launch.training import train
from stackgan.runs.folder import RunFolder
from stackgan.stage.base import Stage
from stackgan.stage.stackgan import StackGAN


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def at_turn(player: str, iteration: int, before: bool) -> None:
    descend = Stage.descend

    def mortal(stage: Any, optimizer: Any, whose: str, terms: Any) -> None:
        mine = whose == player and stage.iteration == iteration
        if mine and before:
            die()
        descend(stage, optimizer, whose, terms)
        if mine:
            die()

    Stage.descend = mortal  # type: ignore[method-assign]


def at_epochs_end(number: int) -> None:
    step = StackGAN.training_step

    def mortal(stage: Any, *words: Any) -> None:
        step(stage, *words)
        if stage.iteration == number * (stage.epoch_images // stage.batch_size):
            die()

    StackGAN.training_step = mortal  # type: ignore[method-assign]


def at_checkpoint(number: int, named: bool) -> None:
    save, write, count = torch.save, atomic.write, iter(range(1, 10_000))

    def half(state: Any, path: Path) -> None:
        save(state, path)
        if next(count) == number:
            os.truncate(path, path.stat().st_size // 2)
            die()

    def whole(path: Path, fill: Any) -> None:
        write(path, fill)
        if path.name.startswith("seen-") and path.suffix == ".pt" and next(count) == number:
            die()

    if named:
        atomic.write = whole
    else:
        torch.save = half


def after(seconds: float) -> None:
    start = Clock.on_train_start

    def mortal(clock: Any, *words: Any) -> None:
        start(clock, *words)
        threading.Timer(seconds, die).start()

    Clock.on_train_start = mortal  # type: ignore[method-assign]


def at_look(number: int) -> None:
    look, count = ColourAgreement.look, iter(range(1, 10_000))

    def mortal(watcher: Any, stage: Any) -> Any:
        found = look(watcher, stage)
        if next(count) == number:
            die()
        return found

    ColourAgreement.look = mortal  # type: ignore[method-assign]


def at_the_end() -> None:
    RunFolder.finish = lambda *_: die()  # type: ignore[assignment, method-assign]


def prepare(where: str, when: str) -> None:
    if where == "step":
        at_turn("discriminator", int(when), before=True)
    elif where == "turns":
        at_turn("discriminator", int(when), before=False)
    elif where == "epoch":
        at_epochs_end(int(when))
    elif where in ("writing", "named"):
        at_checkpoint(int(when), where == "named")
    elif where == "looked":
        at_look(int(when))
    elif where == "done":
        at_the_end()
    elif where == "after":
        after(float(when))
    else:
        raise ValueError(where)


if __name__ == "__main__":
    prepare(*sys.argv[1:3])
    del sys.argv[1:3]
    cli.run(train)
