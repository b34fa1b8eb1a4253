"""Every, the bar's plain lines, sheets and colour agreement, each on a stand-in for a stage."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from stackgan import toybirds
from stackgan.callbacks import agreement, progress
from stackgan.callbacks.sheets import NEXT_NOISE, Sheets, columns
from stackgan.callbacks.watcher import Every, View, Watcher
from stackgan.core.pixels import to_unit_range
from stackgan.core.shapes import Examples, Pictures

LEAD: Any = SimpleNamespace(is_global_zero=True, is_last_batch=False)
"""A trainer as the first rank's callbacks see it, with batches left; LAST: in its last iteration."""
LAST: Any = SimpleNamespace(is_global_zero=True, is_last_batch=True)


@pytest.mark.parametrize(
    ("images", "seen", "calls", "due"),
    [
        (10, 0, [4, 8, 12, 16, 20, 24], [False, False, True, False, True, False]),
        (10, 12, [16, 20, 24], [False, True, False]),
        (3, 0, [8, 16], [True, True]),
        (100, 0, [4, 8], [False, False]),
    ],
)
def test_every_is_true_once_in_a_stretch(images: int, seen: int, calls: list[int], due: list[bool]) -> None:
    every = Every(images, seen)
    assert [every.due(call) for call in calls] == due


@pytest.fixture(scope="module")
def birds() -> Examples:
    """Real renders with a sentence each."""
    scenes = [toybirds.draw_scene(0, index) for index in range(24)]
    pictures = np.stack([toybirds.render(scene, 128).image for scene in scenes])
    sentences = tuple(toybirds.captions(scene, 0, index)[0] for index, scene in enumerate(scenes))
    return Examples(pictures, sentences, torch.zeros(len(scenes), 4), torch.arange(len(scenes)))


class Painter:
    """A stage that draws what it is told to, and counts."""

    name, resolution, iteration = "stage1", 128, 0

    def __init__(self, drawn_NHWC: Any, first_BCHW: Tensor | None = None) -> None:
        self.x_NCHW = to_unit_range(torch.from_numpy(np.ascontiguousarray(drawn_NHWC)).permute(0, 3, 1, 2))
        self.images_seen, self.first_BCHW = 0, first_BCHW
        self.keys: list[list[int]] = []
        self.terms: dict[str, Tensor] = {}

    def sample(self, text_BT: Tensor, key_B: Tensor, weights: str = "average", extras: Any = None) -> Pictures:
        self.keys.append(key_B.tolist())
        return Pictures(self.x_NCHW[key_B % NEXT_NOISE], self.first_BCHW)


class Album:
    """A data set of those pictures, under one split."""

    provides, splits = frozenset({"toybirds"}), frozenset({"test"})

    def __init__(self, birds: Examples) -> None:
        self.birds = birds

    def examples(self, split: str, count: int, seed: int) -> Examples:
        b = self.birds
        return Examples(b.real_NHWC[:count], b.sentences[:count], b.text_NT[:count], b.key_N[:count])


@dataclass
class Seen:
    """What a watcher said: rows of figures, pictures by name, results."""

    rows: list[Any] = field(default_factory=list)
    shown: list[Any] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)


def watch(watcher: Watcher, folder: Path, birds: Examples, stage: Painter, seen: Sequence[int], whole: bool = True) -> Seen:
    """Train to the last of seen; whole: it is the budget's end, else the run is stopped there."""
    said = Seen()
    record, show = (lambda images, values: said.rows.append((images, dict(values)))), (lambda *words: said.shown.append(words))
    watcher.attach(View(folder, Album(birds), record, show, said.results))
    watcher.on_train_start(LEAD, stage)
    for stage.images_seen in seen:
        watcher.on_train_batch_end(LAST if whole and stage.images_seen == seen[-1] else LEAD, stage)
    watcher.on_train_end(LAST if whole else LEAD, stage)
    return said


def test_real_renders_agree_wholly_and_others_sentences_seldom(birds: Examples) -> None:
    scores = agreement.score(birds, birds.real_NHWC)
    assert (scores["score"], scores["real"], scores["normalised"], scores["unreadable"]) == (1, 1, 1, 0)
    # By chance 1/8 for the bird's parts and 1/5 for the background, and some more where sentences name few.
    assert 0.05 < scores["shuffled"] < 0.4


