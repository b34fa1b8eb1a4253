"""Curves: drawn where there are numbers, untroubled where there are none."""

import numpy as np
import pytest

from stackgan.plots.curves import curves, smoothed


def test_draws_what_it_is_given() -> None:
    x_N = np.arange(300)
    flat, rising = (np.asarray(curves({"D": {"real": (x_N, y_N)}}, "run")) for y_N in (np.ones(300), x_N))
    assert flat.shape == rising.shape
    assert flat.shape[1] == 1000
    assert not np.array_equal(flat, rising)


def test_a_panel_each() -> None:
    one, two = (curves({name: {"a": ([0, 1], [2, 3])} for name in names}, "run") for names in ("D", "DG"))
    assert two.height - one.height == pytest.approx(260, abs=1)


def test_odd_values_do_not_crash() -> None:
    panel = {
        "nan": ([0, 1, 2], [np.nan, np.inf, 1.0]),
        "one": ([1], [2.0]),
        "none": ([], []),
        "all_nan": ([1, 2], [np.nan, np.nan]),
    }
    curves({"a$b_^{": {**panel, "$c^$": ([0, 1], [1, 2])}, "empty": {}}, "stage1/$x^{")
    curves({}, "nothing yet")


def test_smoothing_by_hand() -> None:
    assert smoothed(np.array([0.0, 3.0, 6.0, 0.0]), 3).tolist() == pytest.approx([1.5, 3.0, 3.0, 3.0])
    assert smoothed(np.array([1.0, 5.0]), 1).tolist() == [1.0, 5.0]
    assert smoothed(np.full(40, 2.0), 7).tolist() == pytest.approx([2.0] * 40)
