"""Order and differences within one judge, over pairs that differ in what the claim is about and in nothing else."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from made_runs import card, config, identity, write

from stackgan.launch.places import CONF
from stackgan.report.columns import heads
from stackgan.report.published import read as read_papers
from stackgan.report.record import read
from stackgan.report.statistics import Way
from stackgan.report.variants import variants
from stackgan.report.verdicts import Verdict, verdicts

ABLATION, SYSTEMS = read_papers(CONF / "paper")
SCORE = "inception_score/small"
Job = tuple[dict[str, Any], Sequence[float]]


def judged(root: Path, *jobs: Job, way: Way = "welch", key: str = SCORE, paper: Any = ABLATION, **of_card: Any) -> list[Verdict]:
    """jobs: settings, and a score for each seed."""
    runs = [
        write(root, f"{place}-{seed}", settings, seed, None, {key: card(value, **of_card)})
        for place, (settings, values) in enumerate(jobs)
        for seed, value in enumerate(values)
    ]
    found = variants([read(run, identity) for run in runs])[0]
    return verdicts(paper, found, heads(found, None, [], "refuse"), way)


WITH, WITHOUT = config(data="cub"), config(data="cub", conditioning_augmentation=False)
HIGH, LOW = [3.0, 3.1, 3.2], [2.0, 2.1, 2.2]


@pytest.mark.parametrize(
    ("more", "less", "word"),
    [(HIGH, LOW, "reproduced"), (LOW, HIGH, "reversed"), (HIGH, [2.0, 3.0, 4.5], "open: the interval holds 0"),
     (HIGH[:1], LOW[:1], "open: one seed, the same order"), (LOW[:1], HIGH[:1], "open: one seed, another order"),
     (LOW[:1], LOW[:1], "open: one seed, no difference"), ([3.0, 3.0], [2.0, 2.0], "open: no spread over seeds, the same order"),
     (HIGH, [0.0, 0.0, 0.0], "open: no spread over seeds, the same order")],
)  # fmt: skip
def test_a_verdict_is_about_our_difference(tmp_path: Path, more: list[float], less: list[float], word: str) -> None:
    (found,) = judged(tmp_path, (WITH, more), (WITHOUT, less))
    assert found.claim == "CA helps Stage-I at 64 px"
    assert found.word == word
    assert found.paper == "+0.29 inception_score on cub"
    assert found.estimate.value == pytest.approx(sum(more) / len(more) - sum(less) / len(less))


def test_lower_may_be_better(tmp_path: Path) -> None:
    (found,) = judged(tmp_path, (WITH, LOW), (WITHOUT, HIGH), key="frechet/small", higher_is_better=False)
    assert found.word == "reproduced"


def test_the_test_is_named(tmp_path: Path) -> None:
    (welch,) = judged(tmp_path / "w", (WITH, HIGH), (WITHOUT, LOW))
    assert welch.how == "Welch's t, 3 and 3 seeds"
    (paired,) = judged(tmp_path / "p", (WITH, HIGH), (WITHOUT, [2.0, 2.15]), way="paired")
    assert paired.how == "paired t over 2 seeds"
    (constant,) = judged(tmp_path / "c", (WITH, [0.3, 0.4, 0.5]), (WITHOUT, [0.1, 0.2, 0.3]), way="paired")
    assert constant.word == "open: no spread over seeds, the same order"
    (one,) = judged(tmp_path / "o", (WITH, HIGH[:1]), (WITHOUT, LOW))
    assert one.how == "no interval: 1 and 3 seeds"


def test_other_pictures_reproduce_nothing(tmp_path: Path) -> None:
    birds = config(), config(conditioning_augmentation=False)
    (found,) = judged(tmp_path, (birds[0], HIGH), (birds[1], LOW))
    assert (found.same_data, found.word) == (False, "holds on toybirds")


def test_a_pair_that_differs_in_more_is_no_pair(tmp_path: Path) -> None:
    elsewhere = config(data="cub", conditioning_augmentation=False, recipe=WITH["stage"]["recipe"] | {"name": "paper"})
    longer = config(data="cub", conditioning_augmentation=False, images=6400)
    assert judged(tmp_path, (WITH, HIGH), (elsewhere, LOW), (longer, LOW)) == []
    assert len(judged(tmp_path, (WITH, HIGH), (elsewhere, LOW), (WITHOUT, LOW))) == 1


def test_a_claim_varies_the_run_below_too(tmp_path: Path) -> None:
    """Stage-II without CA stands on a Stage-I without CA."""
    runs = []
    for name, augmented, value in (("on", True, 3.0), ("off", False, 2.0)):
        for seed in range(2):
            base = write(tmp_path, f"{name}{seed}", config(data="cub", conditioning_augmentation=augmented), seed, None)
            two = config("stage2", data="cub", resolution=128, conditioning_augmentation=augmented)
            runs.append(write(tmp_path, f"{name}{seed}", two, seed, None, {SCORE: card(value + seed / 100)}, base=base))
    found = variants([read(run, identity) for run in runs])[0]
    (verdict,) = verdicts(ABLATION, found, heads(found, None, [], "refuse"), "welch")
    assert (verdict.claim, verdict.word) == ("CA helps StackGAN at 128 px", "reproduced")


def test_systems_may_differ_in_all_but_pictures_and_sentences(tmp_path: Path) -> None:
    ours = config("stage2", data="cub", resolution=256)
    rival = config("gan_int_cls", data="cub", network={"name": "reed"}, images=3199)
    (found,) = judged(tmp_path / "a", (ours, HIGH), (rival, LOW), paper=SYSTEMS)
    assert found.claim == "StackGAN is better than GAN-INT-CLS"
    assert found.besides == ("stage.resolution", "stage.network.name"), "neither what the claim is about nor the images seen"
    deaf = rival | {"text": {"name": "minilm"}}
    assert judged(tmp_path / "b", (ours, HIGH), (deaf, LOW), paper=SYSTEMS) == []
