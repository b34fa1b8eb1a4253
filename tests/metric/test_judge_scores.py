"""Scores of a judge's features and logits: equal to torch-fidelity's own, to pinned numbers, and to small cases by hand."""

from typing import Any

import numpy as np
import pytest
import torch
from score_samples import judged, of, samples
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

from stackgan.core.errors import UserError
from stackgan.metric import frechet, inception_score, kernel_distance, precision_recall
from stackgan.metric.score import Score, Seen

DRAWN, REAL = samples(123, 0, shift=0.4), samples(90, 1)
"""123 pictures: no multiple of 7 splits."""
IS, FD, KID, PRDC = judged()


def figures(drawn: Seen = DRAWN, real: Seen = REAL) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for score in judged():
        computed = score.compute(drawn, dict.fromkeys(score.references, real))
        found |= {f"{score.name}/{name}".strip("/"): figure for name, figure in computed.items()}
    return found


def doubles(seen: Seen, name: str) -> torch.Tensor:
    return torch.from_numpy(seen.arrays[name].astype(np.float64))


def test_every_value_is_torch_fidelitys() -> None:
    found = figures()
    theirs: dict[str, float] = isc_features_to_metric(doubles(DRAWN, "logits"), 7, True, 2020)
    drawn, real = doubles(DRAWN, "features"), doubles(REAL, "features")
    theirs |= fid_statistics_to_metric(fid_features_to_statistics(drawn), fid_features_to_statistics(real), False)
    theirs |= kid_features_to_metric(drawn, real, kid_subsets=5, kid_subset_size=20, rng_seed=2020, verbose=False)
    theirs |= prc_features_to_metric(drawn, real, verbose=False)
    pairs = {
        "inception_score": "inception_score_mean",
        "frechet": "frechet_inception_distance",
        "kernel_distance": "kernel_inception_distance_mean",
        "precision_recall/precision": "precision",
        "precision_recall/recall": "recall",
    }
    for ours, name in pairs.items():
        assert found[ours].value == pytest.approx(theirs[name], abs=1e-6), ours
    assert found["inception_score"].spread == pytest.approx(theirs["inception_score_std"], abs=1e-6)
    assert found["kernel_distance"].spread == pytest.approx(theirs["kernel_inception_distance_std"], abs=1e-6)


def test_a_figure_says_what_changes_it() -> None:
    found = figures()
    assert {figure.n for figure in found.values()} == {123}
    assert found["inception_score"].protocol == {"splits": 7, "shuffle_seed": 2020, "bound": 6, "resamples": 20}
    for name, figure in found.items():
        assert name == "inception_score" or figure.protocol["n_real"] == 90


def test_scores_and_intervals_are_the_same_whatever_was_drawn_before() -> None:
    before = figures()
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    states = torch.random.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002
    assert figures() == before
    assert torch.equal(torch.random.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]  # type: ignore[index]  # noqa: NPY002


def test_inception_score_of_certain_pictures_is_the_number_of_their_classes() -> None:
    logits = 50 * np.eye(4)[np.arange(40) % 4]
    value, spread = inception_score.inception_score(logits, 1, 2020)
    assert (value, spread) == (pytest.approx(4), 0)


