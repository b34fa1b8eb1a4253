"""Intervals by hand, from a table of Student's t."""

import pytest
from scipy.stats import ttest_ind

from stackgan.report.statistics import Estimate, Way, difference, mean, number, shown


def test_the_interval_of_three_seeds_by_hand() -> None:
    found = mean([1.0, 2.0, 3.0])
    half = 4.302653 / 3**0.5  # t of 2 degrees of freedom, deviation 1
    assert (found.value, found.n) == (2.0, 3)
    assert found.interval == pytest.approx((2 - half, 2 + half), rel=1e-6)


def test_a_single_seed_has_no_interval() -> None:
    assert mean([0.5]) == Estimate(0.5, None, 1)
    assert difference({0: 1.0}, {0: 0.5, 1: 0.6}, "welch").interval is None
    assert difference({0: 1.0, 2: 1.0}, {0: 0.5, 1: 0.6}, "paired") == Estimate(0.5, None, 1)
    assert difference({2: 1.0, 3: 1.0}, {0: 0.5, 1: 0.5}, "paired") == Estimate(0.5, None, 0)


def test_welch_by_hand() -> None:
    """Variances 1 of 3 and 2 of 2: squared error 4/3, degrees of freedom (4/3)^2 / (1/18 + 1) = 1.684211, whose t is 5.176232."""
    found = difference({0: 1.0, 1: 2.0, 2: 3.0}, {0: 2.0, 1: 4.0}, "welch")
    assert found.value == -1.0
    assert found.interval is not None
    half = (4 / 3) ** 0.5 * 5.176232
    assert found.interval == pytest.approx((-1 - half, -1 + half), rel=1e-4)


def test_welch_agrees_with_scipy() -> None:
    a, b = [0.31, 0.27, 0.35, 0.30], [0.22, 0.29, 0.11]
    found = difference(dict(enumerate(a)), dict(enumerate(b)), "welch")
    theirs = ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert found.interval == pytest.approx((theirs.low, theirs.high))


def test_paired_by_hand() -> None:
    """Differences 0.5 and 1: mean 0.75, standard error 0.25, t of one degree of freedom 12.706205."""
    found = difference({0: 1.0, 1: 2.0, 7: 9.0}, {0: 0.5, 1: 1.0, 8: 1.0}, "paired")
    assert (found.value, found.n) == (0.75, 2)
    assert found.interval == pytest.approx((0.75 - 0.25 * 12.706205, 0.75 + 0.25 * 12.706205), rel=1e-6)


@pytest.mark.parametrize("way", ["welch", "paired"])
def test_seeds_that_agree_to_the_last_digit_make_nothing_certain(way: Way) -> None:
    assert difference({0: 2.0, 1: 2.0}, {0: 1.5, 1: 1.5}, way) == Estimate(0.5, None, 2)
    assert difference({0: 0.1 + 0.2, 1: 0.3}, {0: 0.1, 1: 0.1}, way).interval is None
    assert mean([0.1 + 0.2, 0.3]).interval is None


def test_differences_that_agree_but_for_the_rounding_of_floats_make_nothing_certain() -> None:
    """0.3 - 0.1, 0.4 - 0.2 and 0.5 - 0.3 are three floats."""
    less = {0: 0.1, 1: 0.2, 2: 0.3}
    found = difference({0: 0.3, 1: 0.4, 2: 0.5}, less, "paired")
    assert (round(found.value, 9), found.interval, found.n) == (0.2, None, 3)
    assert difference({0: 0.3, 1: 0.4, 2: 0.500001}, less, "paired").interval is not None


def test_one_side_that_does_not_vary_is_enough_for_no_interval() -> None:
    """A collapsed variant is at an end of the range, not certain."""
    assert difference({0: 0.3, 1: 0.31}, {0: 0.0, 1: 0.0}, "welch") == Estimate(0.305, None, 2)
    assert difference({0: 0.0, 1: 0.0}, {0: 0.3, 1: 0.31}, "welch").interval is None
    assert difference({0: 0.3, 1: 0.31}, {0: 0.0, 1: 1e-3}, "welch").interval is not None


@pytest.mark.parametrize(("interval", "sign"), [((0.1, 0.2), 1), ((-0.2, -0.1), -1), ((-0.1, 0.1), 0), ((0.0, 0.1), 0), (None, 0)])
def test_a_sign_needs_an_interval_beside_0(interval: tuple[float, float] | None, sign: int) -> None:
    assert Estimate(0.1, interval, 2).sign == sign


def test_how_estimates_read() -> None:
    assert shown(Estimate(0.5141, (0.48, 0.548), 3)) == "0.514 [0.480, 0.548]"
    assert shown(Estimate(0.3, None, 1), signed=True) == "+0.300"
    assert shown(Estimate(-0.3, (-0.5, -0.1), 3), signed=True) == "-0.300 [-0.500, -0.100]"
    assert [number(value) for value in (163.32, 16332.0, 0.0, -2.5)] == ["163.3", "16332", "0.000", "-2.500"]


def test_small_scores_and_narrow_intervals_show_two_digits() -> None:
    assert shown(Estimate(-0.000123, (-0.00019, -0.00006), 3), signed=True) == "-0.000123 [-0.000190, -0.000060]"
    assert shown(Estimate(163.324, (163.312, 163.336), 3)) == "163.324 [163.312, 163.336]"
    assert shown(Estimate(0.00123, None, 1)) == "0.0012"
    assert shown(Estimate(0.5, (0.1, 0.9), 2)) == "0.500 [0.100, 0.900]"
