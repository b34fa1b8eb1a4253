"""A Stage-I run from its command to DONE: what it leaves, and that cutting, watching and repeating it change no weight."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import SMALL, Program

from stackgan.runs.folder import RunFolder

ONE = (*SMALL, "run.name=one", "stage.images=24", "trainer.checkpoint_every_images=8", "trainer.checkpoints_kept=9")
RUN = Path("logs/stage1/toybirds/one")
WALL_CLOCK = {"images_per_second", "data_wait", "peak_memory_gib"}
PAPER = ("stage/recipe=paper", "stage.recipe.batch_size=4", "stage.recipe.lr_halve_every=1", "data.train=9")


def done(program: Program, *words: str) -> str:
    ended = program(*words)
    assert ended.code == 0, ended.err
    return ended.out


def same(a: Any, b: Any) -> bool:
    """Bit for bit, through mappings, lists and tensors."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b) and a.dtype == b.dtype
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def state(run: Path, seen: int = 24) -> dict[str, Any]:
    """A checkpoint, opened as anyone would."""
    found: dict[str, Any] = torch.load(run / "checkpoints" / f"seen-{seen:09d}.pt")
    return found


def cut_back(run: Path, seen: int) -> None:
    """As if the run had been killed some time after that checkpoint."""
    for path in (run / "checkpoints").iterdir():
        if int(path.stem.partition("-")[2]) > seen:
            path.unlink()
    (run / "DONE").unlink()


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "metrics.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if k not in WALL_CLOCK} for row in csv.DictReader(file)]


def test_what_a_run_leaves(program: Program, desk: Path) -> None:
    out = done(
        program, *ONE, "callbacks.sheets.every_images=12", "callbacks.agreement.every_images=12", "trainer.checkpoints_kept=2"
    )
    assert sorted(path.name for path in RUN.iterdir()) == [
        "DONE", "checkpoints", "config.json", "metrics.csv", "provenance.json", "results.json", "sheets",
    ]  # fmt: skip
    best, *newest = sorted(path.name for path in (RUN / "checkpoints").iterdir())
    assert best.startswith("best-")
    assert newest == ["seen-000000016.pt", "seen-000000024.pt"]
    sheets = {
        f"{name}-{split}.png"
        for name in ("reals", "untrained", "seen-000000012", "seen-000000024")
        for split in ("held_out", "test")
    }
    assert {path.name for path in (RUN / "sheets").iterdir()} == {*sheets, "diversity.png"}
    assert not list(desk.rglob("*.part"))
    assert {path.name for path in desk.iterdir()} == {"logs"}
    config = json.loads((RUN / "config.json").read_text())
    assert config["stage"]["recipe"]["batch_size"] == 4
    assert "${" not in (RUN / "config.json").read_text()
    provenance = json.loads((RUN / "provenance.json").read_text())
    assert provenance["base"] is None
    assert provenance["data"]["text_dim"] == 512
    assert provenance["data"]["train_size"] == 60
    assert provenance["packages"]["torch"] == torch.__version__.split("+")[0] or "+" in provenance["packages"]["torch"]
    results = json.loads((RUN / "results.json").read_text())
    assert results["images_seen"] == json.loads((RUN / "DONE").read_text())["images_seen"] == 24
    assert results["seconds"] >= 0
    assert 0 <= results["agreement/test/score"] <= 1
    assert str(RUN) in out


def test_metrics_count_images_upwards_and_are_all_there(program: Program, desk: Path) -> None:
    done(program, *ONE)
    found = rows(RUN)
    losses = [row for row in found if row["discriminator/real_conditional"]]
    assert [int(row["images_seen"]) for row in losses] == [4, 8, 12, 16, 20, 24]
    assert [int(row["images_seen"]) for row in found] == sorted(int(row["images_seen"]) for row in found)
    assert all(row["discriminator/fake_conditional"] and row["generator/kl"] for row in losses)
    # R1 is lazy: of iterations 0 to 5 only the first has it.
    assert [bool(row["discriminator/r1"]) for row in losses] == [True, False, False, False, False, False]
    assert {row["generator_lr"] for row in losses} == {"0.0002"}


def test_a_checkpoint_is_plain_data(program: Program, desk: Path) -> None:
    done(program, *ONE)
    for seen in (8, 16, 24):
        found = state(RUN, seen)
        assert found["images_seen"] == seen
        assert found["config"] == json.loads((RUN / "config.json").read_text())
        assert found["first"] is None
        assert len(found["optimizers"]) == 2


@pytest.mark.slow
def test_the_same_command_finds_it_done_and_a_longer_budget_goes_on(program: Program, desk: Path) -> None:
    done(program, *ONE)
    before = {path: path.stat().st_mtime_ns for path in RUN.rglob("*") if path.is_file()}
    for words in (ONE, (*ONE, "stage.images=8"), (*ONE, "stage.images=21"), (*ONE, "trainer.log_every=3")):
        assert "is done (24 images seen); run.fresh=true trains it again" in done(program, *words)
    assert {path: path.stat().st_mtime_ns for path in RUN.rglob("*") if path.is_file()} == before
    done(program, *ONE, "stage.images=32")
    assert RunFolder(RUN).images_done() == 32
    longer = state(RUN, 32)
    done(program, *ONE, "stage.images=32", "run.name=two")
    assert same(longer["weights"], state(RUN.with_name("two"), 32)["weights"])


