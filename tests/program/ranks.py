"""`python ranks.py FOLDER WHAT words...`: `src/train.py words`, with every rank of it writing what it saw to FOLDER/rank-N.pt,
and in a sweep to a folder for each job inside.

WHAT, by plus signs: `plain`; `no_norm`: without batch norm; `dies N` has rank 1 killed at iteration N; `fails N` has
it raise; `nan N` gives it a term that is not finite; `stops N` sends it SIGTERM; `hangs N` has rank 1 killed, and rank 0 stuck.
The other ranks' processes run this file too, through stackgan.launch.rank.COMMAND.
"""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from stackgan.devices import gathering, ranks
from stackgan.launch import cli, rank
from stackgan.launch.cli import Verb
from stackgan.launch.training import train
from stackgan.networks import blocks
from stackgan.stage.adversarial import Adversarial
from stackgan.stage.stackgan import StackGAN


def watch(folder: Path) -> None:
    """Keep each iteration's samples and terms, and the weights after the last."""
    step, seen = Adversarial.training_step, list[dict[str, Any]]()

    def watched(stage: Any, batch: Any, index: int) -> None:
        step(stage, batch, index)
        draws = stage.normal("discriminator/noise", 4)
        wrong = batch.mismatched_text_BT
        seen.append({"key": batch.key_B, "real": batch.real_BCHW, "text": batch.text_BT, "wrong": wrong,
                     "noise": draws, "terms": {name: float(term) for name, term in stage.terms.items()}})  # fmt: skip
        weights = {name: value.clone() for name, value in stage.named_parameters()}
        settings = {**vars(stage.recipe), "seed": stage.seed}
        found = {"seen": seen, "weights": weights, "threads": torch.get_num_threads(), "settings": settings}
        job = f"seed {stage.seed}, kl {stage.recipe.kl_weight}"
        (folder / job).mkdir(exist_ok=True)
        for place in (folder, folder / job):
            torch.save(found, place / f"rank-{stage.global_rank}.pt")

    Adversarial.training_step = watched  # type: ignore[method-assign]


class Affine(nn.Module):
    """What is left of batch norm without the batch."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        shape = (1, -1, *[1] * (x.ndim - 2))
        return x * self.weight.view(shape) + self.bias.view(shape)


def without_norm() -> None:
    nn.BatchNorm1d = nn.BatchNorm2d = Affine  # type: ignore[assignment, misc]
    assert isinstance(blocks.layer(4, 4, 3, "relu")[1], Affine)


def at(iteration: int, what: str) -> None:
    """Something happens to rank 1 in its turn as discriminator."""
    terms = StackGAN.discriminator_terms

    def troubled(stage: Any, batch: Any, fakes: Any) -> Any:
        found = terms(stage, batch, fakes)
        if stage.iteration == iteration and what == "hangs" and stage.global_rank == 0:
            time.sleep(600)
        if stage.iteration != iteration or stage.global_rank != 1:
            return found
        if what in ("dies", "hangs"):
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "fails":
            raise ValueError("the cause itself")
        if what == "stops":
            os.kill(os.getpid(), signal.SIGTERM)
        return {name: term * float("nan") for name, term in found.items()} if what == "nan" else found

    StackGAN.discriminator_terms = troubled  # type: ignore[method-assign]


def prepare(folder: str, what: str) -> None:
    watch(Path(folder))
    for part in what.split("+"):
        name, _, number = part.partition(" ")
        if name == "no_norm":
            without_norm()
        elif name != "plain":
            at(int(number), name)


def listen(command: tuple[str, ...]) -> None:
    """Once a process."""
    if command != rank.COMMAND:
        rank.COMMAND, ranks.GRACE = command, 3.0
        prepare(*command[2:])


def watched(verb: Verb, command: tuple[str, ...]) -> Verb:
    """The verb, in whatever process a launcher calls it: there too rank 0 and the others it starts keep what they see."""

    def call(config: Any) -> Any:
        listen(command)
        return verb(config)

    return call


if __name__ == "__main__":
    if len(sys.argv) == 3:
        prepare(*sys.argv[1:3])
        rank.main()
    else:
        words = (sys.executable, __file__, *sys.argv[1:3])
        del sys.argv[1:3]
        listen(words)
        with gathering.gathered(rank.take_part) as first:
            if first:
                cli.run(watched(train, words))
