"""Stage-II on Stage-I: which run it stands on, which it refuses, and that it needs nothing but its own folder afterwards."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import SMALL, Program
from test_training import cut_back, done, same, state

from stackgan.runs.folder import RunFolder

QUICK = (*(word for word in SMALL if not word.startswith("callbacks.")), "callbacks=none", "stage.images=8")
TWO = (*QUICK, "stage=stage2", "stage.resolution=128", "run.name=two")
ONE, STAGE1, STAGE2 = (*QUICK, "run.name=one"), Path("logs/stage1/toybirds"), Path("logs/stage2/toybirds/two")


LEARNS = ("stage.recipe.first_trained=true", "stage.recipe.first_norm=batch")


def first_of(run: Path, seen: int = 8) -> dict[str, torch.Tensor]:
    """Stage-I's weights inside a Stage-II checkpoint, by their names in Stage-I."""
    prefix = "generator.first."
    return {name.removeprefix(prefix): w for name, w in state(run, seen)["weights"].items() if name.startswith(prefix)}


def test_stage_two_draws_with_stage_one_s_averaged_weights(program: Program, desk: Path) -> None:
    done(program, *ONE)
    out = done(
        program,
        *[word for word in TWO if not word.startswith("callbacks")],
        "callbacks.sheets.count=2",
        "callbacks.agreement.count=2",
    )
    assert "stage2 on toybirds: 8 images" in out
    given = state(STAGE1 / "one", 8)["weights"]
    inside = first_of(STAGE2)
    weights = [name for name in inside if name.endswith((".weight", ".bias")) and f"average.network.{name}" in given]
    assert weights
    assert all(torch.equal(inside[name], given[f"average.network.{name}"]) for name in weights)
    assert any(not torch.equal(inside[name], given[f"generator.network.{name}"]) for name in weights)
    assert RunFolder(STAGE2).facts()["base"] == {"run": str(STAGE1 / "one"), "images_seen": 8}
    assert state(STAGE2, 8)["first"]["config"]["stage"]["name"] == "stage1"
    assert {path.name for path in (STAGE2 / "sheets").iterdir()} >= {
        "reals-test.png",
        "untrained-test.png",
        "seen-000000008-test.png",
    }


@pytest.mark.slow
def test_latest_is_the_newest_finished_run_that_fits(program: Program, desk: Path) -> None:
    done(program, *ONE, "run.name=older")
    done(program, *ONE, "run.name=newer", "seed=1")
    done(program, *ONE, "run.name=unlike", "stage.conditioning_augmentation=false")
    done(program, *ONE, "run.name=unfinished", "seed=2")
    (STAGE1 / "unfinished" / "DONE").unlink()
    done(program, *TWO)
    assert RunFolder(STAGE2).facts()["base"]["run"] == str(STAGE1 / "newer")
    newer = STAGE1 / "newer" / "DONE"
    os.utime(newer, ns=(0, 0))
    done(program, *TWO, "run.fresh=true")
    assert RunFolder(STAGE2.with_name("two-2")).facts()["base"]["run"] == str(STAGE1 / "older")
    for number, base in enumerate(("run://latest", "run://stage1/toybirds/latest")):
        done(program, *TWO, f"run.name=by-{number}", f"stage.base={base}")
        assert RunFolder(STAGE2.with_name(f"by-{number}")).facts()["base"]["run"] == str(STAGE1 / "older")
    # The word of a reference beats time.
    done(program, *TWO, "run.name=three", "stage.base=run://stage1/toybirds/newer")
    assert RunFolder(STAGE2.with_name("three")).facts()["base"]["run"] == str(newer.parent)


UNLIKE = {
    "text.dim=64": "it has text=hashing (",
    "stage.network.name=mine": "it has stage/network=mine, this run needs light",
    "stage.recipe.name=mine": "it has stage/recipe=mine, this run needs modern",
    "stage.resolution=128": "it has stage.resolution=128, this run needs 64",
    "stage.conditioning_augmentation=false": "it has stage.conditioning_augmentation=False, this run needs True",
    "data.contrast_stretch=true": "it has data's pictures={'name': 'toybirds', 'images': '",
}


