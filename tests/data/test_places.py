"""Boxes and parts, from pixels of a picture to fractions of the square that is trained on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_sets import CUB_BOX, write_cub

from stackgan.core.errors import UserError
from stackgan.data.cub import CubData
from stackgan.data.decode import shown_size, squares
from stackgan.data.places import Places, around, frame, mirrored, reaches_out
from stackgan.data.records import Record
from stackgan.data.toybirds import ToyBirdsData

Build = Callable[..., CubData]


@pytest.fixture
def cub(tmp_path: Path, settings: dict[str, Any]) -> Build:
    """cub(**changed): prepared and set up."""
    write_cub(tmp_path / "cub")

    def make(**changed: Any) -> CubData:
        module = CubData(**{**settings, "name": "cub", "root": str(tmp_path / "cub"), "region": "box", "batch_size": 4, **changed})
        module.prepare_data()
        module.setup()
        return module

    return make


def test_the_region_is_stackgans() -> None:
    """By hand from the formula: centre (60 + 325 / 2, 27 + 304 / 2) = (222, 179), R = int(0.75 * 325) = 243."""
    assert around((60.0, 27.0, 325.0, 304.0)) == (-21, -64, 465, 422)
    assert frame("box", (60.0, 27.0, 325.0, 304.0), 500, 335) == (0, 0, 465, 335)
    assert around((10.9, 10.9, 5.9, 2.9)) == (9, 8, 15, 14)  # whole pixels first
    assert frame("whole", (60.0, 27.0, 325.0, 304.0), 500, 335) == (0, 0, 500, 335)


@pytest.mark.parametrize(
    ("box", "what"),
    [((5, 5, 0, 3), "without area"), ((5, 5, 3, -1), "without area"), ((100, 0, 5, 5), "outside"), ((-5, 0, 5, 5), "outside"),
     ((0, 80, 5, 5), "outside"), ((5, 5, 1, 1), "too small"), (None, "has no box"), ((float("nan"), 0, 5, 5), "not finite"),
     ((0, 0, float("inf"), 5), "not finite")],
)  # fmt: skip
def test_boxes_that_say_nothing(box: Any, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        frame("box", box, 100, 80)


def test_a_pixel_of_rounding_is_not_outside() -> None:
    assert not reaches_out((-1, 0, 102, 80), 100, 80)
    assert reaches_out((-2, 0, 10, 10), 100, 80)
    assert reaches_out((0.9, 0.9, 10, 82.0), 100, 80)


def test_left_and_right_are_exchanged_and_nothing_else() -> None:
    names = ("beak", "left eye", "Right Wing", "right eye", "left wing", "left leg", "brightness")
    assert mirrored(names).tolist() == [0, 3, 4, 1, 2, 5, 6]


def places(box: Any, parts: Any, frame_4: Any) -> Places:
    record = Record("a", Path("a"), ("x",), None, "", "train", box, parts)
    return Places.of([record], ("left eye", "right eye"), np.array([frame_4]))


def cut(of: Places, top: int, left: int, flip: bool) -> tuple[list[float], list[list[float]]]:
    found = of.cut(torch.tensor([0]), torch.tensor([[top, left]]), torch.tensor([flip]), 76, 64)
    return found["box"][0].tolist(), found["parts"][0].tolist()


def test_by_hand() -> None:
    """A picture of 152 x 76 cached at 76 x 76, cut 64 x 64 at top 6, left 12: x / 2 - 12 over 64, y - 6 over 64."""
    of = places((56, 22, 64, 32), ((28, 38, True), (152, 70, True)), (0, 0, 152, 76))
    box, parts = cut(of, 6, 12, False)
    assert box == pytest.approx([(28 - 12) / 64, 16 / 64, 32 / 64, 32 / 64])
    assert parts[0] == pytest.approx([2 / 64, 32 / 64, 1])
    assert parts[1] == [0, 0, 0]  # at x = 64, y = 64: just outside
    box, parts = cut(of, 6, 12, True)
    assert box == pytest.approx([1 - 16 / 64 - 32 / 64, 16 / 64, 32 / 64, 32 / 64])
    assert parts[0] == [0, 0, 0]  # what was the right eye is the left one now
    assert parts[1] == pytest.approx([1 - 2 / 64, 32 / 64, 1])


def test_what_is_cropped_away() -> None:
    box, parts = cut(places((0, 0, 5, 5), ((1, 1, True), (40, 40, False)), (0, 0, 76, 76)), 12, 12, False)
    assert box[2:] == [0, 0]
    assert parts == [[0, 0, 0], [0, 0, 0]]
    box, _ = cut(places((-50, -50, 500, 500), ((1, 1, True),) * 2, (0, 0, 76, 76)), 12, 12, True)
    assert box == [0, 0, 1, 1]


def test_an_invisible_part_may_be_nowhere() -> None:
    nowhere = (float("nan"), float("inf"), False)
    for flip in (False, True):
        _, parts = cut(places((0, 0, 5, 5), (nowhere, nowhere), (0, 0, 76, 76)), 6, 6, flip)
        assert parts == [[0, 0, 0], [0, 0, 0]]


def test_within_a_region() -> None:
    """The region's corner is the new origin: 10 px from it of 40, in the middle crop of 76."""
    box, _ = cut(places((30, 20, 20, 20), ((1, 1, True),) * 2, (20, 10, 60, 50)), 0, 0, False)
    assert box == pytest.approx([0.25 * 76 / 64, 0.25 * 76 / 64, 0.5 * 76 / 64, 0.5 * 76 / 64])


