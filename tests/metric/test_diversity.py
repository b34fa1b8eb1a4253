"""Diversity within a sentence and across: distances done by hand, and the two ways in which a generator fails."""

import numpy as np
import pytest
import torch

from stackgan.core.errors import UserError
from stackgan.metric.diversity import Diversity, mean_across, mean_distance
from stackgan.metric.score import Seen


def score(pairs: int = 2000) -> Diversity:
    return Diversity(pairs=pairs, resamples=50, seed=0)


def drawn(sentences: int, repeats: int, between: float, within: float) -> Seen:
    rng = np.random.default_rng(0)
    middles = np.repeat(between * rng.normal(size=(sentences, 64)), repeats, axis=0)
    features = (middles + within * rng.normal(size=middles.shape)).astype(np.float32)
    words = tuple(f"sentence {row // repeats}" for row in range(len(features)))
    return Seen({"features": features}, words, np.arange(len(features)) // (2 * repeats))


def test_distances_by_hand() -> None:
    """Sentence a at 0, 3, 3 (pairs 3, 3, 0): mean 2. Sentence b at 0 and 10: 10. c alone: none."""
    seen = Seen({"features": np.array([[0.0], [0], [3], [10], [3], [7]])}, ("a", "b", "a", "b", "a", "c"), np.arange(6))
    found = score().compute(seen, {})
    assert found[""].value == pytest.approx((2 + 10) / 2)
    assert (found[""].n, found[""].protocol["sentences"]) == (5, 2)
    every = [abs(x - y) for x, s in _rows(seen) for y, t in _rows(seen) if s != t]
    assert found["across"].value == pytest.approx(np.mean(every), rel=0.05)
    assert found["relative"].value == found[""].value / found["across"].value


def _rows(seen: Seen) -> list[tuple[float, str]]:
    return list(zip(seen.arrays["features"][:, 0].tolist(), seen.sentences, strict=True))


def test_pieces_and_equal_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(0).normal(size=(40, 5))
    whole = mean_distance(features)
    monkeypatch.setattr("stackgan.metric.diversity.ROWS", 7)
    assert mean_distance(features) == pytest.approx(whole)
    assert mean_distance(np.repeat(features[:1], 40, axis=0)) == 0


@pytest.mark.parametrize(("between", "within", "expected"), [(1, 0, 0), (0, 1, 1), (1, 1, 0.5**0.5)])
def test_a_generator_that_ignores_noise_or_sentence(between: float, within: float, expected: float) -> None:
    assert score().compute(drawn(100, 4, between, within), {})["relative"].value == pytest.approx(expected, abs=0.02)


def test_the_interval_holds_the_value() -> None:
    figure = score().compute(drawn(100, 4, 1, 1), {})[""]
    low, high = figure.interval or (1, 0)
    assert low < figure.value < high < 1.05 * low


def test_refusals_and_one_sentence_alone() -> None:
    with pytest.raises(UserError, match=r"^metric=diversity: each of 9 pictures has a sentence of its own; set repeats=2 or more"):
        score().compute(drawn(9, 1, 1, 1), {})
    with pytest.raises(UserError, match=r"^metric=diversity: n=0, no drawn pictures to score"):
        score().compute(drawn(0, 1, 1, 1), {})
    assert set(score().compute(drawn(1, 5, 1, 1), {})) == {""}
    assert mean_across(np.zeros((3, 1)), ("a", "a", "a"), 5, 0) is None
    equal = score().compute(drawn(5, 2, 0, 0), {})
    assert (equal[""].value, equal["across"].value, set(equal)) == (0, 0, {"", "across"})


def test_no_random_state_is_touched() -> None:
    before = torch.random.get_rng_state()
    assert score().compute(drawn(9, 2, 1, 1), {}) == score().compute(drawn(9, 2, 1, 1), {})
    assert torch.equal(torch.random.get_rng_state(), before)