@pytest.mark.parametrize(
    ("recipe", "seen"),
    [((), 8), pytest.param((), 16, marks=pytest.mark.slow), pytest.param(PAPER, 8, marks=pytest.mark.slow), (PAPER, 16)],
    ids=["modern-8", "modern-16", "paper-8", "paper-16"],
)
def test_a_run_killed_anywhere_ends_with_the_same_bits(recipe: tuple[str, ...], seen: int, program: Program, desk: Path) -> None:
    done(program, *ONE, *recipe)
    whole, lines = state(RUN), rows(RUN)
    cut_back(RUN, seen)
    done(program, *ONE, *recipe)
    again = state(RUN)
    assert same(whole["weights"], again["weights"])
    assert same(whole["optimizers"], again["optimizers"])
    assert same(whole["callbacks"]["MetricsWriter"], again["callbacks"]["MetricsWriter"])
    assert rows(RUN) == lines
    assert not same(whole["weights"], state(RUN, seen)["weights"])


@pytest.mark.slow
def test_a_run_killed_before_its_first_checkpoint_begins_anew(program: Program, desk: Path) -> None:
    done(program, *ONE)
    whole = state(RUN)
    cut_back(RUN, 0)
    done(program, *ONE)
    assert same(whole["weights"], state(RUN)["weights"])
    assert [row["images_seen"] for row in rows(RUN) if row["discriminator/real_conditional"]] == ["4", "8", "12", "16", "20", "24"]


def test_looking_on_changes_no_bit(program: Program, desk: Path) -> None:
    done(program, *ONE, "callbacks.sheets.every_images=4", "callbacks.agreement.every_images=4")
    unwatched = [word for word in ONE if not word.startswith("callbacks.")]
    done(program, *unwatched, "callbacks=none", "trainer.log_every=5", "run.name=two")
    assert same(state(RUN)["weights"], state(RUN.with_name("two"))["weights"])
    assert not list((RUN.with_name("two") / "sheets").iterdir())


@pytest.mark.slow
def test_the_seed_changes_everything(program: Program, desk: Path) -> None:
    done(program, *ONE)
    done(program, *ONE, "seed=1", "run.name=two")
    a, b = (state(run)["weights"] for run in (RUN, RUN.with_name("two")))
    drawn = [name for name in a if a[name].is_floating_point() and a[name].ndim > 1]
    assert drawn
    assert not any(torch.equal(a[name], b[name]) for name in drawn)


@pytest.mark.slow
def test_fresh_makes_a_folder_beside_it_with_the_same_weights(program: Program, desk: Path) -> None:
    for name in ("one", "one-2", "one-3"):
        done(program, *ONE, "run.fresh=true")
        assert RunFolder(RUN.with_name(name)).images_done() == 24
    assert same(state(RUN)["weights"], state(RUN.with_name("one-3"))["weights"])


def test_a_name_used_under_other_settings_is_refused(program: Program, desk: Path) -> None:
    done(program, *ONE, "stage.images=4")
    before = sorted(desk.rglob("*"))
    complaint = program(*ONE, "stage.recipe.beta1=0.5").complaint
    assert complaint.startswith(
        f"run.name=one: {RUN} was begun with other settings (stage.recipe.beta1 was 0.0, is 0.5); set another"
    )
    assert sorted(desk.rglob("*")) == before


def test_a_run_that_another_process_trains_is_left_alone(program: Program, desk: Path) -> None:
    with RunFolder(RUN).lock():
        complaint = program(*ONE).complaint
    assert complaint == f"run.name=one: another process trains {RUN}; wait for it, or set another seed or run.name"
    assert not RUN.exists()
    done(program, *ONE)


@pytest.mark.slow
def test_a_damaged_checkpoint_is_passed_over(program: Program, desk: Path) -> None:
    done(program, *ONE)
    whole = state(RUN)
    cut_back(RUN, 16)
    newest = RUN / "checkpoints" / "seen-000000016.pt"
    newest.write_bytes(newest.read_bytes()[:1000])
    ended = program(*ONE)
    assert ended.code == 0, ended.err
    assert f"warning: checkpoint {newest}: cannot be read" in ended.err
    assert same(whole["weights"], state(RUN)["weights"])


@pytest.mark.slow
def test_a_run_killed_between_its_last_checkpoint_and_done_only_says_so(program: Program, desk: Path) -> None:
    done(program, *ONE)
    results, before = json.loads((RUN / "results.json").read_text()), (RUN / "metrics.csv").read_bytes()
    (RUN / "DONE").unlink()
    (RUN / "results.json").unlink()
    out = done(program, *ONE)
    again = json.loads((RUN / "results.json").read_text())
    assert {k: v for k, v in again.items() if k.startswith(("agreement", "images_seen", "told_apart", "diversity"))} == {
        k: v for k, v in results.items() if k.startswith(("agreement", "images_seen", "told_apart", "diversity"))
    }
    assert again["images_per_second"] > 0
    assert (RUN / "metrics.csv").read_bytes() == before
    assert f"run: {RUN}" in out


def test_numbers_that_run_away_end_the_run_in_one_line(program: Program, desk: Path) -> None:
    complaint = program(*ONE, "stage.recipe.generator_lr=1e30").complaint
    assert "stage1: the generator's term" in complaint or "stage1: the discriminator's term" in complaint
    assert "no weight was changed by it" in complaint
    assert not (RUN / "DONE").exists()


@pytest.mark.slow
def test_budgets_are_whole_batches_and_passes(program: Program, desk: Path) -> None:
    for words, seen in (("stage.images=5", 8), ("stage.epochs=1", 60), ("stage.recipe.epochs=2", 120)):
        done(
            program,
            *(word for word in ONE if word != "stage.images=24"),
            words,
            "callbacks.agreement.count=1",
            f"run.name=of-{seen}",
        )
        assert RunFolder(RUN.with_name(f"of-{seen}")).images_done() == seen