@pytest.mark.slow
@pytest.mark.parametrize("word", UNLIKE)
def test_a_stage_one_that_does_not_fit(word: str, program: Program, desk: Path) -> None:
    done(program, *ONE, word)
    before = sorted(path for path in desk.rglob("*") if path.name != "stage2" and "stage2" not in path.parts)
    named = program(*TWO, "stage.base=run://stage1/toybirds/one").complaint
    assert named.startswith(f"stage.base=run://stage1/toybirds/one: {STAGE1 / 'one'} does not fit: ")
    assert UNLIKE[word] in named
    assert named.endswith("name a run that does, or set stage.base=train")
    latest = program(*TWO).complaint
    assert latest.startswith("stage.base=latest: no finished Stage-I run with data=toybirds text=hashing")
    assert f"(nearest: {STAGE1 / 'one'}: {UNLIKE[word]}" in latest
    assert sorted(path for path in desk.rglob("*") if path.is_file()) == [path for path in before if path.is_file()]


@pytest.mark.slow
def test_a_stage_one_of_another_data_set(program: Program, desk: Path) -> None:
    flowers = [word for word in ONE if not word.startswith(("data.train", "data.test"))]
    done(program, *flowers, "data=oxford")
    complaint = program(*TWO, "stage.base=run://stage1/oxford/one").complaint
    assert "it has data=oxford, this run needs toybirds" in complaint
    assert not STAGE2.exists()
    assert "no finished Stage-I run with data=toybirds" in program(*TWO).complaint


def test_an_unfinished_stage_one(program: Program, desk: Path) -> None:
    done(program, *ONE)
    (STAGE1 / "one" / "DONE").unlink()
    complaint = program(*TWO, "stage.base=run://stage1/toybirds/one").complaint
    assert complaint.endswith(f"{STAGE1 / 'one'} is not finished; give its command again to finish it")
    assert f"(nearest: {STAGE1 / 'one'}: it is not finished)" in program(*TWO).complaint
    assert "(there are one)" in program(*TWO, "stage.base=run://stage1/toybirds/two").complaint


@pytest.mark.parametrize("recipe", [(), pytest.param(LEARNS, marks=pytest.mark.slow)], ids=["frozen", "trained"])
def test_stage_two_resumes_without_stage_one_s_folder(recipe: tuple[str, ...], program: Program, desk: Path) -> None:
    done(program, *ONE)
    before = first_of_one()
    done(program, *TWO, *recipe, "trainer.checkpoint_every_images=4", "trainer.checkpoints_kept=9")
    whole = state(STAGE2, 8)
    shutil.rmtree("logs/stage1")
    cut_back(STAGE2, 4)
    done(program, *TWO, *recipe, "trainer.checkpoint_every_images=4", "trainer.checkpoints_kept=9")
    again = state(STAGE2, 8)
    assert same(whole["weights"], again["weights"])
    assert same(whole["optimizers"], again["optimizers"])
    assert again["base"] == whole["base"]
    assert RunFolder(STAGE2).facts()["base"] == whole["base"]
    learnt = [
        name for name, weight in first_of(STAGE2).items() if name.endswith(".weight") and not torch.equal(weight, before[name])
    ]
    assert bool(learnt) == bool(recipe)


def first_of_one() -> dict[str, torch.Tensor]:
    prefix = "average.network."
    weights = state(STAGE1 / "one", 8)["weights"]
    return {name.removeprefix(prefix): weight for name, weight in weights.items() if name.startswith(prefix)}


