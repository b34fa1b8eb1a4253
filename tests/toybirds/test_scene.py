"""Scenes and species: what is fixed, what is free, what depends on what."""

from collections import Counter

import pytest

from stackgan.toybirds import ATTRIBUTES, SPECIES, TEST_SPECIES, TRAIN_SPECIES, draw_scene, split_of


def test_forty_species_thirty_and_ten_without_overlap():
    assert (len(SPECIES), len(TRAIN_SPECIES), len(TEST_SPECIES)) == (40, 30, 10)
    assert len({kind.name for kind in SPECIES}) == len({tuple(kind.fixed.items()) for kind in SPECIES}) == 40
    assert not {kind.number for kind in TRAIN_SPECIES} & {kind.number for kind in TEST_SPECIES}
    assert [kind.number for kind in SPECIES] == list(range(1, 41))


def test_species_fix_four_to_six_legal_attributes():
    for kind in SPECIES:
        assert 4 <= len(kind.fixed) <= 6
        assert all(value in ATTRIBUTES[name] for name, value in kind.fixed.items())


def test_test_species_are_new_pairs_of_known_values():
    pairs = {(kind.fixed["body"], kind.fixed["wing"]) for kind in TRAIN_SPECIES}
    for kind in TEST_SPECIES:
        assert (kind.fixed["body"], kind.fixed["wing"]) not in pairs
    for name in ("body", "wing"):
        assert {kind.fixed[name] for kind in TRAIN_SPECIES} == set(ATTRIBUTES[name])


def test_index_ranges_are_the_splits():
    assert [split_of(i) for i in (0, 999_999, 1_000_000, 1_999_999, 2_000_000)] == ["train", "train", "held", "held", "test"]
    for index in (0, 31, 1_000_007):
        assert draw_scene(0, index).kind() in TRAIN_SPECIES
    assert draw_scene(0, 2_000_003).kind() in TEST_SPECIES
    for outside in (-1, 3_000_000):
        with pytest.raises(ValueError, match=str(outside)):
            draw_scene(0, outside)


def test_scenes_keep_what_the_species_fixes_and_vary_the_rest():
    scenes = [draw_scene(0, index) for index in range(0, 30 * 60, 30)]
    fixed = scenes[0].kind().fixed
    for name in ATTRIBUTES:
        values = {scene.attributes()[name] for scene in scenes}
        assert values == ({fixed[name]} if name in fixed else set(ATTRIBUTES[name]))
    assert len({(scene.tilt, scene.shift_x, scene.head) for scene in scenes}) > 50


def test_scene_is_a_function_of_seed_and_index():
    assert draw_scene(4, 9) == draw_scene(4, 9)
    assert draw_scene(4, 9) != draw_scene(5, 9)
    assert draw_scene(4, 9) != draw_scene(4, 39)


def test_free_values_are_even():
    counts = Counter(draw_scene(0, index).belly for index in range(1600))
    assert set(counts) == set(ATTRIBUTES["belly"])
    assert min(counts.values()) > 150
    assert max(counts.values()) < 260