def test_extras_travel_with_the_batch(cub: Build) -> None:
    module = cub()
    assert {"classes", "boxes", "parts"} == module.provides
    module.plan(0, 3)
    for batch in module.train_dataloader():
        assert (batch.extras["box"].shape, batch.extras["parts"].shape) == ((4, 4), (4, 3, 3))
        assert batch.extras["box"].dtype == torch.float32
        assert ((batch.extras["box"] >= 0) & (batch.extras["box"] <= 1)).all()


def test_the_box_is_where_the_picture_says(cub: Build) -> None:
    """The disk drawn in the box is found again, at both regions, cropped and flipped."""
    for region in ("box", "whole"):
        module = cub(region=region)
        module.plan(0, 4)
        for batch in module.train_dataloader():
            for x_CHW, box in zip(batch.real_BCHW.int(), batch.extras["box"], strict=True):
                x, y = ((box[:2] + box[2:] / 2) * 64).int().tolist()
                patch = x_CHW[:, max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].flatten(1).float()
                assert patch.std(1).max() < 12  # one colour; around it is noise


def test_the_region_is_what_is_cached(cub: Build) -> None:
    module = cub()
    record, pixels = module.records[2], module.arrays.pixels_NHWC[2]
    image = Image.open(record.image).convert("RGB")
    cx, cy, r = 20 + 15, 10 + 20, 30
    assert CUB_BOX == (20, 10, 30, 40)
    by_hand = image.crop((cx - r, max(cy - r, 0), cx + r, min(cy + r, 70))).resize((76, 76), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(pixels, np.asarray(by_hand))
    assert module.cache.pictures(76).name == "box_76.npy"
    np.testing.assert_array_equal(cub(region="whole").arrays.pixels_NHWC[2], squares(record.image, (76,), False)[0])


def test_boxes_that_cannot_be_used_are_problems(cub: Build, tmp_path: Path) -> None:
    path = tmp_path / "cub" / "CUB_200_2011" / "bounding_boxes.txt"
    path.write_text(path.read_text().replace("6 20 10 30 40", "6 500 10 30 40").replace("7 20 10 30 40", "7 20 10 0 40"))
    for region in ("box", "whole"):
        with pytest.raises(UserError, match=r"2 problems: .*box lies outside the picture.*box without area"):
            cub(region=region)
    module = cub(on_problem="skip", batch_size=2)
    assert module.train_size == 6
    assert module.fingerprint["left_out"] == 2
    assert [record.key for record in module.records if record.split == "skipped"] == [
        "002.Green_Bird/bird_1",
        "002.Green_Bird/bird_2",
    ]


def test_a_region_needs_boxes(build: Any) -> None:
    with pytest.raises(UserError, match=r"^data\.region=box: data=oxford has no boxes; set data\.region=whole"):
        build(region="box").prepare_data()


def test_sizes_are_as_a_viewer_shows_them(tmp_path: Path) -> None:
    image, exif = Image.new("RGB", (30, 20)), Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    image.save(tmp_path / "b.jpg")
    assert (shown_size(tmp_path / "a.jpg"), shown_size(tmp_path / "b.jpg")) == ((20, 30), (30, 20))


def test_drawn_birds_have_boxes_and_parts_too(settings: dict[str, Any], tmp_path: Path) -> None:
    birds = ToyBirdsData(**{**settings, "name": "toybirds", "root": str(tmp_path / "b"), "train": 8, "test": 2, "draw_seed": 0})
    birds.prepare_data()
    birds.setup()
    assert birds.provides == {"classes", "boxes", "parts", "toybirds"}
    birds.plan(0, 1)
    (batch,) = birds.train_dataloader()
    assert batch.extras["parts"].shape == (8, 15, 3)
    assert 0.2 < batch.extras["parts"][..., 2].mean() < 0.9
