"""GAWWN from command to DONE: cut and gone on with, drawn from with a place, and refused where there is none."""

from pathlib import Path

import numpy as np
import pytest
import torch
from commands import SMALL, Outcome, Program
from PIL import Image
from test_training import cut_back, done, rows, same, state

import stackgan
from stackgan.core.errors import UserError
from stackgan.launch import restore
from stackgan.launch.sampling import sample
from stackgan.runs import checkpoint
from stackgan.stage.gawwn_part_generator import PartGeneratorStage

PARTS = 15
WORDS = (*SMALL, "run.name=one", "stage.images=24", "trainer.checkpoint_every_images=8", "trainer.checkpoints_kept=9")
PLACES = {"box": torch.tensor([[0.1, 0.2, 0.5, 0.6]]), "parts": torch.rand(1, PARTS, 3)}


def words(stage: str, *more: str) -> tuple[str, ...]:
    narrow = (f"stage.{stage}.{player}.width=8" for player in ("generator", "discriminator"))
    return (*WORDS, f"stage={stage}", *narrow, "stage.recipe.batch_size=4", *more)


@pytest.mark.parametrize("stage", ["gawwn_box", "gawwn_parts", "gawwn_part_generator"])
def test_killed_it_ends_with_the_same_bits(stage: str, program: Program, desk: Path) -> None:
    run = Path(f"logs/{stage}/toybirds/one")
    done(program, *words(stage))
    whole, lines = state(run), rows(run)
    cut_back(run, 16)
    done(program, *words(stage))
    assert same(whole["weights"], state(run)["weights"])
    assert same(whole["optimizers"], state(run)["optimizers"])
    assert rows(run) == lines
    assert not same(whole["weights"], state(run, 16)["weights"])


@pytest.mark.parametrize("kind", PLACES)
def test_a_run_is_loaded_and_draws_at_the_place_asked_for(kind: str, program: Program, desk: Path) -> None:
    done(program, *words(f"gawwn_{kind}"))
    painter = stackgan.load("run://latest")
    assert painter.sampler.takes == {kind}
    pictures = painter.sample("a red bird", n=2, extras={kind: PLACES[kind]}).pixels_NKHWC
    assert pictures.shape == (1, 2, 128, 128, 3)
    again = stackgan.load(f"run://gawwn_{kind}/toybirds/one").sample("a red bird", n=2, extras={kind: PLACES[kind]})
    assert np.array_equal(again.pixels_NKHWC, pictures)
    # After six steps there is hardly any contrast, so the numbers before they become bytes are compared.
    text_BT, keys = painter.embed(("a red bird",)).expand(3, -1), torch.tensor([4, 5, 5])
    places = torch.cat([PLACES[kind], PLACES[kind], PLACES[kind] * 0.5])
    one, other, elsewhere = painter.sampler.sample(text_BT, keys, extras={kind: places}).x_BCHW
    assert not torch.equal(one, other)
    assert not torch.equal(other, elsewhere)
    with pytest.raises(UserError, match=f"draws with a {kind}"):
        painter.sample("a red bird")


def test_a_part_generator_completes_after_its_run(program: Program, desk: Path) -> None:
    done(program, *words("gawwn_part_generator"))
    found = checkpoint.newest_whole(Path("logs/gawwn_part_generator/toybirds/one/checkpoints"))
    assert found is not None
    stage = restore.stage(found[1])
    assert isinstance(stage, PartGeneratorStage)
    text, nothing = torch.randn(3, found[1]["data"]["text_dim"]), torch.zeros(3, PARTS, 3)
    completed = stage.complete(text, nothing, torch.arange(3))
    assert completed.shape == (3, PARTS, 3)
    assert (completed[..., 2] > 0).any()
    with pytest.raises(UserError, match="draws no pictures"):
        stackgan.load("run://gawwn_part_generator/toybirds/one")


@pytest.mark.parametrize(("stage", "lacks"), [("gawwn_box", "boxes"), ("gawwn_parts", "parts"), ("gawwn_part_generator", "parts")])
def test_a_data_set_without_places_is_refused_in_one_line(stage: str, lacks: str, program: Program, desk: Path) -> None:
    without = (word for word in words(stage) if not word.startswith(("data.train", "data.test")))
    complaint = program(*without, "data=oxford").complaint
    assert complaint == f"data=oxford: has no {lacks}, which stage={stage} needs; take another data set"
    assert not Path("logs").exists()


