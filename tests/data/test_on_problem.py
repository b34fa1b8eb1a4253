"""fail stops at once; skip leaves those pictures out, says so, and stays what it was."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_sets import write_cub

from stackgan.data import decode, doctor
from stackgan.data.cub import CubData
from stackgan.data.module import CaptionedPictures
from stackgan.data.records import DataProblems

Build = Callable[..., CaptionedPictures]


@pytest.fixture
def damaged(flowers: Path) -> Path:
    """One picture missing, one without captions, one broken."""
    (flowers / "jpg" / "image_00003.jpg").unlink()
    (flowers / "text_c10" / "class_00001" / "image_00007.txt").write_text("")
    (flowers / "jpg" / "image_00010.jpg").write_bytes(b"no picture")
    return flowers


def test_skipping(build: Build, damaged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module = build(on_problem="skip")
    report = doctor.prepare(module)
    assert "data.on_problem=skip: 2 pictures are left out of data=oxford" in capsys.readouterr().err
    assert len(module.records) == 28
    assert [record.key for record in module.records if record.split == "skipped"] == ["image_00010"]
    assert "skipped" not in module.splits
    assert module.fingerprint["on_problem"] == "skip"
    assert module.fingerprint["left_out"] == 3
    lines = (tmp_path / "cache" / "oxford" / "problems.txt").read_text().splitlines()
    assert len(lines) == len(report.problems) == 3
    assert "left out 3 pictures" in str(report)
    assert all(f"left out: {line}" in report.full for line in lines)


def test_skipped_rows_are_never_served(build: Build, damaged: Path) -> None:
    module = build(on_problem="skip")
    module.prepare_data()
    module.setup()
    row = next(row for row, record in enumerate(module.records) if record.split == "skipped")
    assert not module.arrays.pixels_NHWC[row].any()
    module.plan(0, 30)
    batches = list(module.train_dataloader())
    assert row not in np.concatenate([batch.key_B.numpy() for batch in batches])
    assert all(batch.mismatched_BCHW is not None and batch.mismatched_BCHW.flatten(1).any(1).all() for batch in batches)


def test_another_process_knows_what_was_skipped(build: Build, damaged: Path) -> None:
    build(on_problem="skip").prepare_data()
    again = build(on_problem="skip")
    again.prepare_data()
    again.setup()
    assert again.train_size == build(on_problem="skip").train_size
    assert again.fingerprint["left_out"] == 3


def test_failing_after_skipping(build: Build, flowers: Path) -> None:
    (flowers / "jpg" / "image_00010.jpg").write_bytes(b"no picture")
    build(on_problem="skip").prepare_data()
    with pytest.raises(DataProblems, match=r"image_00010\.jpg: not a whole picture.*on_problem=skip"):
        build().prepare_data()


def test_a_sound_set_is_the_same_either_way_but_says_its_choice(build: Build) -> None:
    assert build(on_problem="skip").cache == build().cache
    assert build(on_problem="skip").fingerprint == build().fingerprint | {"on_problem": "skip", "left_out": 0}


def test_a_corrected_box_is_measured_anew(settings: dict[str, Any], tmp_path: Path) -> None:
    write_cub(tmp_path / "cub")
    path = tmp_path / "cub" / "CUB_200_2011" / "bounding_boxes.txt"
    right = path.read_text()
    wrong = right.replace("6 20 10 30 40", "6 500 10 30 40")
    assert wrong != right

    def make(on_problem: str) -> CubData:
        root = str(tmp_path / "cub")
        module = CubData(**{**settings, "name": "cub", "root": root, "batch_size": 2, "on_problem": on_problem})
        module.prepare_data()
        module.setup()
        return module

    path.write_text(wrong)
    for _ in range(2):
        with pytest.raises(DataProblems, match=r"1 problem: .*box lies outside"):
            make("fail")
    assert not list((tmp_path / "cache").rglob("*.frames*"))
    skipping = make("skip")
    assert [record.key for record in skipping.records if record.split == "skipped"] == ["002.Green_Bird/bird_1"]
    with pytest.raises(DataProblems, match=r"1 problem: .*box lies outside"):
        make("fail")
    path.write_text(right)
    again = make("fail")
    assert again.cache.folder == skipping.cache.folder
    assert again.train_size == skipping.train_size + 1
    assert again.arrays.pixels_NHWC.any((1, 2, 3)).all()
    assert np.load(again.cache.frames)[:, 2:].all()


def test_when_nothing_is_left(build: Build, flowers: Path) -> None:
    for path in (flowers / "jpg").iterdir():
        path.write_bytes(b"x")
    with pytest.raises(DataProblems, match="30 problems"):
        build(on_problem="skip").prepare_data()
    for path in (flowers / "text_c10").glob("*/*"):
        path.write_bytes(b"")
    with pytest.raises(DataProblems, match="30 problems"):
        build(on_problem="skip").prepare_data()


def test_bombs_are_seen_in_the_header(build: Build, flowers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("1", (10_000, 8_001)).save(flowers / "jpg" / "image_00004.jpg", format="PNG")
    loaded: list[str] = []
    real = Image.Image.load
    monkeypatch.setattr(Image.Image, "load", lambda self: loaded.append(self.size) or real(self))
    with pytest.raises(DataProblems, match=r"1 problem: .*image_00004\.jpg.*claims 10,000 x 8,001 pixels, more than 80,000,000"):
        build().prepare_data()
    assert (10_000, 8_001) not in loaded
    with pytest.raises(ValueError, match="claims"):
        decode.shown_size(flowers / "jpg" / "image_00004.jpg")


def test_classes_with_one_picture_are_told(build: Build, flowers: Path) -> None:
    for number in range(1, 26, 6):
        (flowers / "text_c10" / "class_00001" / f"image_{number:05d}.txt").write_text("")
    (flowers / "text_c10" / "class_00001" / "image_00025.txt").write_text("a lone flower")
    warnings = doctor.prepare(build(on_problem="skip", mismatched="none")).warnings
    assert warnings == ("class class_00001 has one picture, image_00025",)


def test_the_screen_shows_some_and_the_report_all(build: Build, flowers: Path) -> None:
    for path in sorted((flowers / "jpg").iterdir())[:22]:
        path.write_bytes(b"x")
    report = doctor.prepare(build(on_problem="skip", batch_size=2))
    assert "left out: 12 more, listed in report.txt" in str(report)
    assert str(report).count("not a whole picture") == 10
    assert (report.folder / "report.txt").read_text().count("not a whole picture") == 22
    assert len(json.loads((report.folder / "whole_76.skipped.json").read_text())) == 22
