"""The picture: frozen, an exact area mean when smaller, and in step with its box and parts."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from stackgan.toybirds import ATTRIBUTES, PARTS, decode, draw_scene, render

FROZEN = {7: "dee5f7786346ae0a", 2_000_001: "296838e88986aa9e"}


@pytest.mark.parametrize("index", FROZEN)
def test_drawn_bytes_are_frozen(index):
    """A change here means a new data set: raise VERSION in layout.py, then freeze anew."""
    assert hashlib.sha256(render(draw_scene(0, index)).image.tobytes()).hexdigest()[:16] == FROZEN[index]


def test_smaller_pictures_are_the_area_mean():
    scene = draw_scene(0, 3)
    full, small = render(scene).image, render(scene, 64).image
    assert full.shape == (256, 256, 3)
    assert full.dtype == np.uint8
    assert small.shape == (64, 64, 3)
    assert np.array_equal(small, np.asarray(Image.fromarray(full).resize((64, 64), Image.Resampling.BOX)))
    mean = full.reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(small - mean).max() <= 1


@pytest.mark.parametrize("size", [15, 257])
def test_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match=str(size)):
        render(draw_scene(0, 0), size)


@pytest.mark.parametrize("size", [256, 64])
def test_box_holds_the_parts_and_the_bird(size):
    for index in range(40):
        scene = draw_scene(1, index)
        drawing = render(scene, size)
        x, y, width, height = drawing.box
        assert 0 <= x < x + width <= size
        assert 0 <= y < y + height <= size
        assert width / size > 0.25
        assert height / size > 0.3
        seen = drawing.parts[drawing.parts[:, 2] == 1, :2]
        assert len(seen) == 12
        assert (seen >= (x, y)).all()
        assert (seen <= (x + width, y + height)).all()


def test_the_far_side_is_hidden_and_left_is_not_right():
    for index in range(20):
        scene = draw_scene(1, index)
        seen = {part for part, row in zip(PARTS, render(scene).parts, strict=True) if row[2]}
        near, far = (scene.facing, "left" if scene.facing == "right" else "right")
        assert {f"{near} {part}" for part in ("eye", "leg", "wing")} <= seen
        assert not {f"{far} {part}" for part in ("eye", "leg", "wing")} & seen
        places = dict(zip(PARTS, render(scene).parts[:, 0], strict=True))
        assert (places["beak"] > places["tail"]) == (scene.facing == "right")


def test_mirrored_scenes_share_their_outline():
    scene = replace(draw_scene(1, 2), shift_x=0, facing="right")
    right, left = render(scene), render(replace(scene, facing="left"))
    assert right.box[2:] == pytest.approx(left.box[2:])
    assert right.box[0] + right.box[2] == pytest.approx(256 - left.box[0])


@pytest.mark.parametrize(
    ("part", "landmark"), [("crown", "crown"), ("belly", "belly"), ("body", "throat"), ("wing", "tail"), ("beak", "beak")]
)
def test_a_part_shows_its_colour_where_its_landmark_is(part, landmark):
    for index in range(12):
        scene = draw_scene(6, index)
        other = next(value for value in ATTRIBUTES[part] if value not in (getattr(scene, part), "black"))
        before, after = render(scene), render(replace(scene, **{part: other}))
        x, y = before.parts[PARTS.index(landmark), :2].astype(int)
        around = np.s_[y - 2 : y + 3, x - 2 : x + 3]
        assert (before.image[around] != after.image[around]).any()
        assert decode(after.image)[part] == other


def test_swapping_crown_and_belly_is_another_picture():
    scene = replace(draw_scene(0, 0), crown="red", belly="yellow")
    swapped = replace(scene, crown="yellow", belly="red")
    first, second = decode(render(scene).image), decode(render(swapped).image)
    assert (first["crown"], first["belly"]) == ("red", "yellow")
    assert (second["crown"], second["belly"]) == ("yellow", "red")
    assert {name for name in first if first[name] != second[name]} == {"crown", "belly"}


@pytest.mark.parametrize("name", ["eye_ring", "wing_bars"])
def test_fine_details_hardly_change_the_64_px_mean(name):
    scene = draw_scene(0, 12)
    with_it, without = (replace(scene, **{name: value}) for value in (("yes", "no") if name == "eye_ring" else ("3", "0")))
    large = np.abs(render(with_it).image.astype(int) - render(without).image).max()
    small = np.abs(render(with_it, 64).image.astype(int) - render(without, 64).image).max()
    assert large > 150
    assert small < large
