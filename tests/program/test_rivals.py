"""The systems StackGAN is compared with, from command to DONE: cut and gone on with, scored, and on several ranks."""

from pathlib import Path

import pytest
from commands import SMALL, Program
from test_training import cut_back, done, rows, same, state

REED = ("stage.reed.generator.width=8", "stage.reed.discriminator.width=8")
WORDS = (*SMALL, "run.name=one", "stage.images=24", "trainer.checkpoint_every_images=8", "trainer.checkpoints_kept=9")
PUBLISHED = ("stage/recipe=reed", "stage.recipe.batch_size=4", "stage.recipe.lr_halve_every=1", "data.train=9")
RIVALS = {
    "vanilla": ("stage=vanilla",),
    "gan_cls": ("stage=gan_cls", *REED, *PUBLISHED),
    "gan_int": ("stage=gan_int", *REED, *PUBLISHED),
    "gan_int_cls": ("stage=gan_int_cls", *REED),
}


@pytest.mark.parametrize(
    "rival", [name if name in ("vanilla", "gan_int_cls") else pytest.param(name, marks=pytest.mark.slow) for name in RIVALS]
)
def test_a_rival_killed_ends_with_the_same_bits(rival: str, program: Program, desk: Path) -> None:
    words, run = (*WORDS, *RIVALS[rival]), Path(f"logs/{rival}/toybirds/one")
    told = done(program, *words)
    assert f"next: python src/evaluate.py run=run://{rival}/toybirds/latest scores its pictures" in told
    whole, lines = state(run), rows(run)
    cut_back(run, 16)
    done(program, *words)
    assert same(whole["weights"], state(run)["weights"])
    assert same(whole["optimizers"], state(run)["optimizers"])
    assert rows(run) == lines
    assert not same(whole["weights"], state(run, 16)["weights"])


def test_networks_that_a_rival_does_not_have(program: Program) -> None:
    complaint = program("stage=gan_cls", "stage/network=coco", "logger=none").complaint
    assert complaint == "stage/reed=coco: no such choice (stage/reed has light, paper)"
