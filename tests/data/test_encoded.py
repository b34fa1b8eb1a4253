"""Cached pictures as JPEG or WebP: the same rows, decoded when a batch is cut."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stackgan.data.module import CaptionedPictures

Build = Callable[..., CaptionedPictures]


def test_webp_is_the_same_to_the_bit(ready: Build) -> None:
    raw, packed = ready(), ready(cache_as="webp")
    assert packed.arrays.pixels_NHWC.shape == raw.arrays.pixels_NHWC.shape == (30, 76, 76, 3)
    for row in range(30):
        np.testing.assert_array_equal(packed.arrays.pixels_NHWC[row], raw.arrays.pixels_NHWC[row])
    for module in (raw, packed):
        module.plan(0, 3)
    for one, other in zip(raw.train_dataloader(), packed.train_dataloader(), strict=True):
        assert np.array_equal(one.real_BCHW, other.real_BCHW)
        assert np.array_equal(one.mismatched_BCHW, other.mismatched_BCHW)


def test_jpeg_is_near_and_smaller(ready: Build) -> None:
    raw, packed = ready(), ready(cache_as="jpeg")
    differences = [np.abs(packed.arrays.pixels_NHWC[row].astype(int) - raw.arrays.pixels_NHWC[row]).mean() for row in range(30)]
    assert 0 < np.mean(differences) < 2
    squares = packed.cache.pictures(76).with_suffix(".bin")
    assert squares.stat().st_size < raw.cache.pictures(76).stat().st_size / 3


@pytest.mark.parametrize("cache_as", ["jpeg", "webp"])
def test_examples_and_skipped_rows(ready: Build, flowers: Path, cache_as: str) -> None:
    (flowers / "jpg" / "image_00001.jpg").write_bytes(b"broken")
    module = ready(cache_as=cache_as, on_problem="skip")
    assert module.arrays.pixels_NHWC.shape == (30, 76, 76, 3)
    assert module.examples("train", 99).real_NHWC.shape == (module.train_size, 64, 64, 3)


def test_nothing_half_is_left(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackgan.data.encoded.save", lambda *_: 1 / 0)
    module = build(cache_as="jpeg")
    with pytest.raises(ZeroDivisionError):
        module.prepare_data()
    assert not module.cache.pictures(76).exists()
    assert not list(module.cache.folder.glob("*.part"))
    monkeypatch.undo()
    module.prepare_data()
    assert module.cache.pictures(76).exists()


def test_the_size_is_said_before(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    build(first_resolution=128).prepare_data()
    assert "30 pictures at 76 and 152 px, about 0.0026 GB, go to " in capsys.readouterr().err
