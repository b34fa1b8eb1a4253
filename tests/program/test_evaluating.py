"""Scores by the program: of a run, of the same pictures as PNGs, while training, and one line where they cannot be had."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import BIRDS, SMALL, Outcome, Program
from PIL import Image

import stackgan
from stackgan.launch import build
from stackgan.launch.evaluating import evaluate
from stackgan.launch.sampling import sample
from stackgan.metric.source import drawn

JUDGE = (
    "stage=judge", "stage.classifier.network.width=4", "stage.recipe.batch_size=4", "stage.images=16", "logger=none",
    "trainer.log_every=1", "trainer.precision=32-true", "run.name=j", *BIRDS,
)  # fmt: skip
RUN = (*SMALL, "stage.images=8", "run.name=one")
METRICS = "metric=[inception_score,agreement]"
WORDS = (METRICS, "n=14", "floors_n=6", "metric.inception_score.splits=2", "metric.inception_score.resamples=0")
KEY = "inception_score/small-toybirds"


@pytest.fixture
def judged(program: Program) -> None:
    assert program(*JUDGE).code == 0


def scores(ended: Outcome) -> dict[str, Any]:
    assert ended.code == 0, ended.err
    (line,) = [line for line in ended.out.splitlines() if line.startswith("results: ")]
    found: dict[str, Any] = json.loads(Path(line.removeprefix("results: ")).read_text())["scores"]
    return found


def call(program: Program, *words: str) -> Outcome:
    return program(*words, verb=evaluate, config="evaluate")


def test_a_run_is_scored_with_its_floors_and_its_results_stay(judged: None, program: Program, desk: Path) -> None:
    assert program(*RUN).code == 0
    found = scores(call(program, "run=run://latest", *WORDS, "metric=[inception_score,agreement,location]"))
    card = found[KEY]
    assert card["n"] == 14
    assert card["protocol"]["splits"] == 2
    assert card["judge"]["accuracy"] is not None
    assert card["pictures"]["weights"] == "average"
    assert card["floors"]["real"]["n"] > 0
    assert card["floors"]["untrained"]["n"] == card["floors"]["training copy"]["n"] == 6
    assert found["agreement/toybirds"]["floors"]["real"]["value"] > 0.9
    assert found["agreement/unreadable/toybirds"]["higher_is_better"] is False
    # The text was asked for no place: what it reaches is the floor of systems that are.
    assert found["location/toybirds"]["value"] < 0.5 < 0.8 < found["location/toybirds"]["floors"]["real"]["value"]
    assert found["location/pck/toybirds"]["floors"]["training copy"]["value"] > 0.9
    results = json.loads((desk / "logs/stage1/toybirds/one/results.json").read_text())
    assert results["images_seen"] == 8
    assert results["scores"] == found
    # A longer budget continues the run, and keeps what was scored before.
    assert program(*RUN, "stage.images=12").code == 0
    results = json.loads((desk / "logs/stage1/toybirds/one/results.json").read_text())
    assert results["images_seen"] == 12
    assert results["scores"] == found


def test_the_same_pictures_as_files_have_the_same_score(judged: None, program: Program, desk: Path) -> None:
    assert program(*RUN).code == 0
    of_run = scores(call(program, *WORDS, "floors=false", "out=a"))[KEY]
    painter = stackgan.load("run://latest")
    data = build.data_module(painter.origin.config, encoder=painter.encoder)
    data.prepare_data()
    data.setup()
    source = drawn(data.gallery("test"), lambda text, key, _: painter.draw(text, key)[0], "x", 14, 0)
    folder = desk / "drawn"
    folder.mkdir()
    for row, picture in enumerate(source.show(np.arange(14))):
        Image.fromarray(picture).save(folder / f"{row:03d}.png")
        (folder / f"{row:03d}.txt").write_text(source.sentences[row] + "\n")
    given = ("images=drawn", "data=toybirds", *BIRDS, *WORDS, "floors=false", "out=b")
    of_files = scores(call(program, *given))
    assert of_files[KEY]["value"] == pytest.approx(of_run["value"], abs=1e-6)
    assert of_files["agreement/toybirds"]["n"] > 0


def test_scoring_while_training_changes_no_weight(judged: None, program: Program, desk: Path) -> None:
    looks = ("callbacks.scores.every_images=4", "callbacks.scores.n=6", "callbacks.scores.metric.kernel_distance.subset_size=3")
    assert program(*RUN, *looks).code == 0
    assert program(*RUN[:-1], "run.name=two", "callbacks.scores=null").code == 0
    one, two = (torch.load(next((desk / f"logs/stage1/toybirds/{name}/checkpoints").glob("*.pt"))) for name in ("one", "two"))
    assert all(torch.equal(value, two["weights"][name]) for name, value in one["weights"].items())
    results = json.loads((desk / "logs/stage1/toybirds/one/results.json").read_text())
    assert results[f"{KEY}/n"] == 6
    assert results["kernel_distance/small-toybirds/n"] == 6
    assert KEY in (desk / "logs/stage1/toybirds/one/metrics.csv").read_text().splitlines()[0]
    assert KEY not in json.loads((desk / "logs/stage1/toybirds/two/results.json").read_text())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run=run://latest",), "judge.run=latest: no finished judge under"),
        (("run=run://latest", "n=0"), "n=0: "),
        (("run=run://stage1/toybirds/none",), "run=run://stage1/toybirds/none: no such run"),
        (("run=run://latest", "data=cub"), "data=...: a run brings its own data"),
        (("run=run://latest", "captions=a.csv"), "captions=a.csv: goes with images=DIR"),
        (("images=nothing",), "images=nothing: say which real pictures to compare with"),
        (("images=nothing", "data=toybirds", *BIRDS), "images=nothing: no such folder"),
        (("run=run://latest", "metric=[]"), "metric=[]: no score is asked for"),
        (("run=run://latest", "metric=[agreements]"), "metric=agreements: no such choice; did you mean agreement?"),
        (("run=run://latest", "metric.frechet.shrinks=1"), "metric.frechet.shrinks=1: no such setting"),
    ],
)
def test_one_line_says_what_is_wrong(words: tuple[str, ...], says: str, program: Program) -> None:
    assert program(*RUN).code == 0
    ended = call(program, *words)
    assert ended.code == 2, ended.out
    complaint = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert len(complaint) == 1
    assert complaint[0].startswith(f"error: {says}"), complaint


def test_other_captions_of_the_same_files_are_seen_anew(program: Program, desk: Path) -> None:
    (desk / "drawn").mkdir()
    for row in range(4):
        Image.new("RGB", (32, 32), (row, 60 * row, 9)).save(desk / f"drawn/{row}.png")
        (desk / f"drawn/{row}.txt").write_text(f"a bird number {row}.\n")

    def order() -> str:
        words = ("images=drawn", "data=toybirds", *BIRDS, "metric=[coverage]", "floors=false", "out=c")
        return str(next(iter(scores(call(program, *words)).values()))["captions"]["order"])

    first = order()
    assert order() == first
    (desk / "drawn/2.txt").write_text("something else.\n")
    assert order() != first


def test_a_judge_that_knows_none_of_the_classes_is_refused(program: Program) -> None:
    assert program(*JUDGE, "stage.classes=test").code == 0
    assert program(*RUN).code == 0
    ended = call(program, *WORDS, "split=held_out")
    assert ended.code == 2
    assert "small-toybirds-test knows none of the classes of split held_out" in ended.err
    assert set(scores(call(program, *WORDS, "split=test", "floors=false"))) >= {"inception_score/small-toybirds-test"}


def test_a_score_that_no_judge_can_feed_is_refused_before_training(judged: None, program: Program) -> None:
    ended = program(*RUN, "+callbacks.scores.metric.agreement._target_=stackgan.metric.agreement.Agreement")
    assert ended.code == 2
    assert "callbacks.scores.metric.agreement: reads reading, which a judge does not give" in ended.err


def test_a_score_that_fails_while_training_says_so_once(judged: None, program: Program) -> None:
    ended = program(*RUN, "callbacks.scores.every_images=4", "callbacks.scores.n=6")
    assert ended.code == 0
    assert ended.err.count("warning: no kernel_distance while training: metric.kernel_distance.subset_size=250") == 1


def test_an_exported_file_is_scored_as_its_run(judged: None, program: Program, desk: Path) -> None:
    assert program(*RUN).code == 0
    words = (*WORDS, "floors=false")
    of_run = scores(call(program, *words, "out=a"))
    assert program("mode=export", "out=exported", verb=sample, config="sample").code == 0
    shutil.rmtree(desk / "logs/stage1")
    of_file = scores(call(program, *words, "run=exported/export-1/generator.safetensors", "out=b"))
    assert {name: card["value"] for name, card in of_file.items()} == {name: card["value"] for name, card in of_run.items()}


def test_too_few_pictures_for_a_frechet_distance(judged: None, program: Program) -> None:
    assert program(*RUN).code == 0
    ended = call(program, "metric=[frechet]", "n=14", "floors=false")
    assert ended.code == 2
    assert "kernel_distance" in ended.err
    assert "drawn" not in ended.err.replace("n=14 drawn pictures", "")  # it was known before