def test_grey_pictures_agree_with_nothing(birds: Examples) -> None:
    scores = agreement.score(birds, np.full_like(birds.real_NHWC, 128))
    assert (scores["score"], scores["shuffled"], scores["normalised"], scores["unreadable"]) == (0, 0, 0, 1)


def test_other_birds_score_nothing_between_the_floors(birds: Examples) -> None:
    scores = agreement.score(birds, np.roll(birds.real_NHWC, 1, axis=0))
    assert scores["real"] == 1
    assert abs(scores["normalised"]) < 0.3


def test_one_sentence_has_no_floor(birds: Examples) -> None:
    one = Examples(birds.real_NHWC[:1], birds.sentences[:1], birds.text_NT[:1], birds.key_N[:1])
    scores = agreement.score(one, one.real_NHWC)
    assert scores["score"] == 1
    assert math.isnan(scores["normalised"])


def test_shuffling_leaves_no_sentence_in_its_place() -> None:
    sentences = [str(number) for number in range(50)]
    shuffled = agreement._shuffled(sentences)
    assert sorted(shuffled) == sorted(sentences)
    assert not any(a == b for a, b in zip(sentences, shuffled, strict=True))


def test_scores_are_recorded_where_due_and_the_last_is_a_result(birds: Examples, tmp_path: Path) -> None:
    stage = Painter(birds.real_NHWC)
    said = watch(agreement.ColourAgreement(10, ["held_out", "test"], 8), tmp_path, birds, stage, [4, 8, 12, 16])
    assert [seen for seen, _ in said.rows] == [12, 16]
    assert said.results == said.rows[-1][1]
    assert said.results["agreement/test/normalised"] == 1
    assert not any("held_out" in name for name in said.results)


def test_what_is_due_with_the_last_iteration_is_looked_at_once(birds: Examples, tmp_path: Path) -> None:
    said = watch(agreement.ColourAgreement(10, ["test"], 8), tmp_path, birds, Painter(birds.real_NHWC), [8, 16, 24])
    assert [seen for seen, _ in said.rows] == [16, 24]


def test_a_stopped_run_gets_no_last_look(birds: Examples, tmp_path: Path) -> None:
    for watcher in (agreement.ColourAgreement(10, ["test"], 8), Sheets(10, ["test"], 3, 1)):
        stage = Painter(birds.real_NHWC)
        said = watch(watcher, tmp_path, birds, stage, [4, 8], whole=False)
        assert (said.rows, said.results) == ([], {})
        assert len(stage.keys) == (1 if isinstance(watcher, Sheets) else 0)  # the untrained sheet alone


def test_other_ranks_do_not_look(birds: Examples, tmp_path: Path) -> None:
    watcher, stage = Sheets(1, ["test"], 3, 1), Painter(birds.real_NHWC)
    other: Any = SimpleNamespace(is_global_zero=False, is_last_batch=True)
    watcher.on_train_start(other, stage)
    stage.images_seen = 8
    watcher.on_train_batch_end(other, stage)
    watcher.on_train_end(other, stage)
    assert stage.keys == []


def test_pictures_are_drawn_in_chunks_in_their_order(birds: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "CHUNK", 10)
    stage = Painter(birds.real_NHWC)
    assert np.array_equal(agreement.draw(stage, birds), birds.real_NHWC)
    assert [len(keys) for keys in stage.keys] == [10, 10, 4]


