"""coverage, location, memorisation and the worst sentences: by hand, on cases whose answer is known, and on bad input."""

import math

import numpy as np
import pytest
from birds import birds, see
from PIL import Image

from stackgan import toybirds
from stackgan.core.errors import UserError
from stackgan.metric.coverage import Coverage, expected, total_variation
from stackgan.metric.location import Location, iou, near
from stackgan.metric.nearest import CHUNK, Memorisation, copying, nearest, z_value
from stackgan.metric.score import Seen
from stackgan.metric.thumbnails import Thumbnails
from stackgan.metric.toybirds_reader import ATTRIBUTES, ToybirdsReader, codes
from stackgan.metric.worst import WorstAgreement, WorstCosine, WorstDistance


def seen(count=None, sentences=None, **arrays):
    count = len(next(iter(arrays.values()))) if count is None else count
    return Seen(arrays, tuple(sentences or ["a bird."] * count), np.arange(count))


def readings(*found):
    return np.array([codes(one) for one in found], dtype=np.int8).reshape(-1, len(ATTRIBUTES))


def test_total_variation_by_hand():
    assert total_variation(np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.25, 0.5])) == 0.5
    assert total_variation(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1.0


def test_equal_distributions_score_what_is_expected_of_them():
    rng = np.random.default_rng(0)
    p = np.array([0.0, 0.4, 0.3, 0.2, 0.1])
    found = [total_variation(rng.multinomial(300, p) / 300, rng.multinomial(500, p) / 500) for _ in range(2000)]
    assert np.mean(found) == pytest.approx(expected(p, 300, 500), rel=0.03)


def test_coverage_looks_only_at_what_sentences_leave_open():
    drawn = seen(
        sentences=["red wings.", "a bird.", "a bird."],
        reading=readings({"wing": "red", "size": "small"}, {"wing": "blue", "size": "small"}, {"wing": None, "size": "small"}),
    )
    real = seen(
        sentences=["blue wings.", "a bird."], reading=readings({"wing": "teal", "size": "small"}, {"wing": "blue", "size": "large"})
    )
    figures = Coverage().compute(drawn, {"real": real})
    # Wings: open are blue and unreadable against blue; size: three small against one small, one large.
    assert figures["wing"].value == 0.5
    assert figures["wing"].n == 2
    assert figures["wing"].protocol["real_pictures"] == 1
    assert figures["size"].value == 0.5
    assert figures[""].value == pytest.approx(np.mean([figures[name].value for name in ATTRIBUTES]))


def test_coverage_leaves_out_what_one_of_both_sizes_does_not_show():
    drawn, real = (seen(reading=readings({"eye_ring": "yes"}, {"eye_ring": "no"})) for _ in range(2))
    assert "eye_ring" in Coverage().compute(drawn, {"real": real})
    real.arrays["reading"][:, ATTRIBUTES.index("eye_ring")] = -2
    assert "eye_ring" not in Coverage().compute(drawn, {"real": real})


def test_overlap_by_hand():
    boxes = np.array([[0, 0, 2, 2], [0, 0, 1, 1], [0, 0, 0, 0], [0.2, 0.2, 0.4, 0.4], [0, 0, 0, 0]])
    others = np.array([[1, 1, 2, 2], [2, 2, 1, 1], [0, 0, 1, 1], [0.2, 0.2, 0.4, 0.4], [0, 0, 0, 0]])
    assert iou(boxes, others) == pytest.approx([1 / 7, 0, 0, 1, 0])


def test_parts_near_their_place_by_hand():
    asked = np.array([[[0.5, 0.5, 1], [0.1, 0.1, 1], [0.9, 0.9, 0], [0.3, 0.3, 1]]])
    found = np.array([[[0.5, 0.54, 1], [0.16, 0.1, 1], [0.9, 0.9, 1], [0.3, 0.3, 0]]])
    right, of = near(found, asked, np.array([[0.0, 0.0, 0.25, 0.5]]), 0.1)
    assert right.tolist() == [[True, False, False, False]]
    assert of.tolist() == [[True, True, False, True]]


def test_location_of_drawn_birds_against_their_own_boxes_and_others():
    scenes = [toybirds.draw_scene(5, index) for index in range(40)]
    drawn = [toybirds.render(scene, 64) for scene in scenes]
    arrays = ToybirdsReader(zoom=1.0).observe(np.stack([one.image for one in drawn]), [""] * 40)
    boxes, parts = np.array([one.box for one in drawn]) / 64, np.array([one.parts for one in drawn]) / [64, 64, 1]
    own = Location().compute(seen(**arrays, asked_box=boxes, asked_part=parts), {})
    assert own[""].value > 0.92
    assert own[""].interval[0] < own[""].value < own[""].interval[1]
    assert own["found"].value == 1.0
    assert own["pck"].value > 0.99
    assert own["pck"].n == 40 * 12
    aside = Location().compute(
        seen(**arrays, asked_box=boxes + np.array([0.3, 0, 0, 0]), asked_part=parts + np.array([0.3, 0, 0])), {}
    )
    assert aside[""].value < 0.5
    assert aside["pck"].value < 0.05
    assert "pck" not in Location().compute(seen(**arrays, asked_box=boxes), {})
    for axis in ("slope_x", "slope_y"):
        assert own[axis].value == pytest.approx(1, abs=0.2)
        assert own[axis].interval[0] < own[axis].value < own[axis].interval[1]


def test_slopes_follow_centres_and_leave_out_what_cannot_be_read():
    asked = np.array([[0, 0, 0.2, 0.2], [0.2, 0, 0.4, 0.2], [0.5, 0, 0.2, 0.2], [0.1, 0, 0.2, 0.2]])
    # Half as far to the right as asked, whatever the width; the last one shows no bird.
    read = np.array([[0, 0, 0.1, 0.3], [0.15, 0, 0.1, 0.3], [0.25, 0, 0.1, 0.3], [0, 0, 0, 0]])
    found = Location().compute(seen(box=read, asked_box=asked), {})
    assert found["slope_x"].value == pytest.approx(0.5)
    assert found["slope_x"].n == 3
    assert "slope_y" not in found


def test_slopes_of_few_birds_are_uncertain():
    asked = np.array([[0, 0, 0.2, 0.2], [0.1, 0, 0.2, 0.2], [0.2, 0, 0.2, 0.2]])
    read = asked + np.array([[0.01, 0, 0, 0], [-0.02, 0, 0, 0], [0.01, 0, 0, 0]])
    found = Location().compute(seen(box=read, asked_box=asked), {})["slope_x"]
    # By hand: squared residuals add up to 0.0006 with one degree of freedom, distances to 0.02; Student's t is 12.706.
    half = 12.706 * math.sqrt(0.0006 / 0.02)
    assert found.interval == pytest.approx((1 - half, 1 + half), rel=1e-4)
    assert "slope_x" not in Location().compute(seen(box=read[:2], asked_box=asked[:2]), {})


def test_a_system_that_was_asked_for_no_place_has_no_location():
    with pytest.raises(UserError, match="metric=location: needs 'asked_box'"):
        Location().compute(seen(box=np.zeros((2, 4))), {})


@pytest.mark.parametrize("count", [5, CHUNK + 3])
def test_nearest_is_what_brute_force_finds(count):
    rng = np.random.default_rng(0)
    one, other = rng.normal(50, 1, (count, 8)).astype(np.float32), rng.normal(50, 1, (40, 8)).astype(np.float32)
    every = np.linalg.norm(one[:, None].astype(float) - other[None], axis=2)
    rows, away = nearest(one, other)
    assert np.array_equal(rows, every.argmin(1))
    assert away == pytest.approx(every.min(1), abs=1e-9)
    rows, away = nearest(other, other)
    assert (rows == np.arange(40)).all()
    assert not away.any()
    within = np.linalg.norm(other[:, None].astype(float) - other[None], axis=2) + np.diag(np.full(40, np.inf))
    assert np.array_equal(nearest(other, other, itself=True)[0], within.argmin(1))


def test_z_by_hand():
    """1, 2, 3 against 4, 5: none of 6 pairs is larger; (0 - 3) / sqrt(3 * 2 * 6 / 12) = -sqrt(3)."""
    small, large = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0])
    assert z_value(small, large) == pytest.approx(-(3**0.5))
    assert z_value(large, small) == pytest.approx(3**0.5)
    assert z_value(small, small) == 0.0


