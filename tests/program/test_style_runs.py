"""A style encoder trained by the program on a generator's run, which it needs no longer afterwards."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import BIRDS, SMALL, Program
from test_training import cut_back, done, same, state

import stackgan
from stackgan.draw import export
from stackgan.runs.folder import RunFolder

QUICK = (*(word for word in SMALL if not word.startswith("callbacks.")), "callbacks=none", "stage.images=8")
GENERATOR = (*QUICK, "run.name=one")
STYLE = (
    *BIRDS, "stage=style_encoder", "stage/network=light", "stage.style.network.width=4", "stage.recipe.batch_size=4", "logger=none",
    "trainer.precision=32-true", "trainer.log_every=1", "run.name=s",
    "stage.base=run://stage1/toybirds/latest",
)  # fmt: skip
BARE = (*STYLE, "callbacks=none", "stage.images=8")
RUN = Path("logs/style_encoder/toybirds/s")


def test_it_reads_and_draws_without_the_run_underneath(program: Program, desk: Path) -> None:
    done(program, *GENERATOR)
    counts = ("callbacks.style.count=6", "callbacks.style.pictures=2", "callbacks.style.sentences=3")
    out = done(program, *STYLE, *counts, "stage.images=8", "stage.base=run://stage1/toybirds/latest")
    assert "Stage-I underneath: logs/stage1/toybirds/one (8 images seen)" in out
    assert "style/held_out/pose: " in out
    results = json.loads((RUN / "results.json").read_text())
    assert {
        f"style/held_out/{name}"
        for name in ("noise_error", "cycle_error", "background", "background/guessing", "pose/pictures", "pose/guessing_sd")
    } <= set(results)
    assert (RUN / "sheets/seen-000000008-held_out.png").is_file()
    made, averaged = (state(run, 8)["weights"] for run in (RUN, Path("logs/stage1/toybirds/one")))
    inside = {name: weight for name, weight in made.items() if name.startswith("generator.")}
    assert inside
    assert all(
        torch.equal(weight, averaged["average" + name.removeprefix("generator.generator")]) for name, weight in inside.items()
    )
    shutil.rmtree("logs/stage1")
    painter = stackgan.load("run://latest")
    assert painter.origin.stage == "style_encoder"
    drawn = painter.sample(["a red bird", "a blue bird"], n=2)
    assert drawn.pixels_NKHWC.shape == (2, 2, 64, 64, 3)
    file = desk / "s.safetensors"
    export.write(file, painter.origin, painter.sampler.state_dict(), "average")
    again = stackgan.load(file)
    assert np.array_equal(again.sample(["a red bird", "a blue bird"], n=2).pixels_NKHWC, drawn.pixels_NKHWC)
    pictures = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    assert torch.equal(painter.sampler.invert(pictures), again.sampler.invert(pictures))


def test_a_run_cut_in_two_ends_with_the_same_bits(program: Program, desk: Path) -> None:
    done(program, *GENERATOR)
    words = (*BARE, "trainer.checkpoint_every_images=4", "trainer.checkpoints_kept=9")
    done(program, *words)
    whole = state(RUN, 8)
    shutil.rmtree("logs/stage1")
    cut_back(RUN, 4)
    done(program, *words)
    again = state(RUN, 8)
    assert same(whole["weights"], again["weights"])
    assert same(whole["optimizers"], again["optimizers"])
    assert again["base"] == whole["base"] == RunFolder(RUN).facts()["base"]


@pytest.mark.slow
def test_on_a_second_stage(program: Program, desk: Path) -> None:
    done(program, *QUICK, "stage=stage2", "stage.resolution=128", "stage.base=train", "stage.base_images=8", "run.name=two")
    words = (*BARE, "stage.resolution=128", "stage.base=run://stage2/toybirds/two")
    done(program, *words)
    shutil.rmtree("logs/stage1")
    shutil.rmtree("logs/stage2")
    painter = stackgan.load("run://style_encoder/toybirds/s")
    drawn = painter.sample("a red bird")
    assert drawn.pixels_NKHWC.shape == (1, 1, 128, 128, 3)
    assert drawn.first_NKHWC is not None
    export.write(desk / "s.safetensors", painter.origin, painter.sampler.state_dict(), "average")
    assert np.array_equal(stackgan.load(desk / "s.safetensors").sample("a red bird").pixels_NKHWC, drawn.pixels_NKHWC)
    done(program, *words, "stage.images=16")


REFUSED = {
    "nothing": (
        ("stage.base=run://gan_cls/toybirds/latest",),
        "stage.base=run://gan_cls/toybirds/latest: no finished run that draws 64 px from noise with data=toybirds text=hashing",
    ),
    "none of that name": (
        ("stage.base=run://stage1/toybirds/x",),
        "stage.base=run://stage1/toybirds/x: no such run; give run://<stage>",
    ),
    "no reference": (("stage.base=run://stage1",), "stage.base=run://stage1: not a run; give run://<stage>/<data>/<name> as under"),
    "train": (("stage.base=train",), "stage.base=train: not a reference; set run://<stage>/<data>/<name or latest>"),
    "null": (
        ("stage.base=null",),
        "stage.base=null: stage=style_encoder stands on a finished run; set stage.base=run://<stage>/<data>/<name or latest>",
    ),
    "latest of what": (("stage.base=latest",), "stage.base=latest: does not say which system is meant; set stage.base=run://"),
    "other data": (("stage.base=run://stage1/oxford/latest",), "stage.base=run://stage1/oxford/latest: this run has data=toybirds"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_before_anything_is_written(case: str, program: Program, desk: Path) -> None:
    words, complaint = REFUSED[case]
    assert program(*BARE, *words).complaint.startswith(complaint)
    assert not (desk / "logs").exists()


def test_a_run_that_does_not_fit(program: Program, desk: Path) -> None:
    done(program, *GENERATOR)
    complaint = program(*BARE, "stage.resolution=128").complaint
    assert "(nearest: logs/stage1/toybirds/one: it has stage.resolution=64, this run needs 128)" in complaint
    named = program(*BARE, "stage.resolution=128", "stage.base=run://stage1/toybirds/one").complaint
    assert named.endswith("does not fit: it has stage.resolution=64, this run needs 128; name a run that does")
    done(program, *BARE, "run.name=t")
    own = program(*BARE, "stage.base=run://style_encoder/toybirds/t").complaint
    assert own.startswith(
        "stage.base=run://style_encoder/toybirds/t: stage=style_encoder draws no pictures from a sentence and noise"
    )
    # Nor does it become the newest run to stand on.
    assert "logs/stage1/toybirds/one (8 images seen)" in done(program, *BARE, "run.name=u")