@pytest.mark.slow
def test_train_makes_the_stage_one_it_needs_once(program: Program, desk: Path) -> None:
    words = [word for word in TWO if word != "run.name=two"]
    done(program, *words, "stage.base=train", "stage.base_images=12")
    (made,) = STAGE1.glob("*/DONE")
    assert json.loads(made.read_text()) == {"images_seen": 12}
    (two,) = STAGE2.parent.glob("*/DONE")
    assert RunFolder(two.parent).facts()["base"] == {"run": str(made.parent), "images_seen": 12}
    written = made.stat().st_mtime_ns
    done(program, *words, "stage.base=train", "stage.base_images=12", "run.fresh=true")
    done(program, *words, "stage.base=train", "stage.base_images=12", "seed=1")
    assert made.stat().st_mtime_ns == written
    # Two runs that differ in what they stand on are no one run.
    assert program(*words, "stage.base=train", "stage.base_images=16", "stage.images=16").complaint == (
        f"stage.base_images=16: {two.parent} stands on a Stage-I of 12 images; set stage.base_images=12 to go on with it, or "
        "run.fresh=true for a new folder beside it"
    )
    assert made.stat().st_mtime_ns == written
    done(program, *words, "stage.base=train", "stage.base_images=8", "stage.images=16")
    assert len(list(STAGE1.glob("*/DONE"))) == 2
    # The same words as a Stage-I command mean that very run.
    own = [word for word in words if word not in ("stage=stage2", "stage.resolution=128", "stage.images=8")]
    assert "is done (12 images seen)" in done(program, *own, "stage.images=12")


@pytest.mark.slow
def test_train_finishes_a_stage_one_that_was_cut(program: Program, desk: Path) -> None:
    words = [word for word in TWO if word != "run.name=two"] + ["stage.base=train", "stage.base_images=12"]
    words += ["trainer.checkpoint_every_images=4", "trainer.checkpoints_kept=9"]
    done(program, *words)
    (made,) = STAGE1.glob("*/DONE")
    whole = state(made.parent, 12)
    cut_back(made.parent, 4)
    done(program, *words, "run.fresh=true")
    assert same(state(made.parent, 12)["weights"], whole["weights"])


@pytest.mark.slow
@pytest.mark.parametrize("ablation", ["stage.text_twice=false", "stage.conditioning_augmentation=false", "stage.resolution=256"])
def test_ablations_of_stage_two_train_on_what_fits(ablation: str, program: Program, desk: Path) -> None:
    done(program, *TWO, "stage.base=train", "stage.base_images=8", ablation, "run.name=null")
    (made,) = STAGE1.glob("*/config.json")
    settings: dict[str, Any] = json.loads(made.read_text())["stage"]
    assert settings["conditioning_augmentation"] == ("conditioning" not in ablation)
    assert settings["text_twice"] is True
    assert settings["resolution"] == 64


@pytest.mark.slow
def test_a_sweep_keeps_to_its_folder_and_to_its_seeds(program: Program, desk: Path) -> None:
    ended = program("-m", *TWO, "run.name=null", "stage.base=train", "stage.base_images=8", "seed=0,1", "sweep.name=seeds")
    assert ended.code == 0, ended.err
    runs = [path.parent for path in desk.rglob("DONE")]
    assert (
        sorted(str(run.relative_to(desk).parent) for run in runs)
        == ["sweeps/seeds/stage1/toybirds"] * 2 + ["sweeps/seeds/stage2/toybirds"] * 2
    )
    for run in runs:
        if run.parts[-3] == "stage2":
            base = RunFolder(run).facts()["base"]["run"]
            assert RunFolder(desk / base).settings()["seed"] == RunFolder(run).settings()["seed"]
    assert {path.name for path in (desk / "sweeps" / "seeds").iterdir()} == {
        "stage1",
        "stage2",
        "sweep.json",
        "table.md",
        "grid.png",
        ".sweep.lock",
        ".grid.lock",
    }
    assert {path.name for path in desk.iterdir()} == {"sweeps"}
