"""A tiny flower set in Oxford-102's published layout: 6 classes of 5 pictures, 4 captions each (one picture has 2)."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from scipy.io import savemat

from stackgan.data.oxford import OxfordData
from stackgan.text.hashing import HashingEncoder

CLASSES, EACH = 6, 5
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple")
Build = Callable[..., OxfordData]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def write_flowers(root: Path) -> None:
    labels = [1 + number % CLASSES for number in range(CLASSES * EACH)]
    (root / "jpg").mkdir(parents=True)
    for number, label in enumerate(labels, start=1):
        colour, name = COLOURS[label - 1], f"image_{number:05d}"
        picture = Image.new("RGB", (90 + number, 80), (number * 8, 255 - number * 8, 90))
        ImageDraw.Draw(picture).ellipse((10, 20, 40 + number, 60), fill=colour)
        picture.save(root / "jpg" / f"{name}.jpg", quality=95)
        captions = [
            f"a {colour} flower number {number}",
            f"this flower has {colour} petals, the {number}th",
            f"{colour} petals on the left, picture {number}",
            f"wide {colour} petals leaning right in {number}",
        ]
        text = root / "text_c10" / f"class_{label:05d}" / f"{name}.txt"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_text("\n".join(captions[: 2 if number == 7 else 4]) + "\n")
    savemat(root / "imagelabels.mat", {"labels": np.array([labels])})


@pytest.fixture(scope="session")
def flowers_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("template") / "oxford102"
    write_flowers(root)
    return root


@pytest.fixture
def flowers(flowers_template: Path, tmp_path: Path) -> Path:
    """The set's root, to be damaged at will."""
    return Path(shutil.copytree(flowers_template, tmp_path / "oxford102"))


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    """Every constructor argument of a data set but its own."""
    return {
        "name": "oxford", "root": str(tmp_path / "oxford102"), "cache": str(tmp_path / "cache"),
        "text": HashingEncoder(name="hashing", dim=16, window=2), "resolution": 64, "first_resolution": None,
        "batch_size": 8, "seed": 0, "captions_averaged": 2, "mismatched": "image", "mirror": True, "crop": True,
        "contrast_stretch": False, "cache_as": "pixels", "region": "whole", "on_problem": "fail",
        "validate": False, "validation_classes": 2, "workers": 0, "prepare_workers": 1,
    }  # fmt: skip


@pytest.fixture
def build(flowers: Path, settings: dict[str, Any]) -> Build:
    """build(**changed): the data set over `flowers`."""

    def make(**changed: Any) -> OxfordData:
        return OxfordData(**{**settings, "root": str(flowers), **changed})

    return make


@pytest.fixture
def ready(build: Build) -> Build:
    """build(), prepared and set up."""

    def make(**changed: Any) -> OxfordData:
        module = build(**changed)
        module.prepare_data()
        module.setup()
        return module

    return make