def test_cells_weigh_by_their_real_pictures_and_thin_ones_are_left_out():
    drawn, real = np.array([1.0, 2, 3, 9, 9, 9]), np.array([4.0, 5, 1, 1, 1, 1, 7])
    cell_N, cell_M = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 1, 2])
    z, deviation, used = copying(drawn, cell_N, real, cell_M, fewest=2)
    ahead = 6 / (3 * 4 * 8 / 12) ** 0.5
    assert used == 2
    assert z == pytest.approx((2 * -(3**0.5) + 4 * ahead) / 6)
    assert deviation == pytest.approx((2**2 + 4**2) ** 0.5 / 6)
    assert copying(drawn, cell_N, real, cell_M, fewest=5)[2] == 0


def clouds(count, copies=0, seed=0):
    """Features of count drawings, copies of which are training pictures; 300 real and 600 training pictures of one distribution."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(count + 900, 4)).astype(np.float32)
    drawn, real, train = features[:count], features[count : count + 300], features[count + 300 :]
    drawn[:copies] = train[:copies] + 0.01
    thumbnails = [np.zeros((len(part), 16, 16, 3), np.uint8) for part in (drawn, real, train)]
    first, *others = (seen(features=part, thumbnail=small) for part, small in zip((drawn, real, train), thumbnails, strict=True))
    return first, dict(zip(("real", "train"), others, strict=True))


def test_new_pictures_score_about_zero_and_copies_far_below():
    """z of new pictures is about standard normal; half of them are nearer than their neighbour's own neighbour."""
    new = [Memorisation(cells=1).compute(*clouds(300, seed=seed)) for seed in range(30)]
    assert abs(np.mean([figures[""].value for figures in new])) < 0.6
    assert 0.6 < np.std([figures[""].value for figures in new]) < 1.6
    assert 0.4 < np.mean([figures["authentic"].value for figures in new]) < 0.6
    half = Memorisation(cells=3).compute(*clouds(300, copies=150))
    assert half[""].value < -3
    assert half[""].protocol.items() >= {"train_pictures": 600, "real_pictures": 300, "cells": 3}.items()
    assert 3**-0.5 <= half[""].protocol["chance_deviation"] < 1
    every = Memorisation(cells=1).compute(*clouds(300, copies=300))
    assert every[""].value < half[""].value
    assert every["authentic"].value < 0.1 < half["authentic"].value


