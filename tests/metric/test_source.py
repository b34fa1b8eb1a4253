"""What is drawn, in which order: the same for every n, every caption in turn, every noise once."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from galleries import gallery
from torch import Tensor

from stackgan.metric.source import drawn, real, schedule


def test_a_shorter_schedule_is_the_beginning_of_a_longer_one() -> None:
    short, long = schedule(gallery(), 5, seed=3), schedule(gallery(), 40, seed=3)
    for name in ("place_N", "caption_N", "key_N"):
        assert np.array_equal(getattr(short, name), getattr(long, name)[:5])
    assert not np.array_equal(schedule(gallery(), 40, seed=4).place_N, long.place_N)


def test_each_pass_visits_every_picture_once_and_takes_its_next_caption() -> None:
    plan = schedule(gallery(7), 21, seed=0)
    for start in (0, 7, 14):
        assert sorted(plan.place_N[start : start + 7]) == list(range(7))
    for place in range(7):
        captions = plan.caption_N[plan.place_N == place].tolist()
        assert len(set(captions)) == min(3, place % 3 + 1)
        assert len(set(captions[: place % 3 + 1])) == place % 3 + 1
    assert len(set(plan.key_N.tolist())) == 21


def test_repeats_draw_one_sentence_several_times_with_other_noise() -> None:
    plan, once = schedule(gallery(), 8, seed=0, repeats=3), schedule(gallery(), 8, seed=0)
    assert plan.place_N.tolist() == np.repeat(once.place_N, 3)[:8].tolist()
    assert len(set(plan.key_N.tolist())) == 8
    assert np.array_equal(plan.key_N[::3], once.key_N[:3])


def test_drawn_hands_the_generator_the_embeddings_of_the_sentences_it_is_scored_with() -> None:
    asked: list[Tensor] = []

    def draw(text_BT: Tensor, key_B: Tensor, extras: Mapping[str, Tensor]) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
        asked.append(torch.cat([text_BT, key_B[:, None].double()], 1))
        return np.zeros((len(key_B), 4, 4, 3), np.uint8)

    source = drawn(gallery(), draw, "g", n=10, seed=0)
    source.show(np.array([8, 2]))
    for row, (place, caption, _) in zip([8, 2], asked[0].long().tolist(), strict=True):
        assert source.sentences[row] == f"picture {place} caption {caption}"
        assert source.picture_N[row] == place + 100


@pytest.mark.parametrize(
    "other",
    [
        drawn(gallery(), lambda *_: np.zeros(0, np.uint8), "another", 4, 0),
        drawn(gallery(), lambda *_: np.zeros(0, np.uint8), "g", 4, 1),
        drawn(gallery(), lambda *_: np.zeros(0, np.uint8), "g", 4, 0, repeats=2),
        drawn(gallery(name="other"), lambda *_: np.zeros(0, np.uint8), "g", 4, 0),
        real(gallery(), 0),
    ],
)
def test_the_fingerprint_holds_what_changes_a_row_and_not_the_length(other: object) -> None:
    mine = drawn(gallery(), lambda *_: np.zeros(0, np.uint8), "g", 4, 0)
    assert drawn(gallery(), lambda *_: np.zeros(0, np.uint8), "g", 9, 0).fingerprint == mine.fingerprint
    assert getattr(other, "fingerprint", None) != mine.fingerprint


def test_real_shows_each_picture_once_with_a_caption_of_its_own() -> None:
    source = real(gallery(7), seed=0)
    assert sorted(source.show(np.arange(7))[:, 0, 0, 0].tolist()) == list(range(7))
    for row, sentence in enumerate(source.sentences):
        assert sentence.startswith(f"picture {source.show(np.array([row]))[0, 0, 0, 0]} caption")
    assert len(real(gallery(7), 0, n=3)) == 3
    assert len(real(gallery(7), 0, n=30)) == 7
