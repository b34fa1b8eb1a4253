"""Health: what is measured, when it is said, that it is said once, and that it survives a resume."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from stackgan.callbacks.health import Balance, Diversity, Health, told_apart
from stackgan.callbacks.sheets import NEXT_NOISE
from stackgan.callbacks.watcher import View
from stackgan.core.shapes import Examples, Pictures

GOING: Any = SimpleNamespace(is_global_zero=True, is_last_batch=False)
RIGHT, LOST = torch.tensor([3.0, 2.0]), torch.tensor([-1.0, 0.0])


@pytest.mark.parametrize(
    ("real", "other", "share"),
    [([2.0, 1.0], [0.0, -1.0], 1.0), ([0.0, -1.0], [2.0, 1.0], 0.0), ([1.0], [1.0], 0.5), ([2.0, 0.0], [1.0, 0.0], 0.625)],
)
def test_told_apart_counts_pairs(real: list[float], other: list[float], share: float) -> None:
    assert told_apart(torch.tensor(real), torch.tensor(other)) == share


def attached(watcher: Health, folder: Path, count: int = 4) -> tuple[list[Any], dict[str, Any]]:
    rows: list[Any] = []
    results: dict[str, Any] = {}
    examples = Examples(None, ("a",) * count, torch.arange(float(count))[:, None], torch.arange(count) + 7)
    data: Any = SimpleNamespace(examples=lambda split, count, seed: examples)
    watcher.attach(View(folder, data, lambda images, values: rows.append((images, values)), lambda *_: None, results))
    return rows, results


def seen(watcher: Health, stage: Any, images: int) -> None:
    stage.images_seen = images
    watcher.on_train_batch_end(GOING, stage)


def test_a_discriminator_that_always_wins_is_said_once_and_again_after_it_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watcher, stage = (
        Balance(10, patience=2),
        SimpleNamespace(images_seen=0, judged={"real": RIGHT, "fake": LOST, "mismatched": RIGHT}),
    )
    rows, results = attached(watcher, tmp_path)
    watcher.on_train_start(GOING, stage)
    for images in (10, 20, 30):
        seen(watcher, stage, images)
    assert rows == [(images, {"told_apart/fake": 1.0, "told_apart/mismatched": 0.5}) for images in (10, 20, 30)]
    assert len(results["health"]) == 1
    assert results["health"][0].startswith("after 20 images the discriminator tells every drawn picture")
    stage.judged = {"real": RIGHT, "fake": torch.tensor([-1.0, 2.5])}
    seen(watcher, stage, 40)
    stage.judged = {"real": RIGHT, "fake": LOST}
    seen(watcher, stage, 50)
    assert len(results["health"]) == 1
    seen(watcher, stage, 60)
    assert [line[:15] for line in results["health"]] == ["after 20 images", "after 60 images"]
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 2
    assert all(line.startswith("health: after") and "stage.recipe.discriminator_lr" in line for line in err)


def test_a_resumed_run_does_not_say_it_again(tmp_path: Path) -> None:
    stage = SimpleNamespace(images_seen=0, judged={"real": RIGHT, "fake": LOST})
    first = Balance(10, patience=2)
    _, results = attached(first, tmp_path)
    first.on_train_start(GOING, stage)
    seen(first, stage, 10)
    state = first.state_dict()
    second = Balance(10, patience=2)
    _, results = attached(second, tmp_path)
    second.on_train_start(GOING, stage)
    second.load_state_dict(state)
    seen(second, stage, 20)
    assert len(results["health"]) == 1  # the second win in a row, counted over the cut
    third = Balance(10, patience=2)
    _, results = attached(third, tmp_path)
    third.on_train_start(GOING, stage)
    third.load_state_dict(second.state_dict())
    seen(third, stage, 30)
    assert results == {}


class Painter:
    """Draws one grey a picture: by sentence and by noise, each with its weight."""

    def __init__(self, by_sentence: float, by_noise: float) -> None:
        self.by_sentence, self.by_noise, self.images_seen = by_sentence, by_noise, 0
        self.keys: list[int] = []

    def sample(self, text_BT: Tensor, key_B: Tensor, extras: Any) -> Pictures:
        self.keys += key_B.tolist()
        noise_B = (key_B // NEXT_NOISE).float()
        value_B = self.by_sentence * text_BT[:, 0] + self.by_noise * noise_B
        return Pictures(value_B[:, None, None, None].expand(-1, 3, 2, 2))


@pytest.mark.parametrize(
    ("by_sentence", "by_noise", "low"), [(0.1, 0.1, False), (0.1, 0.001, True), (0.0, 0.1, False), (0.0, 0.0, True)]
)
def test_pictures_that_ignore_the_noise_are_said(by_sentence: float, by_noise: float, low: bool, tmp_path: Path) -> None:
    watcher, stage = Diversity(10, "train", sentences=4, noises=3, least=0.1), Painter(by_sentence, by_noise)
    rows, results = attached(watcher, tmp_path)
    watcher.on_train_start(GOING, stage)  # type: ignore[arg-type]
    seen(watcher, stage, 10)
    # Sentences 0 to 3 and noises 0 to 2, evenly spaced: standard deviations of 1.118 and 0.816 times the weight.
    assert rows[0][1]["diversity/within"] == pytest.approx(0.8165 * by_noise, abs=1e-4)
    assert rows[0][1]["diversity/across"] == pytest.approx(1.1180 * by_sentence, abs=1e-4)
    assert ("health" in results) == low
    assert set(stage.keys) == {7, 7 + NEXT_NOISE, 7 + 2 * NEXT_NOISE}  # the same noise for every sentence


def test_diversity_that_falls_below_what_it_was_is_said(tmp_path: Path) -> None:
    watcher, stage = Diversity(10, "train", sentences=2, noises=3, least=0.1), Painter(0.0, 0.2)
    _, results = attached(watcher, tmp_path, count=2)
    watcher.on_train_start(GOING, stage)  # type: ignore[arg-type]
    seen(watcher, stage, 10)
    again = Diversity(10, "train", sentences=2, noises=3, least=0.1)
    _, results = attached(again, tmp_path, count=2)
    again.on_train_start(GOING, stage)  # type: ignore[arg-type]
    again.load_state_dict(watcher.state_dict())
    stage.by_noise = 0.03
    seen(again, stage, 20)
    assert results == {}
    history = again.state_dict()["history"]
    assert [look[0] for look in history] == [10, 20]  # the curve goes on where the resumed run had been
    assert [look[1] for look in history] == pytest.approx([0.8165 * 0.2, 0.8165 * 0.03], abs=1e-4)
    assert Image.open(tmp_path / "diversity.png").width == 1000
    stage.by_noise = 0.01
    seen(again, stage, 30)
    assert results["health"][0].startswith(
        "after 30 images the pictures of one sentence hardly differ (0.008 apart; at their best 0.163;"
    )
