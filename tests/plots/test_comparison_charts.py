"""Bands over seeds by hand; charts that are drawn for whatever there is."""

import numpy as np
import pytest

from stackgan.plots.bands import MOST, bands, joined
from stackgan.plots.bars import Bar, bars
from stackgan.plots.curves import SHARP


def test_seeds_are_joined_where_all_of_them_are() -> None:
    place_P, value_SP = joined([([0, 2, 4], [0.0, 2.0, 4.0]), ([1, 3], [5.0, 7.0]), ([], [])])
    assert place_P.tolist() == [1, 2, 3]
    assert value_SP.tolist() == [[1.0, 2.0, 3.0], [5.0, 6.0, 7.0]]


def test_values_that_are_not_finite_are_left_out() -> None:
    place_P, value_SP = joined([([0, 1, 2], [0.0, np.nan, 2.0]), ([0, 1, 2], [np.nan] * 3)])
    assert place_P.tolist() == [0, 2]
    assert value_SP.tolist() == [[0.0, 2.0]]
    assert joined([])[0].size == 0


def test_bands_show_their_seeds() -> None:
    x_N = np.arange(20)
    one, two = ([(x_N, x_N * 1.0)], [(x_N, x_N * 1.0), (x_N, x_N * 3.0)])
    drawn = [np.asarray(bands({"panel": {"a": curves}}, "t")) for curves in (one, two)]
    assert drawn[0].shape == drawn[1].shape
    assert not np.array_equal(drawn[0], drawn[1])


def test_a_chart_a_panel_and_room_for_every_name() -> None:
    many = {f"v{place}": [([0, 1], [0, place])] for place in range(MOST + 5)}
    one, two = (bands(dict.fromkeys(names, many), "t") for names in ("a", "ab"))
    assert two.height - one.height == pytest.approx(260 * SHARP, abs=2)
    bands({"a$b_^{": {"$c^$": [([], [])], "x": [([1], [2])]}, "none": {}}, "$t^{")
    bands({}, "nothing yet")


def test_bars_with_and_without_intervals() -> None:
    panels = {"IS$_": {"a_$": Bar(2.0, (1.5, 2.5), [1.8, 2.2]), "b": Bar(-3.0, None, [-3.0])}, "none": {}}
    found = bars(panels, "t")
    wider = bars({**panels, "IS$_": {"a_$": Bar(2.0, (0.5, 3.5), [1.8, 2.2]), "b": Bar(-3.0, None, [-3.0])}}, "t")
    assert found.size == wider.size
    assert found.width == 1000 * SHARP
    assert not np.array_equal(np.asarray(found), np.asarray(wider))