def test_frechet_distance_by_hand() -> None:
    """Variances of 4 and 1, means 3 apart, in one dimension: 9 + (2 - 1)^2; in two more, equal ones, nothing."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64) * np.sqrt(7 / 8)
    one, other = corners * [2, 1, 1] + [3, 0, 0], corners
    assert frechet.distance(frechet.statistics(one), frechet.statistics(other)) == pytest.approx(10)
    assert frechet.distance(frechet.statistics(one), frechet.statistics(one)) == pytest.approx(0, abs=1e-9)


def test_a_shrunk_covariance_is_ledoit_and_wolfs() -> None:
    covariance = pytest.importorskip("sklearn.covariance")
    for n in (5, 123):
        features = samples(n, 2).arrays["features"].astype(np.float64) * np.arange(1, 9)
        np.testing.assert_allclose(frechet.ledoit_wolf(features), covariance.ledoit_wolf(features)[0], atol=1e-12)
    assert not frechet.ledoit_wolf(np.ones((5, 3))).any()


def test_shrinking_scores_fewer_pictures_than_features_and_says_so() -> None:
    few = samples(6, 0)
    figure = frechet.FrechetDistance(subsets=0, extrapolate=True, shrink=True, seed=0).compute(few, {"real": REAL})[""]
    assert figure.protocol["covariance"] == "Ledoit-Wolf"
    assert figure.value > 0
    with pytest.raises(UserError, match=r"^metric=frechet: n=1 drawn pictures; take n="):
        frechet.FrechetDistance(subsets=0, extrapolate=True, shrink=True, seed=0).compute(samples(1, 0), {"real": REAL})


def test_the_extrapolation_stands_where_the_smallest_part_has_a_covariance() -> None:
    """n/4 = 9 pictures exceed 8 features, 8 do not; neither does a fifth of 36 make a spread."""
    score = frechet.FrechetDistance(subsets=5, extrapolate=True, shrink=False, seed=0)
    assert set(score.compute(samples(36, 0), {"real": REAL})) == {"", "infinite"}
    assert set(score.compute(samples(35, 0), {"real": REAL})) == {""}
    assert score.compute(samples(36, 0), {"real": REAL})[""].spread is None
    assert (score.compute(samples(45, 0), {"real": REAL})[""].spread or 0) > 0


def test_the_extrapolation_takes_most_of_the_bias_away() -> None:
    """Equal distributions: what is left of the value is bias from n alone, since the references are many."""
    score, real = frechet.FrechetDistance(subsets=0, extrapolate=True, shrink=False, seed=0), samples(20_000, 1)
    found = [score.compute(samples(400, seed), {"real": real}) for seed in range(2, 7)]
    value, infinite = (np.mean([figures[name].value for figures in found]) for name in ("", "infinite"))
    assert value > 0.03
    assert abs(infinite) < value / 2


def test_kernel_distance_by_hand() -> None:
    """Two pictures each, F = 1: kernels (xy + 1)^3 of 1 with 2, of 0 with 1, less twice the mean of the four between."""
    value, spread = kernel_distance.kernel_distance(np.array([[1.0], [2.0]]), np.array([[0.0], [1.0]]), 3, 2, 2020)
    assert value == pytest.approx(27 + 1 - 2 * (1 + 8 + 1 + 27) / 4)
    assert spread == pytest.approx(0)


def test_precision_is_of_what_was_drawn_and_recall_of_what_is_real() -> None:
    """Drawn pictures crowd inside the reach of one end of the real ones: all are precise, few are recalled."""
    real, drawn = np.arange(10.0)[:, None], np.linspace(0, 0.5, 10)[:, None]
    assert precision_recall.precision_recall(drawn, real, 3) == (1, pytest.approx(0.1))
    assert precision_recall.precision_recall(real, drawn, 3) == (pytest.approx(0.1), 1)


def test_density_and_coverage_by_hand() -> None:
    """Real 0 1 2 4, k = 1: reaches 1 1 1 2. Drawn 0.5 (in balls 0, 1), 3.5 (in 4's), 9 (in none)."""
    inside, covered = precision_recall.density_coverage(np.array([[0.5], [3.5], [9.0]]), np.array([[0.0], [1], [2], [4]]), 1)
    assert inside.tolist() == [2, 1, 0]
    assert covered.tolist() == [1, 1, 0, 1]


@pytest.mark.parametrize("k", [1, 5])
def test_density_and_coverage_by_every_pair(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In pieces of 7 rows, which 90 is no multiple of."""
    monkeypatch.setattr(precision_recall, "ROWS", 7)
    drawn, real = (seen.arrays["features"].astype(np.float64) for seen in (DRAWN, REAL))
    among = np.sqrt(((real[:, None] - real) ** 2).sum(2))
    reach = np.sort(among, axis=1)[:, k]
    inside = np.sqrt(((real[:, None] - drawn) ** 2).sum(2)) < reach[:, None]
    found, covered = precision_recall.density_coverage(drawn, real, k)
    np.testing.assert_allclose(found, inside.sum(0) / k)
    np.testing.assert_array_equal(covered, inside.any(1))


def test_pieces_of_the_distances_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = figures()
    monkeypatch.setattr(precision_recall, "ROWS", 7)
    pieces = figures()
    for name in ("precision", "recall", "density", "coverage"):
        assert pieces[f"precision_recall/{name}"] == whole[f"precision_recall/{name}"]
    assert 0 < whole["precision_recall/recall"].value < 1


REFUSED: list[tuple[Score, int, int, str]] = [
    (IS, 6, 90, r"metric\.inception_score\.splits=7: only 6 pictures.*; draw more pictures \(n=7 at least\) or set .*splits=1$"),
    (
        FD,
        8,
        90,
        r"metric=frechet: n=8 drawn pictures for features of width 8: .*; take n=9 or more, or a judge with fewer features",
    ),
    (FD, 90, 8, r"metric=frechet: n=8 real pictures .*; name a split with more pictures.*, or metric=\[kernel_distance\]"),
    (KID, 15, 90, r"metric\.kernel_distance\.subset_size=20: more than the 15 drawn or the 90 real .*subset_size=15$"),
    (PRDC, 5, 90, r"metric=precision_recall: n=5 drawn pictures, but 6 or more are needed; take more pictures"),
    (PRDC, 90, 5, r"metric=precision_recall: n=5 real pictures, but 6"),
]


@pytest.mark.parametrize(("score", "n", "n_real", "line"), REFUSED)
def test_too_few_pictures_are_refused_with_a_way_out(score: Score, n: int, n_real: int, line: str) -> None:
    with pytest.raises(UserError, match=f"^{line}"):
        score.compute(samples(n, 0), {"real": samples(n_real, 1)})


@pytest.mark.parametrize("score", judged(), ids=lambda score: score.name)
def test_as_few_as_it_takes_are_enough(score: Score) -> None:
    def allows(count: int) -> bool:
        try:
            score.enough(count, max(count, 9), 8)
        except UserError:
            return False
        return True

    least = next(count for count in range(1, 100) if allows(count))
    for figure in score.compute(samples(least, 0), {"real": samples(max(least, 9), 1)}).values():
        assert np.isfinite(figure.value)


@pytest.mark.parametrize("score", judged(), ids=lambda score: score.name)
def test_no_pictures_and_numbers_that_are_none(score: Score) -> None:
    with pytest.raises(UserError, match=rf"^metric={score.name}: n=0, no drawn pictures to score; set n to 1 or more"):
        score.compute(samples(0, 0), {"real": REAL})
    broken = samples(60, 0)
    for array in broken.arrays.values():
        array[[3, 9], 0] = np.nan, np.inf
    with pytest.raises(
        UserError, match=rf"^metric={score.name}: '\w+' of 2 of 60 drawn pictures is not finite \(the first: number 3\)"
    ):
        score.compute(broken, {"real": REAL})
    with pytest.raises(UserError, match=rf"^metric={score.name}: needs '\w+' of the drawn pictures, but there is thumbnail"):
        score.compute(of({"thumbnail": np.zeros((60, 2))}), {"real": REAL})


def equal(n: int) -> Seen:
    one = samples(1, 5)
    return of({name: np.repeat(array, n, axis=0) for name, array in one.arrays.items()})


def test_equal_pictures_score_as_one_picture() -> None:
    found = figures(equal(60))
    assert found["inception_score"].value == pytest.approx(1, abs=1e-12)
    assert found["inception_score"].interval == pytest.approx((1, 1), abs=1e-12)
    assert found["frechet"].value > figures()["frechet"].value
    assert found["kernel_distance"].value > figures()["kernel_distance"].value
    assert found["precision_recall/recall"].value == 0
    assert all(np.isfinite(figure.value) for figure in found.values())


GOLDEN = {
    "inception_score": 2.700520066636404,
    "frechet": 1.86635489513192,
    "frechet/infinite": 1.9532075636220287,
    "kernel_distance": 0.5589298824825707,
    "precision_recall/precision": 93 / 123,
    "precision_recall/recall": 70 / 90,
    "precision_recall/density": 487 / 615,
    "precision_recall/coverage": 86 / 90,
}


def test_pinned_numbers() -> None:
    assert {name: figure.value for name, figure in figures().items()} == pytest.approx(GOLDEN, abs=1e-7)
