"""Other people's pictures: read whole before anything is scored, and refused in one line."""

from pathlib import Path

import numpy as np
import pytest
from tiny_sets import picture

from stackgan.core.errors import UserError
from stackgan.data.elsewhere import drawings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "drawn"
    path.mkdir()
    for number in range(3):
        picture(number, 64, 64).save(path / f"{number}.png")
    return path


def test_pictures_come_in_the_order_of_their_names_with_their_sentences(folder: Path, tmp_path: Path) -> None:
    captions = tmp_path / "said.csv"
    captions.write_text("file,caption\n2.png,a third bird\n0.png,a first bird\n")
    found = drawings(folder, captions)
    assert found.sentences == ("a first bird", "", "a third bird")
    assert found.size == 64
    assert np.array_equal(found.show(np.array([2, 0])), np.stack([picture(2, 64, 64), picture(0, 64, 64)]))


def test_a_line_of_json_or_a_text_beside_says_the_same(folder: Path, tmp_path: Path) -> None:
    said = tmp_path / "said.jsonl"
    said.write_text('{"image": "1.png", "captions": ["a bird"]}\n')
    (folder / "1.txt").write_text("a bird\n")
    assert drawings(folder, said).sentences == drawings(folder, None).sentences == ("", "a bird", "")


def test_the_content_decides_the_fingerprint(folder: Path) -> None:
    before = drawings(folder, None).content
    assert drawings(folder, None).content == before
    picture(9, 64, 64).save(folder / "1.png")
    assert drawings(folder, None).content != before


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: picture(7, 32, 32).save(path / "9.png"), "mixed sizes"),
        (lambda path: (path / "1.png").write_bytes(b"no picture"), "1.png cannot be read"),
        (lambda path: (path / "1.png").write_bytes((path / "0.png").read_bytes()[:2000]), "1.png cannot be read"),
        (lambda path: [file.unlink() for file in path.iterdir()], "no pictures"),
        (lambda path: [picture(1, 64, 48).save(file) for file in path.iterdir()], "square"),
    ],
)
def test_what_cannot_be_scored_is_named(folder: Path, spoil: object, says: str) -> None:
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(UserError, match=says) as caught:
        drawings(folder, None)
    assert str(caught.value).startswith(f"images={folder}")


def test_captions_must_name_pictures_that_are_there(folder: Path, tmp_path: Path) -> None:
    captions = tmp_path / "said.csv"
    captions.write_text("file,caption\nnone.png,a bird\n")
    with pytest.raises(UserError, match=r"none\.png is not a picture in"):
        drawings(folder, captions)
    with pytest.raises(UserError, match="no such file"):
        drawings(folder, tmp_path / "missing.csv")