def test_sheets_before_between_and_after(birds: Examples, tmp_path: Path) -> None:
    sheets = Sheets(10, ["held_out", "test"], 3, 2)
    stage = Painter(birds.real_NHWC)
    said = watch(sheets, tmp_path, birds, stage, [4, 8, 12, 16])
    names = ["reals-test", "seen-000000012-test", "seen-000000016-test", "untrained-test"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.png" for name in names]
    assert sheets.latest == [tmp_path / "seen-000000016-test.png"]
    # Three sheets of two noises: the same keys each time, so that only the weights differ between sheets.
    assert stage.keys == [[0, 1, 2], [NEXT_NOISE, NEXT_NOISE + 1, NEXT_NOISE + 2]] * 3
    with Image.open(sheets.latest[0]) as picture:
        assert min(picture.size) > 128
    assert [(images, name, drawings.sentences, drawings.keys) for images, name, drawings in said.shown] == [
        (images, "drawn/test", birds.sentences[:3], (0, 1, 2)) for images in (0, 12, 16)
    ]
    drawings = said.shown[0][2]
    np.testing.assert_array_equal(drawings.drawn_NHWC, birds.real_NHWC[:3])  # the first noise's pictures
    np.testing.assert_array_equal(drawings.beside["real"], birds.real_NHWC[:3])
    assert list(drawings.beside) == ["real"]


def test_what_a_second_stage_stands_on_is_shown_beside(birds: Examples, tmp_path: Path) -> None:
    stage = Painter(birds.real_NHWC, torch.zeros(24, 3, 64, 64))
    ((_, _, drawings),) = watch(Sheets(10, ["test"], 24, 1), tmp_path, birds, stage, [4]).shown[1:]
    assert list(drawings.beside) == ["real", "Stage-I 64 px"]
    assert drawings.beside["Stage-I 64 px"].shape == (24, 64, 64, 3)


def test_a_sheet_that_cannot_be_written_is_a_warning(birds: Examples, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch(Sheets(10, ["test"], 3, 1), tmp_path / "nowhere", birds, Painter(birds.real_NHWC), [4])
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 3
    assert all(
        line.startswith("warning: ") and "cannot be written (No such file or directory); training goes on" in line for line in err
    )


def test_a_resumed_run_draws_no_untrained_sheet_again(birds: Examples, tmp_path: Path) -> None:
    stage = Painter(birds.real_NHWC)
    stage.images_seen = 12
    watch(Sheets(10, ["test"], 3, 1), tmp_path, birds, stage, [16])
    assert [path.name for path in tmp_path.iterdir()] == ["seen-000000016-test.png"]


def test_columns_show_stage_one_under_stage_two(birds: Examples) -> None:
    below = torch.zeros(24, 3, 64, 64)
    titles = [title for title, _ in columns(Painter(birds.real_NHWC, below), birds, 1)]
    assert titles == ["real", "Stage-I 64 px", "stage1 128 px"]
    shown = dict(columns(Painter(birds.real_NHWC), birds, 3))
    assert list(shown) == ["real", "stage1 128 px"]
    assert shown["stage1 128 px"].shape == (24, 3, 128, 128, 3)


def test_plain_lines_now_and_then_where_there_is_no_terminal(
    birds: Examples, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr(progress.time, "perf_counter", lambda: float(next(clock)))
    bar, stage = progress.ImagesBar(1000, 2), Painter(birds.real_NHWC[:1])
    stage.terms = {
        "discriminator/real": torch.tensor(0.25),
        "discriminator/fake": torch.tensor(0.5),
        "generator/kl": torch.tensor(2.0),
    }
    bar.on_train_start(LEAD, stage)  # the clock shows 0, then 10
    for stage.iteration in range(1, 13):
        stage.images_seen = 50 * stage.iteration
        bar.on_train_batch_end(LEAD, stage)
    bar.on_train_end(LEAD, stage)
    out, err = capsys.readouterr()
    # Every second iteration looks at the clock, ten seconds apart; the first line is due 30 s after 10: the third look, at 40 s.
    assert err.splitlines() == [
        "stage1: 300/1,000 images, 8/s, 1.6 min left, D 0.75  G 2.00",
        "stage1: 600/1,000 images, 9/s, 0.8 min left, D 0.75  G 2.00",
    ]
    assert out == ""


def test_other_ranks_are_silent(birds: Examples, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    follower: Any = SimpleNamespace(is_global_zero=False)
    bar, stage = progress.ImagesBar(1000, 1), Painter(birds.real_NHWC[:1])
    bar.on_train_start(follower, stage)
    bar.on_train_batch_end(follower, stage)
    assert capsys.readouterr() == ("", "")
