import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from stackgan.core.errors import UserError
from stackgan.data import doctor
from stackgan.data.module import CaptionedPictures

Build = Callable[..., CaptionedPictures]


def test_the_report(build: Build) -> None:
    report = doctor.prepare(build(first_resolution=128))
    text = str(report)
    assert "oxford: 30 pictures, 118 captions (2 to 4 a picture), 6 classes of 5 to 5 pictures" in text
    assert "train: 25 pictures, 5 classes" in text
    assert "whole pictures cached at 76 x 76, 152 x 152 (pixels); sentences by hashing, 16 numbers each" in text
    assert report.warnings == ()
    assert (report.folder / "report.txt").read_text() == text + "\n"
    assert report.sheet.read_bytes().startswith(b"\x89PNG")


def test_pictures_that_are_the_same_file_are_told_not_refused(build: Build, flowers: Path) -> None:
    records = build().records
    test = next(record for record in records if record.split == "test")
    train = [record for record in records if record.split == "train"]
    shutil.copy(train[0].image, test.image)
    same_class = [record for record in train if record.class_id == train[1].class_id]
    shutil.copy(same_class[0].image, same_class[1].image)
    warnings = sorted(doctor.prepare(build()).warnings, key=len)
    assert len(warnings) == 2
    assert warnings[0].endswith("are the same picture, in train")
    assert warnings[1].endswith("are the same picture, across splits test, train, under different classes")


def test_all_offenders_are_in_a_file(build: Build, flowers: Path, tmp_path: Path) -> None:
    for path in sorted((flowers / "jpg").iterdir())[:6]:
        path.write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"6 problems: .*All 6: .*problems\.txt$"):
        doctor.prepare(build())
    lines = (tmp_path / "cache" / "oxford" / "problems.txt").read_text().splitlines()
    assert len(lines) == 6
    assert lines[5].startswith(f"{flowers}/jpg/image_00006.jpg: not a whole picture")


def test_a_missing_root_writes_nothing(build: Build, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        doctor.prepare(build(root=str(tmp_path / "nowhere")))
    assert not (tmp_path / "cache").exists()
