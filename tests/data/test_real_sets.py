"""The published sets, where this machine has them."""

import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stackgan.data.cub_layout import read_files, read_records
from stackgan.data.decode import load_rgb
from stackgan.data.oxford import OxfordData, read_oxford

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
    records = read_records(root, read_files(root, "Go."), lambda c, t: "train" if t else "test", "Go.")
    assert len(records) == 2889
    assert sum(len(record.captions) for record in records) == 28_890
    assert {len(record.parts or ()) for record in records} == {15}
    grey = [record for record in records if Image.open(record.image).mode == "L"]
    assert len(grey) == 2
    assert all(load_rgb(record.image).mode == "RGB" for record in grey)


@pytest.mark.slow
def test_oxford_is_cached_whole(settings: dict[str, Any]) -> None:
    module = OxfordData(**{**settings, "root": str(published("oxford102")), "batch_size": 64, "prepare_workers": 0})
    module.prepare_data()
    module.setup()
    assert module.arrays.pixels_NHWC.shape == (8189, 76, 76, 3)
    assert module.examples("test", 200).real_NHWC.std() > 30
