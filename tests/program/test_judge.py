"""A judge trained by the program, found again by judges.judge(), and one line where that cannot be."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import BIRDS, Program

from stackgan.core.errors import UserError
from stackgan.launch.judges import judge
from stackgan.metric.trained_judge import TrainedJudge

SMALL = (
    "stage=judge", "stage.classifier.network.width=4", "stage.recipe.batch_size=4", "stage.images=16", "logger=none",
    "trainer.log_every=1", "trainer.precision=32-true", "stage.recipe.average_decay=0.5",
)  # fmt: skip
NODE = {"_target_": "stackgan.metric.trained_judge.TrainedJudge", "run": "latest", "any_data": False, "precision": "float32"}


@pytest.fixture
def trained(program: Program, desk: Path) -> Path:
    ended = program(*SMALL, *BIRDS, "run.name=j")
    assert ended.code == 0, ended.err
    assert "pictures that it was not trained on (guessing: 0.0" in ended.out
    return desk / "logs/judge/toybirds/j"


def test_it_is_found_again_with_its_accuracy(trained: Path, desk: Path) -> None:
    results = json.loads((trained / "results.json").read_text())
    found = judge(NODE, "toybirds", [desk / "logs"])
    assert isinstance(found, TrainedJudge)
    card = found.card()
    assert card["accuracy"] == results["accuracy/held_out"]
    assert card["accuracy_pictures"] == results["accuracy/held_out/pictures"] > 0
    assert len(card["class_names"]) == card["classes"] == found.classes
    assert card["data"]["classes"] == "all"
    state = torch.load(next((trained / "checkpoints").glob("seen-*.pt")))
    assert torch.equal(found.network.head.weight, state["weights"]["average.head.weight"])
    assert found.observe(np.zeros((2, 76, 70, 3), np.uint8), ["", ""])["logits"].shape == (2, found.classes)
    with pytest.raises(UserError, match=r"knows the classes of data=toybirds, not of data=oxford; train one of its own: p"):
        judge(NODE | {"run": "run://judge/toybirds/j"}, "oxford", [desk / "logs"])
    other = judge(NODE | {"run": "run://judge/toybirds/j", "any_data": True}, "oxford", [desk / "logs"])
    assert other.fingerprint == found.fingerprint


def test_a_run_cut_in_two_ends_with_the_same_bits(trained: Path, program: Program, desk: Path) -> None:
    words = [word for word in SMALL if not word.startswith("stage.images")]
    assert program(*words, *BIRDS, "run.name=k", "stage.images=8").code == 0
    assert program(*words, *BIRDS, "run.name=k", "stage.images=16").code == 0
    one, two = (torch.load(desk / f"logs/judge/toybirds/{name}/checkpoints/seen-000000016.pt")["weights"] for name in "jk")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_no_judge_a_wrong_word_and_broken_weights(trained: Path, desk: Path) -> None:
    with pytest.raises(UserError, match=r"^judge\.run=latest: no finished judge under .*oxford; train one: python src/train"):
        judge(NODE, "oxford", [desk / "logs"])
    with pytest.raises(UserError, match=r"^judge\.run=newest: not a judge's run; give latest, or run://judge/"):
        judge(NODE | {"run": "newest"}, "toybirds", [desk / "logs"])
    path = next((trained / "checkpoints").glob("seen-*.pt"))
    state = torch.load(path)
    del state["weights"]["average.head.bias"]
    torch.save(state, path)
    with pytest.raises(UserError, match=r"this version cannot rebuild its judge \(RuntimeError"):
        judge(NODE, "toybirds", [desk / "logs"])
    path.write_bytes(b"broken")
    with pytest.raises(UserError, match=r"cannot be read"):
        judge(NODE, "toybirds", [desk / "logs"])
    shutil.rmtree(trained / "checkpoints")
    with pytest.raises(UserError, match=r"holds no checkpoint; train it again"):
        judge(NODE, "toybirds", [desk / "logs"])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("data=coco", "stage/classifier=small"), "data=coco: has no classes, which stage=judge needs; take another data set"),
        ((*BIRDS, "data.validate=true"), "data.validate=true: stage=judge holds out pictures of every class"),
        ((*BIRDS, "stage.classes=some"), "stage.classes=some: input should be 'all' or 'test'"),
        (
            (*BIRDS, "stage/classifier=efficientnet_lite0", "stage.classifier.start.weights=none.pth"),
            "stage.classifier.start.weights=none.pth: no such file; set stage.classifier.start.weights=null and pip install",
        ),
        (
            (*BIRDS, "stage/classifier=inception_v3"),
            "stage.classifier.start.weights=null: stage/classifier=inception_v3 needs a file; bring inception_v3_google",
        ),
    ],
)
def test_what_cannot_be_judged(words: tuple[str, ...], complaint: str, program: Program, desk: Path) -> None:
    assert program("stage=judge", "logger=none", *words).complaint.startswith(complaint)
    assert not (desk / "logs").exists()