def test_pictures_that_move_without_their_boxes_are_refused(program: Program, desk: Path) -> None:
    complaint = program(*words("gawwn_box"), "stage.recipe.augment_translation=0.125").complaint
    assert complaint == "stage.recipe.augment_translation=0.125: would move birds out of their box; set 0"
    assert not Path("logs").exists()


def sampled(program: Program, *words: str) -> Outcome:
    return program(*words, 'text="a red bird"', "n=1", verb=sample, config="sample")


def test_sample_draws_into_a_box_and_moves_it(program: Program, desk: Path) -> None:
    done(program, *words("gawwn_box"))
    ended = sampled(program, "mode=move", "box=[0.2,0.3,0.5,0.4]", "mode.steps=2", "out=moved")
    assert ended.code == 0, ended.err
    assert Image.open("moved/move-1/move.png").width > 4 * 64
    one, two = (sampled(program, f"box=[{left},0.3,0.5,0.4]", f"out=o{left}") for left in ("0.1", "0.4"))
    assert one.code == two.code == 0
    (first,), (second,) = (list(Path(f"o{left}/sheet-1/pictures").iterdir()) for left in ("0.1", "0.4"))
    assert first.name == second.name
    assert sampled(program).complaint.endswith(
        "draws into a box; give left, top, width and height as fractions: box=[0.2,0.3,0.5,0.4]"
    )
    assert sampled(program, "box=[0.2,0.3,0.9,0.4]").complaint.startswith("box=[0.2, 0.3, 0.9, 0.4]: give left, top, width")
    assert sampled(program, "box=[0.2,0.3,0.5,0.4]", "parts={beak: [0.1, 0.2]}").complaint.startswith(
        "parts={'beak': [0.1, 0.2]}: gawwn_box"
    )


def test_sample_completes_parts_from_the_sentence(program: Program, desk: Path) -> None:
    done(program, *words("gawwn_parts"))
    run = "run=run://gawwn_parts/toybirds/one"
    assert "no finished part generator of data=toybirds" in sampled(program, run).complaint
    assert sampled(program, run, "part_run=null").complaint.startswith("part_run=null: says that nothing completes")
    assert "has no such part; did you mean beak?" in sampled(program, run, "parts={beek: [0.1, 0.2]}").complaint
    assert sampled(program, run, "part_run=null", "parts={beak: [0.7, 0.4]}").code == 0
    done(program, *words("gawwn_part_generator"))
    assert sampled(program, run).code == 0
    assert sampled(program, run, "mode=export", "out=exported").code == 0
    assert sampled(program, "run=exported/export-1/generator.safetensors", "out=again").code == 0
    assert sampled(program, run, "parts={beak: [0.7, 0.4]}", "mode=move", "mode.steps=2").code == 0
    newest = next(Path("logs/gawwn_part_generator/toybirds/one/checkpoints").glob("seen-000000024.pt"))
    state = torch.load(newest)
    state["data"]["text"] = "another"
    torch.save(state, newest)
    assert "learnt from the sentence encoder hashing (another)" in sampled(program, run).complaint


def test_a_system_that_is_told_no_place_refuses_one(program: Program, desk: Path) -> None:
    done(program, *SMALL, "stage.images=8")
    assert sampled(program, "box=[0.2,0.3,0.5,0.4]").complaint.startswith(
        "box=[0.2, 0.3, 0.5, 0.4]: stage1 is told no box; drop it"
    )
    assert "is told no place" in sampled(program, "mode=move").complaint


@pytest.mark.parametrize("stage", ["gawwn_parts", "gawwn_part_generator"])
def test_another_number_of_parts_is_said_before_anything_is_written(stage: str, program: Program, desk: Path) -> None:
    complaint = program(*words(stage), f"stage.{stage}.generator.parts=3").complaint
    assert (
        complaint == f"stage.{stage}.generator.parts=3: data=toybirds has 15 parts a picture; set stage.{stage}.generator.parts=15"
    )
    assert not Path("logs").exists()
