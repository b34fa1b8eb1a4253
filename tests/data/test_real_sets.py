"""The published sets, where this machine has them."""

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stackgan.data.coco import read_coco
from stackgan.data.cub import TEST_CLASSES, read_cub
from stackgan.data.decode import load_rgb, shown_size
from stackgan.data.doctor import boxes_outside, duplicates
from stackgan.data.oxford import OxfordData, read_oxford
from stackgan.data.places import frame

PLACES = [Path(place) for place in (os.environ.get("STACKGAN_DATA"), Path(__file__).parents[3] / "shared" / "data") if place]


def published(name: str) -> Path:
    for place in PLACES:
        if (place / name).is_dir():
            return place / name
    pytest.skip(f"{name} is neither in $STACKGAN_DATA nor in ../shared/data")


def test_oxford_is_read() -> None:
    source = read_oxford(published("oxford102"))
    assert len(source.records) == 8189
    assert sum(len(record.captions) for record in source.records) == 81_890
    assert len({r.class_id for r in source.records if r.split == "train"}) == 82
    assert len({r.class_id for r in source.records if r.split == "test"}) == 20
    assert source.records[0].class_name == "passion flower"


def test_cub_is_read_with_its_quirks() -> None:
    root = published("cub")
    source = read_cub(root)
    records = source.records
    assert not source.problems
    assert len(records) == 2889
    assert sum(len(record.captions) for record in records) == 28_890
    assert {len(record.parts or ()) for record in records} == {15}
    grey = [record for record in records if Image.open(record.image).mode == "L"]
    assert len(grey) == 2
    assert all(load_rgb(record.image).mode == "RGB" for record in grey)


def test_cub_is_split_as_published() -> None:
    source = read_cub(published("cub"))
    classes = {split: {r.class_id for r in source.records if r.split == split} for split in ("train", "test")}
    assert {split: len(ids) for split, ids in classes.items()} == {"train": 33, "test": 17}
    assert classes["test"] == {number for number in TEST_CLASSES if number <= 50}
    assert len(source.part_names) == 15


def test_three_boxes_of_cub_reach_outside_and_all_are_usable() -> None:
    records = read_cub(published("cub")).records
    assert len(list(boxes_outside(records))) == 3
    for record in records:
        left, top, right, bottom = frame("box", record.box, *shown_size(record.image))
        assert min(right - left, bottom - top) > 10


def test_cub_s_captions_are_all_utf_8() -> None:
    """Some hold non-ASCII bytes."""
    source = read_cub(published("cub"))
    assert not source.problems
    assert sum(any(not caption.isascii() for caption in record.captions) for record in source.records) == 10


def test_oxford_holds_four_pictures_twice() -> None:
    warnings = duplicates(read_oxford(published("oxford102")).records)
    assert len(warnings) == 4
    assert all(warning.endswith("are the same picture, in train") for warning in warnings)


def test_coco_is_read() -> None:
    source = read_coco(published("coco"), None)
    assert not source.problems
    assert [sum(record.split == split for record in source.records) for split in ("train", "test")] == [38, 93]
    assert {len(record.captions) for record in source.records} == {5}


@pytest.mark.slow
def test_oxford_is_cached_whole(settings: dict[str, Any]) -> None:
    module = OxfordData(**{**settings, "root": str(published("oxford102")), "batch_size": 64, "prepare_workers": 0})
    module.prepare_data()
    module.setup()
    assert module.arrays.pixels_NHWC.shape == (8189, 76, 76, 3)
    assert module.examples("test", 200).real_NHWC.std() > 30