def test_one_copied_cell_shows_where_the_whole_would_hide_it():
    """The left cluster is copied; the right one is drawn far from everything."""
    rng = np.random.default_rng(0)
    train = np.concatenate([rng.normal(side, 1, (200, 2)) for side in (-30, 30)]).astype(np.float32)
    real = np.concatenate([rng.normal(side, 1, (100, 2)) for side in (-30, 30)]).astype(np.float32)
    drawn = np.concatenate([train[:100] + 0.001, rng.normal(30, 4, (100, 2))]).astype(np.float32)
    (_, one), (_, two) = (nearest(part, train) for part in (drawn, real))
    assert abs(z_value(one, two)) < 3
    assert z_value(one[:100], two[:100]) < -9
    assert copying(one, np.repeat([0, 1], 100), two, np.repeat([0, 1], 100), 20)[2] == 2


def test_memorisation_says_what_it_lacks():
    drawn, references = clouds(10)
    with pytest.raises(UserError, match="none of 3 cells holds 20 of 10 drawn"):
        Memorisation().compute(drawn, references)
    with pytest.raises(UserError, match="n=0, no drawn pictures"):
        Memorisation().compute(drawn.rows(np.arange(0)), references)
    with pytest.raises(UserError, match="two or more"):
        Memorisation().compute(drawn, {**references, "train": references["train"].rows(np.arange(1))})


