"""From a reference or a file to a painter: every way gives the same bits, and what is wrong is refused in one line."""

import json
import os
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drawn_runs import SEEN, state, write_run
from safetensors import safe_open
from safetensors.torch import save_file

import stackgan
from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.draw import export
from stackgan.draw.painter import Painter
from stackgan.launch import restore
from stackgan.runs.folder import RunFolder

WORDS = {
    "stage1": (),
    "stage2": ("stage=stage2", "stage.resolution=128"),
    "paper": ("stage/recipe=paper",),
    "vanilla": ("stage=vanilla",),
    "gan_cls": ("stage=gan_cls", "stage.reed.generator.width=8", "stage.reed.discriminator.width=8"),
}
SENTENCES = ["a red bird", "a blue bird with white wings"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exported(painter: Painter, path: Path, weights: Any = "average") -> Path:
    export.write(path, painter.origin, painter.sampler.state_dict(), weights)
    return path


@pytest.mark.parametrize("kind", WORDS)
def test_every_way_to_a_run_draws_the_same_bits(kind: str, here: Path) -> None:
    run = write_run(here / "logs", *WORDS[kind])
    stage = RunFolder(run.path).path.parts[-3]
    drawn = stackgan.load("run://latest").sample(SENTENCES, n=2)
    file = exported(stackgan.load(), here / "g.safetensors")
    shutil.move(run.path / "checkpoints" / f"seen-{SEEN:09d}.pt", here / "alone.pt")
    alone = stackgan.load("alone.pt")
    shutil.copy(here / "alone.pt", run.path / "checkpoints" / f"seen-{SEEN:09d}.pt")
    assert alone.origin.provenance == {}
    for way in (f"run://{stage}/toybirds/one", f"run://{stage}/toybirds/latest", run.path, file, alone):
        painter = way if isinstance(way, Painter) else stackgan.load(way)
        again = painter.sample(SENTENCES, n=2)
        assert np.array_equal(again.pixels_NKHWC, drawn.pixels_NKHWC), way
        assert (again.first_NKHWC is None) == (kind != "stage2")
        if drawn.first_NKHWC is not None:
            assert np.array_equal(again.first_NKHWC, drawn.first_NKHWC)
    assert len(np.unique(drawn.pixels_NKHWC)) > 50, "pictures without contrast would prove nothing"


@pytest.mark.parametrize("weights", ["average", "live"])
def test_it_draws_as_the_stage_itself(weights: Any, here: Path) -> None:
    """Against the whole stage, discriminator and all."""
    write_run(here / "logs", *WORDS["stage2"])
    painter, whole = stackgan.load(), restore.stage(state(*WORDS["stage2"]))
    text_BT, key_B = painter.embed(SENTENCES), torch.tensor([4, 9])
    whole_BCHW = whole.sample(text_BT, key_B, weights).x_BCHW
    assert torch.equal(painter.sampler.sample(text_BT, key_B, weights).x_BCHW, whole_BCHW)
    file = exported(painter, here / "g.safetensors", weights)
    assert torch.equal(stackgan.load(file).sampler.sample(text_BT, key_B, weights).x_BCHW, whole_BCHW)
    other = "live" if weights == "average" else "average"
    with pytest.raises(UserError, match=f"weights={other}: g.safetensors holds only {weights} weights; set weights={weights}"):
        stackgan.load("g.safetensors").sample(SENTENCES, weights=other)


def test_an_export_has_no_pickle_and_no_place_of_this_machine(here: Path) -> None:
    write_run(here / "logs", *WORDS["stage2"])
    file = exported(stackgan.load(), here / "g.safetensors")
    with safe_open(file, framework="pt") as opened:
        said = json.loads(opened.metadata()["stackgan"])
        assert all(name.startswith(("generator.first.", "generator.network.")) for name in opened.keys())  # noqa: SIM118
    assert said["version"] == 1
    assert set(said["config"]) == {"seed", "stage", "text", "data"}
    assert not {"root", "cache"} & set(said["config"]["data"])
    assert said["first"]["config"]["stage"]["name"] == "stage1"


def test_latest_is_the_newest_finished_run_that_can_draw(here: Path) -> None:
    logs = here / "elsewhere"
    for number, name in enumerate(("old", "new", "unfinished", "deaf", "empty")):
        run = write_run(logs, name=name, done=name != "unfinished")
        if run.done.exists():
            os.utime(run.done, (number, number))
        if name == "deaf":
            settings = run.settings()
            settings["stage"]["_target_"] = "stackgan.text.hashing.HashingEncoder"
            atomic.write_json(run.config, settings)
        if name == "empty":
            shutil.rmtree(run.checkpoints)
    assert "/new/" in stackgan.load("run://latest", logs=logs).origin.source
    assert "/new/" in stackgan.load("run://stage1/toybirds/latest", logs=logs).origin.source
    assert "/unfinished/" in stackgan.load("run://stage1/toybirds/unfinished", logs=logs).origin.source


def test_the_best_checkpoint_is_a_choice(here: Path) -> None:
    run = write_run(here / "logs")
    with pytest.raises(UserError, match=r"checkpoint=best: .*one kept none .*; set checkpoint=newest"):
        stackgan.load(checkpoint="best")
    (newest,) = run.checkpoints.iterdir()
    shutil.copy(newest, run.checkpoints / "best-000000008.pt")
    assert stackgan.load().origin.source.endswith(newest.name)
    assert stackgan.load(checkpoint="best").origin.source.endswith("best-000000008.pt")


def test_a_damaged_newest_checkpoint_is_passed_over(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run(here / "logs")
    (run.checkpoints / "seen-000000099.pt").write_bytes(b"half")
    assert stackgan.load().origin.images_seen == SEEN
    assert "seen-000000099.pt: cannot be read" in capsys.readouterr().err


REFERENCES = {
    "run://latest": "no finished run that draws under logs/. Train one with python src/train.py, or give run://latest, run://",
    "run://stage2/toybirds/latest": "no finished run that draws under logs/",
    "run://stage1/toybirds/onne": "no such run under logs/; did you mean stage1/toybirds/one?; give run://latest, run://",
    "run://stage1/toybirds": "not a reference; give run://latest, run://<stage>/<data>/<name or latest> as under logs/, a run's",
    "run://": "not a reference; give",
    "run://../../etc": "not a reference; give",
    "run://*/*/*": "not a reference; give",
    "latest": "no such file or folder; give run://latest",
    "logs": "not a run's folder (no config.json in it); give run://latest",
    "logs/stage1/toybirds/none": "holds no checkpoint yet",
    "note.txt": "cannot be read (BadZipFile); give run://latest",
}


@pytest.mark.parametrize("reference", REFERENCES)
def test_references_that_lead_nowhere_give_the_way_out(reference: str, here: Path) -> None:
    write_run(here / "logs", done=False)
    shutil.rmtree(write_run(here / "logs", name="none", done=False).checkpoints)
    (here / "note.txt").write_text("no checkpoint")
    with pytest.raises(UserError) as caught:
        stackgan.load(reference)
    assert REFERENCES[reference] in str(caught.value)
    assert reference in str(caught.value)


def test_another_encoder_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(here / "logs")
    stackgan.load(run.path)
    wanted = run.facts()["data"]["text"]
    monkeypatch.setattr("stackgan.text.hashing.VERSION", 2)
    with pytest.raises(UserError, match=rf"learnt from the sentence encoder hashing \({wanted}\), but here hashing is \w{{8}}, "):
        stackgan.load(run.path)


def test_an_encoder_that_cannot_work_says_so_itself(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = state()["config"]
    config["text"] = {"_target_": "stackgan.text.minilm.MiniLMEncoder", "name": "minilm", "folder": None, "precision": "float32"}
    write_run(here / "logs", config=config)
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(UserError, match="text=minilm: needs the package transformers: pip install"):
        stackgan.load()


FOREIGN = {
    "stage": lambda config: config["stage"].update(_target_="os.system"),
    "data's": lambda config: config["stage"].update(_target_="stackgan.data.toybirds.ToyBirdsData"),
    "generator": lambda config: config["stage"]["network"]["stage1"]["generator"].update(_target_="torch.load"),
    "discriminator": lambda config: config["stage"]["network"]["stage1"]["discriminator"].update(_target_="os.system"),
    "encoder": lambda config: config["text"].update(_target_="subprocess.Popen"),
}


@pytest.mark.parametrize("where", FOREIGN)
@pytest.mark.parametrize("file", ["checkpoint", "export"])
def test_a_foreign_class_is_refused(file: str, where: str, here: Path) -> None:
    config = json.loads(json.dumps(state()["config"]))
    if file == "checkpoint":
        FOREIGN[where](config)
        write_run(here / "logs", config=config)
        reference = "run://stage1/toybirds/one"
    else:
        write_run(here / "logs")
        reference = str(exported(stackgan.load(), here / "g.safetensors"))
        rewritten(Path(reference), lambda said: FOREIGN[where](said["config"]))
    with pytest.raises(UserError, match=r"_target_=.*: not a class that conf/ offers"):
        stackgan.load(reference)


@pytest.mark.parametrize(
    "changed",
    [
        {"weights": {}}, {"weights": []}, {"config": {}}, {"config": "x"}, {"data": {}}, {"images_seen": "many"},
        {"first": {"config": {}}}, {"weights": {"generator.network.draw.0.0.weight": torch.zeros(1)}},
    ],
)  # fmt: skip
def test_a_checkpoint_that_does_not_fit_is_one_line(changed: dict[str, Any], here: Path) -> None:
    run = write_run(here / "logs")
    broken = {**state(), **changed}
    torch.save(broken, run.checkpoints / f"seen-{SEEN:09d}.pt")
    with pytest.raises(UserError, match=r"not one of a generator|this version cannot rebuild its generator") as caught:
        stackgan.load()
    assert "\n" not in str(caught.value)


def rewritten(file: Path, change: Any, weights: Any = None) -> None:
    """Change what the header says, and leave the weights."""
    with safe_open(file, framework="pt") as opened:
        metadata, tensors = opened.metadata(), {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    said = json.loads(metadata["stackgan"])
    change(said)
    if weights is not None:
        tensors = weights(tensors)
        said["sha256"] = export._digest(tensors)
    save_file(tensors, file, {**metadata, "stackgan": json.dumps(said)})


HEADERS: dict[str, tuple[Any, str]] = {
    "version": (lambda said: said.update(version=2), "format version 2, this program reads 1; export the generator again"),
    "no version": (lambda said: said.pop("version"), "format version None, this program reads 1"),
    "more": (lambda said: said.update(code="x"), "its header is not sound (code: Extra inputs are not permitted)"),
    "less": (lambda said: said.pop("facts"), "its header is not sound (facts: Field required)"),
    "type": (lambda said: said.update(images_seen="1"), "its header is not sound (images_seen: Input should be a valid integer)"),
    "width": (lambda said: said["facts"].update(text_dim=10**12), "its header is not sound (facts.text_dim: "),
    "weights": (lambda said: said.update(sha256="0" * 64), "its weights are not those that were written"),
    "interpolation": (
        lambda said: said["config"]["text"].update(name="${oc.env:HOME}"),
        "text.name=${oc.env:HOME}: an interpolation",
    ),
    "network": (
        lambda said: said["config"]["stage"]["network"]["stage1"]["generator"].update(width=16),
        "this version cannot rebuild its generator (RuntimeError: ",
    ),
    "emptied": (lambda said: said.update(config={}), "this version cannot rebuild its generator (KeyError: 'text')"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_that_was_tampered_with_is_refused(case: str, here: Path) -> None:
    change, complaint = HEADERS[case]
    write_run(here / "logs")
    file = exported(stackgan.load(), here / "g.safetensors")
    rewritten(file, change)
    with pytest.raises(UserError) as caught:
        stackgan.load(file)
    assert str(caught.value).startswith(str(file) if case != "interpolation" else "text.name")
    assert complaint in str(caught.value)


def test_weights_that_do_not_fit_the_header_are_refused(here: Path) -> None:
    write_run(here / "logs")
    file = exported(stackgan.load(), here / "g.safetensors")
    rewritten(file, lambda said: None, lambda tensors: {name: value.double() for name, value in tensors.items()})
    with pytest.raises(UserError, match=r"cannot rebuild its generator \(ValueError: generator.*float64, not torch.float32"):
        stackgan.load(file)


@pytest.mark.parametrize("damage", ["cut", "flipped", "not json", "deep", "a list", "none", "huge"])
def test_a_damaged_file_is_refused(damage: str, here: Path) -> None:
    write_run(here / "logs")
    file = exported(stackgan.load(), here / "g.safetensors")
    whole = bytearray(file.read_bytes())
    if damage == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "flipped":
        whole[-7] ^= 4
        file.write_bytes(whole)
    elif damage == "huge":
        file.write_bytes(struct.pack("<Q", 2**60) + whole[8:])
    else:
        said = {"not json": "{", "deep": "[" * 200_000, "a list": "[1]", "none": None}[damage]
        save_file({"x": torch.zeros(1)}, file, {"stackgan": said} if said is not None else None)
    with pytest.raises(UserError, match=r"export the generator again: python src/sample.py mode=export"):
        stackgan.load(file)


def test_a_gpu_that_is_not_there(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match="accelerator=gpu: PyTorch sees no GPU here"):
        stackgan.load(accelerator="gpu")


def test_nothing_else_is_offered_under_the_package_s_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'loads'"):
        stackgan.loads  # noqa: B018
