"""Box and parts read from pixels, against where they were drawn."""

import numpy as np
import pytest

from stackgan.toybirds import PARTS, draw_scene, read, render

SCENES = [draw_scene(23, start + place) for start in (0, 1_000_000, 2_000_000) for place in range(25)]


def overlap(one, other):
    across, down = (
        max(0.0, min(one[axis] + one[axis + 2], other[axis] + other[axis + 2]) - max(one[axis], other[axis])) for axis in (0, 1)
    )
    return across * down / (one[2] * one[3] + other[2] * other[3] - across * down)


@pytest.mark.parametrize(("size", "mean", "least"), [(64, 0.93, 0.88), (128, 0.96, 0.92), (256, 0.97, 0.94)])
def test_boxes_lie_where_the_bird_does(size, mean, least):
    drawn = [render(scene, size) for scene in SCENES]
    overlaps = [overlap(read(one.image).box, one.box) for one in drawn]
    assert np.mean(overlaps) > mean
    assert min(overlaps) > least


@pytest.mark.parametrize("size", [64, 256])
def test_parts_lie_where_they_were_drawn(size):
    for scene in SCENES:
        drawn = render(scene, size)
        found = read(drawn.image).parts
        assert np.array_equal(found[:, 2], drawn.parts[:, 2])
        away = np.hypot(*(found - drawn.parts)[:, :2].T) / max(drawn.box[2:])
        assert away.max() < 0.1, PARTS[int(away.argmax())]
        assert away.mean() < 0.03


def test_a_picture_without_a_bird_has_no_place():
    found = read(np.full((64, 64, 3), 128, np.uint8))
    assert found.box is None
    assert not found.parts.any()