def test_the_sheet_of_neighbours_shows_copies_first():
    pictures, sentences, rows = birds(30)
    train = see([Thumbnails()], pictures[:20], sentences[:20], rows[:20])
    drawn = see([Thumbnails()], pictures[10:], sentences[10:], rows[10:])
    for each in (train, drawn):
        each.arrays["features"] = each.arrays["thumbnail"].reshape(len(each), -1).astype(np.float32)
    asked = {}

    def showing(name, from_row):
        def show(rows):
            asked.setdefault(name, []).append(rows + from_row)
            return pictures[rows + from_row]

        return show

    show = {"drawn": showing("drawn", 10), "train": showing("train", 0)}
    made = Memorisation(rows=4).sheets(drawn, {"train": train}, show)
    assert list(made) == ["memorisation"]
    assert isinstance(made["memorisation"], Image.Image)
    ((shown,), (by_features, by_pixels)) = asked["drawn"], asked["train"]
    assert shown.tolist() == by_features.tolist() == by_pixels.tolist() == [10, 11, 12, 13]


def test_the_worst_come_first_one_a_sentence():
    sentences = ["red wings.", "blue wings.", "red wings.", "a dog.", "a small bird with red wings."]
    shown = readings({"wing": "teal"}, {"wing": "blue"}, {"wing": "pink"}, {}, {"wing": "red", "size": "large"})
    drawn = seen(sentences=sentences, reading=shown)
    score, called = WorstAgreement(rows=2), []

    def show(rows):
        called.append(rows.tolist())
        return np.zeros((len(rows), 8, 8, 3), np.uint8)

    assert list(score.sheets(drawn, {}, {"drawn": show})) == ["worst_agreement"]
    assert called == [[0, 4]]
    figure = score.compute(drawn, {})[""]
    assert (figure.value, figure.n) == (0.25, 5)
    assert figure.protocol["of_the_worst"] == 2
    assert score.remark(drawn, 0, 0.0) == "[shown: wing teal]"
    assert score.remark(drawn, 1, 1.0) == "[as said]"


def test_the_real_picture_of_each_sentence_stands_beside_it():
    drawn = Seen({"reading": readings({}, {})}, ("red wings.", "blue wings."), np.array([7, 3]))
    real = Seen({}, ("", "", ""), np.array([3, 5, 7]))
    asked = []

    def show(rows):
        asked.append(rows.tolist())
        return np.zeros((len(rows), 8, 8, 3), np.uint8)

    WorstAgreement().sheets(drawn, {"real": real}, {"drawn": show, "real": show})
    assert asked == [[0, 1], [2, 0]]


def test_worst_by_cosine_and_by_distance():
    picture, sentence = np.array([[1.0, 0], [0, 1], [0.6, 0.8]]), np.array([[1.0, 0], [1, 0], [1, 0]])
    drawn = seen(sentences=["a", "b", "c"], picture_embedding=picture, sentence_embedding=sentence, features=picture * 3)
    assert WorstCosine().marks(drawn, {}) == pytest.approx([1, 0, 0.6])
    assert WorstCosine(rows=2).compute(drawn, {})[""].value == pytest.approx(0.3)
    real = seen(features=np.array([[3.0, 0], [9, 9]]))
    assert WorstDistance().marks(drawn, {"real": real}) == pytest.approx([0, -(18**0.5), -((1.2**2 + 2.4**2) ** 0.5)])


def test_worst_sentences_that_mention_nothing_are_an_error():
    with pytest.raises(UserError, match="metric=worst_agreement: none of 1 drawings has a mark"):
        WorstAgreement().compute(seen(reading=readings({})), {})
    with pytest.raises(UserError, match="n=0"):
        WorstAgreement().compute(seen(reading=readings()), {})
