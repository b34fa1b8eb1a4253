"""R-precision: hand-made cases, chance, and candidates that never share a sentence or a picture."""

import numpy as np
import pytest
import torch
from score_samples import of

from stackgan.core.errors import UserError
from stackgan.metric.r_precision import RPrecision, hits, mismatched
from stackgan.metric.score import Seen


def pairs(n: int, noise: float, seed: int = 0, per_picture: int = 3) -> Seen:
    """Sentences, per_picture of them of one data set picture, and pictures as far from them as noise says."""
    rng = np.random.default_rng(seed)
    sentence = rng.normal(size=(n, 32))
    picture = sentence + noise * rng.normal(size=(n, 32))
    arrays = {"picture_embedding": picture, "sentence_embedding": sentence}
    unit = {name: (a / np.linalg.norm(a, axis=1, keepdims=True)).astype(np.float32) for name, a in arrays.items()}
    return of(unit, np.arange(n) // per_picture)


def score(candidates: int = 10, resamples: int = 100) -> RPrecision:
    return RPrecision(candidates=candidates, folds=7, resamples=resamples, seed=0)


def shuffled(seen: Seen) -> Seen:
    order = np.roll(np.arange(len(seen)), 17)
    arrays = {**seen.arrays, "sentence_embedding": seen.arrays["sentence_embedding"][order]}
    return Seen(arrays, tuple(seen.sentences[row] for row in order), seen.picture_N[order])


def test_a_hit_by_hand() -> None:
    """Rows 0 and 1 point where their sentences do; row 2's is beaten; row 3's is level with one of two, then both."""
    picture = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.6, 0.8]])
    sentence = np.array([[1.0, 0.0], [0.0, 1.0], [0.8, 0.6], [0.6, 0.8]])
    assert hits(picture, sentence, np.array([[1, 2], [0, 2], [0, 1], [3, 0]])) == pytest.approx([1, 1, 0, 1 / 2])
    assert hits(picture, sentence, np.array([[1, 2], [0, 2], [0, 1], [3, 3]])) == pytest.approx([1, 1, 0, 1 / 3])


def test_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = score().compute(pairs(200, 1.5), {})
    monkeypatch.setattr("stackgan.metric.r_precision.ROWS", 13)
    assert score().compute(pairs(200, 1.5), {}) == whole


def test_candidates_share_neither_sentence_nor_picture_and_differ() -> None:
    """40 rows, some of which say the same, of 10 pictures."""
    sentences = [f"sentence {row % 33}" for row in range(40)]
    picture_N = np.arange(40) // 4
    other_NK = mismatched(sentences, picture_N, 20, seed=3)
    said: dict[int, set[str]] = {picture: set() for picture in range(10)}
    for sentence, picture in zip(sentences, picture_N.tolist(), strict=True):
        said[picture].add(sentence)
    for row, others in enumerate(other_NK):
        words = [sentences[other] for other in others]
        assert len(set(words)) == 20
        assert sentences[row] not in words
        assert not said[int(picture_N[row])] & set(words)
    assert np.array_equal(other_NK, mismatched(sentences, picture_N, 20, seed=3))
    assert not np.array_equal(other_NK, mismatched(sentences, picture_N, 20, seed=4))


def test_every_other_sentence_is_as_likely() -> None:
    counts = np.bincount(mismatched([str(row) for row in range(50)], np.arange(50), 10, seed=0).ravel(), minlength=50)
    assert counts.mean() == 10
    assert counts.std() < 4


def test_a_perfect_scorer_a_shuffled_one_and_one_that_sees_nothing() -> None:
    figure = score().compute(pairs(600, 0), {})[""]
    assert (figure.value, figure.spread, figure.interval, figure.n) == (1, 0, (1, 1), 600)
    assert figure.protocol["guessing"] == 0.1
    figure = score().compute(shuffled(pairs(600, 0)), {})[""]
    low, high = figure.interval or (1, 0)
    assert low < 0.1 < high
    blind = pairs(600, 0)
    blind.arrays["picture_embedding"][:] = 0
    assert score().compute(blind, {})[""].value == pytest.approx(0.1)


def test_the_worse_the_scorer_the_lower_and_the_interval_holds_the_value() -> None:
    figures = [score().compute(pairs(600, noise), {})[""] for noise in (0.5, 2, 8)]
    assert figures[0].value > figures[1].value > figures[2].value > 0.1
    for figure in figures[1:]:
        low, high = figure.interval or (1, 0)
        assert low < figure.value < high
        assert figure.spread is not None
        assert 0 < figure.spread < 0.2


def test_pictures_of_one_data_set_picture_are_resampled_together() -> None:
    seen = pairs(100, 3)
    fourfold = seen.rows(np.repeat(np.arange(100), 4))
    careless = Seen(fourfold.arrays, fourfold.sentences, np.arange(400))
    widths = []
    for one in (fourfold, careless):
        low, high = score(resamples=400).compute(one, {})[""].interval or (0, 0)
        widths.append(high - low)
    assert widths[0] > 1.6 * widths[1]


def test_refusals() -> None:
    with pytest.raises(
        UserError, match=r"^metric\.r_precision\.folds=7: only 6 pictures; draw more pictures \(n=7 at least\) or set"
    ):
        score().compute(pairs(6, 1), {})
    with pytest.raises(UserError, match=r"candidates=10: only 10 different sentences, 3 of them of one picture; .*candidates=8$"):
        score().compute(pairs(10, 1), {})
    assert 0 < score(8).compute(pairs(10, 1), {})[""].value <= 1
    with pytest.raises(UserError, match=r"candidates=1: nothing to confuse a sentence with"):
        score(1).compute(pairs(10, 1), {})
    with pytest.raises(UserError, match=r"^metric=r_precision: n=0, no drawn pictures to score"):
        score().compute(pairs(0, 1), {})
    broken = pairs(50, 1)
    broken.arrays["sentence_embedding"][4] = np.nan
    with pytest.raises(UserError, match=r"'sentence_embedding' of 1 of 50 drawn pictures is not finite"):
        score().compute(broken, {})


def test_no_random_state_is_touched() -> None:
    before = torch.random.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    score().compute(pairs(60, 1), {})
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # type: ignore[index]  # noqa: NPY002


def test_a_pinned_number() -> None:
    assert score().compute(pairs(200, 1.5), {})[""].value == 0.975
