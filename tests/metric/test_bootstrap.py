"""Intervals against theory: the right width, wider for clusters, the same every time."""

import numpy as np
import pytest
from score_samples import of, samples

from stackgan.metric import bootstrap
from stackgan.metric.inception_score import InceptionScore, inception_score, resampled_scores

RNG = np.random.default_rng(0)
VALUES = RNG.normal(size=400)
ALONE = np.arange(400)


def test_the_width_is_that_of_a_mean() -> None:
    low, high = bootstrap.mean_interval(VALUES, ALONE, 4000, 0) or (0, 0)
    error = VALUES.std() / np.sqrt(400)
    assert (low + high) / 2 == pytest.approx(VALUES.mean(), abs=0.1 * error)
    assert high - low == pytest.approx(2 * 1.96 * error, rel=0.06)


def test_pictures_of_one_cluster_count_once() -> None:
    """Each value four times over tells no more than once; taken for independent it would look twice as sure."""
    values, clusters = np.repeat(VALUES, 4), np.repeat(ALONE, 4)
    once, four = (bootstrap.mean_interval(v, c, 1000, 0) for v, c in ((VALUES, ALONE), (values, clusters)))
    assert four == pytest.approx(once)
    careless = bootstrap.mean_interval(values, np.arange(1600), 1000, 0) or (0, 0)
    assert np.diff(careless) == pytest.approx(np.diff(four or (0, 0)) / 2, rel=0.1)


def test_clusters_of_different_sizes_weigh_by_their_pictures() -> None:
    means = bootstrap.resampled_means(np.array([[0.0], [0.0], [0.0], [1.0]]), np.array([7, 7, 7, 2]), 2000, 0)
    # Both clusters: 1/4; one of them twice: 0 or 1.
    values, counts = np.unique(means, return_counts=True)
    assert values.tolist() == [0, 0.25, 1]
    assert counts / 2000 == pytest.approx([0.25, 0.5, 0.25], abs=0.04)


def test_one_seed_one_interval() -> None:
    first, again, other = (bootstrap.mean_interval(VALUES, ALONE, 50, seed) for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(("clusters", "resamples"), [(np.zeros(400, int), 50), (ALONE, 0)])
def test_nothing_to_resample_is_no_interval(clusters: "np.ndarray[tuple[int], np.dtype[np.int64]]", resamples: int) -> None:
    assert bootstrap.mean_interval(VALUES, clusters, resamples, 0) is None
    logits = of({"logits": RNG.normal(size=(400, 3))}, clusters)
    assert InceptionScore(splits=1, shuffle_seed=0, resamples=resamples).compute(logits, {})[""].interval is None


def test_a_resampled_inception_score_is_the_score_of_those_pictures() -> None:
    """One picture a cluster, all resamples of which are drawn again by hand."""
    logits = samples(30, 0).arrays["logits"]
    found = resampled_scores(logits, np.arange(30), 5, 3)
    rng = np.random.default_rng(bootstrap.chance.key(3, "bootstrap"))
    again = [inception_score(logits[rng.integers(30, size=30)], 1, 0)[0] for _ in range(5)]
    assert found == pytest.approx(again)


def test_an_inception_scores_interval_lies_around_it_and_holds_most_other_draws() -> None:
    score = InceptionScore(splits=1, shuffle_seed=0, resamples=400)
    figures = [score.compute(of({"logits": 2 * np.random.default_rng(i).normal(size=(300, 5))}), {})[""] for i in range(60)]
    middle = np.mean([figure.value for figure in figures])
    held = [figure.interval is not None and figure.interval[0] < middle < figure.interval[1] for figure in figures]
    assert np.mean(held) > 0.85
    for figure in figures:
        low, high = figure.interval or (0, 0)
        assert low < figure.value < high
