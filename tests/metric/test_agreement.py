"""Agreement on toybirds: counted by hand, and near 1 or chance on drawn birds."""

import numpy as np
import pytest
from birds import birds, see

from stackgan import toybirds
from stackgan.core.errors import UserError
from stackgan.metric.agreement import Agreement, swapped
from stackgan.metric.proportion import share, wilson
from stackgan.metric.score import Seen
from stackgan.metric.toybirds_reader import ATTRIBUTES, ToybirdsReader, codes, said


def seen(sentences, readings, pictures=None):
    rows = np.array([codes(found) for found in readings], dtype=np.int8).reshape(-1, len(ATTRIBUTES))
    picture_N = np.arange(len(sentences)) if pictures is None else np.array(pictures)
    return Seen({"reading": rows}, tuple(sentences), picture_N)


def test_wilson_is_the_textbook_interval():
    """8 of 10: 0.490 to 0.943."""
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0.0, 20)[0] == 0.0
    assert wilson(1.0, 20) == pytest.approx((20 / (20 + 1.96**2), 1.0), abs=1e-3)


def test_a_share_of_independent_rows_has_wilsons_interval_nearly_and_copies_add_nothing():
    rng = np.random.default_rng(0)
    hits = (rng.random(500) < 0.3).astype(int)
    ones, alone = np.ones(500, dtype=int), share(hits, np.ones(500, dtype=int), np.arange(500))
    assert alone.value == hits.mean()
    assert alone.n == 500
    assert alone.interval == pytest.approx(wilson(hits.mean(), 500), abs=1e-3)
    copies = share(np.tile(hits, 4), np.tile(ones, 4), np.tile(np.arange(500), 4))
    assert (copies.value, copies.n) == (alone.value, 2000)
    assert copies.interval == pytest.approx(alone.interval, abs=1e-3)


def test_a_share_without_variance_is_worth_one_chance_a_cluster():
    assert share(np.ones(40), np.ones(40), np.repeat(np.arange(10), 4)).interval == pytest.approx(wilson(1.0, 10))
    assert share(np.array([1, 0]), np.ones(2), np.zeros(2, dtype=int)).interval == pytest.approx(wilson(0.5, 1))


def test_clusters_cover_the_truth_at_their_rate():
    """A thousand samples of 60 pictures with 5 sentences each that stand or fall together: 95 % intervals hold 0.7."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(1000):
        hits = np.repeat(rng.random(60) < 0.7, 5)
        low, high = share(hits, np.ones(300), np.repeat(np.arange(60), 5)).interval
        held += low <= 0.7 <= high
    assert 0.93 < held / 1000 < 0.975


def test_figures_by_hand():
    sentences = ["a bird with red wings and a blue crown.", "red wings, blue crown.", "a red bird.", "a dog."]
    readings = [
        {"wing": "red", "crown": "blue"},
        {"wing": "blue", "crown": "red"},
        {"body": None, "wing": "red"},
        {"body": "red"},
    ]
    figures = Agreement().compute(seen(sentences, readings), {})
    values = {name: (figure.value, figure.n) for name, figure in figures.items()}
    assert values == {
        "": (2 / 5, 5),
        "colours": (1 / 3, 3),
        "caption_exact": (1 / 3, 3),
        "binding_errors": (1 / 2, 2),
        "unreadable": (1 / 5, 5),
        "wing": (1 / 2, 2),
        "crown": (1 / 2, 2),
        "body": (0.0, 1),
    }


def test_what_no_picture_of_this_size_shows_is_not_asked_for():
    sentence = "red wings, a white eye ring."
    readings = seen([sentence], [{"wing": "red"}])
    readings.arrays["reading"][:, ATTRIBUTES.index("eye_ring")] = -2
    figures = Agreement().compute(readings, {})
    assert "eye_ring" not in figures
    assert figures["caption_exact"].value == 1.0


def test_colours_bound_to_the_wrong_part_are_found_whatever_the_part():
    pairs = said(["red wings, yellow beak.", "red wings, red beak.", "red wings.", "black beak, red crown."])
    read = np.array(
        [codes({"wing": "yellow", "beak": "red"}), codes({"wing": "red", "beak": "red"}), codes({}), codes({"crown": "red"})]
    )
    wrong, bound = swapped(pairs, read.astype(np.int8))
    assert wrong.tolist() == [True, False, False, False]
    assert bound.tolist() == [True, False, False, True]


def test_said_is_what_parse_finds():
    scene = toybirds.draw_scene(3, 5)
    for sentence in toybirds.captions(scene, 3, 5):
        told = toybirds.parse(sentence)
        (row,) = said([sentence])
        assert {name: toybirds.ATTRIBUTES[name][code] for name, code in zip(ATTRIBUTES, row, strict=True) if code >= 0} == told


@pytest.mark.parametrize("size", [64, 256])
def test_real_renders_agree_with_their_own_sentences_and_others_do_not(size):
    pictures, sentences, rows = birds(60, size)
    own = Agreement().compute(see([ToybirdsReader(zoom=1.0)], pictures, sentences, rows), {})
    assert own[""].value > 0.98
    assert own["colours"].value == own["caption_exact"].value == 1.0 or size == 64
    assert ("eye_ring" in own) == (size == 256)
    other = Agreement().compute(see([ToybirdsReader(zoom=1.0)], pictures[::-1], sentences, rows), {})
    assert 0.1 < other[""].value < 0.35
    assert other["caption_exact"].value < 0.05
    assert own["binding_errors"].value == 0.0


@pytest.mark.parametrize(("sentences", "says"), [((), "n=0, no drawn pictures"), (("a dog.",), "none of")])
def test_sentences_about_something_else_have_no_agreement(sentences, says):
    with pytest.raises(UserError, match=f"metric=agreement: {says}"):
        Agreement().compute(seen(sentences, [{} for _ in sentences]), {})


def test_the_readers_name_changes_with_what_it_reads():
    assert ToybirdsReader().fingerprint != ToybirdsReader(zoom=1.0).fingerprint
    assert ToybirdsReader().fingerprint == ToybirdsReader(zoom=76 / 64).fingerprint


def test_no_pictures_are_read_as_none_and_tiny_ones_refused():
    reader = ToybirdsReader()
    assert reader.observe(np.zeros((0, 64, 64, 3), np.uint8), [])["reading"].shape == (0, len(ATTRIBUTES))
    with pytest.raises(UserError, match="pictures of 16 px"):
        reader.observe(np.zeros((1, 16, 16, 3), np.uint8), ["a bird."])
