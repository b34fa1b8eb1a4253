"""The layout's reader, over three hand-written pictures."""

from pathlib import Path

import pytest
from PIL import Image

from stackgan.core.errors import UserError
from stackgan.data.cub_layout import class_numbers, read_files, read_records
from stackgan.data.records import Source, Split

FILES = {
    "images.txt": "1 001.Red_Bird/a.png\n2 001.Red_Bird/b.png\n3 002.Sea_Bird/c.png\n",
    "image_class_labels.txt": "1 1\n2 1\n3 2\n",
    "classes.txt": "1 001.Red_Bird\n2 002.Sea_Bird\n",
    "train_test_split.txt": "1 1\n2 0\n3 0\n",
    "bounding_boxes.txt": "1 -1.5 2.0 30.0 40.0\n2 0 0 1 1\n3 0 0 1 1\n",
    "parts/parts.txt": "2 left eye\n1 beak\n",
    "parts/part_locs.txt": "1 2 0 0 0\n1 1 5.5 6 1\n2 1 0 0 0\n2 2 1 1 1\n3 1 0 0 0\n3 2 0 0 0\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        path = tmp_path / "CUB_200_2011" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for key in ("001.Red_Bird/a", "001.Red_Bird/b", "002.Sea_Bird/c"):
        image, text = tmp_path / "CUB_200_2011" / "images" / f"{key}.png", tmp_path / "text" / f"{key}.txt"
        image.parent.mkdir(parents=True, exist_ok=True)
        text.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(image)
        text.write_text("a bird\n")
    return tmp_path


def split_of(class_id: int, in_train: bool) -> Split:
    return "train" if in_train else "test"


def read(root: Path) -> Source:
    return read_records(root, read_files(root, "Go."), split_of, "by hand", "Go.")


def test_records(root: Path) -> None:
    first, second, third = read(root).records
    assert (first.key, first.class_name, first.split) == ("001.Red_Bird/a", "Red Bird", "train")
    assert first.box == (-1.5, 2.0, 30.0, 40.0)
    assert first.parts == ((5.5, 6.0, True), (0.0, 0.0, False))
    assert (second.split, third.class_id) == ("test", 2)


def test_the_index_files_may_lie_in_the_root_itself(root: Path) -> None:
    expected = [record.key for record in read(root).records]
    for path in (root / "CUB_200_2011").iterdir():
        path.rename(root / path.name)
    (root / "CUB_200_2011").rmdir()
    assert [record.key for record in read(root).records] == expected


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [None, "", "x y\n", "1\n", "\xff\n"])
def test_a_broken_index_file_is_named(root: Path, name: str, content: str | None) -> None:
    path = root / "CUB_200_2011" / name
    path.unlink() if content is None else path.write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=rf"^data\.root={root}: .*Way out\.$") as caught:
        read_records(root, read_files(root, "Way out."), split_of, "", "Way out.").checked(root)
    assert "\n" not in str(caught.value)


def test_pictures_without_a_line(root: Path) -> None:
    (root / "CUB_200_2011" / "bounding_boxes.txt").write_text("2 0 0 1 1\n")
    with pytest.raises(UserError, match=r"2 of 3 pictures in images.txt \(first: id 1\) have no line for boxes"):
        read_files(root, "Go.")


def test_missing_pictures_and_captions_are_all_listed(root: Path) -> None:
    (root / "CUB_200_2011" / "images" / "001.Red_Bird" / "a.png").unlink()
    (root / "text" / "002.Sea_Bird" / "c.txt").unlink()
    source = read(root)
    assert [problem.what for problem in source.problems] == ["picture is missing", "caption file is missing"]
    assert [problem.key for problem in source.problems] == ["001.Red_Bird/a", "002.Sea_Bird/c"]
    assert [record.key for record in source.records] == ["001.Red_Bird/b"]
    assert source.left_out == 2


@pytest.mark.parametrize("path", ["../secret.png", "/etc/secret.png", "001.Red_Bird/../../x.png", "C:/x.png", "..\\x.png"])
def test_a_list_cannot_lead_outside(root: Path, path: str) -> None:
    (root / "CUB_200_2011" / "images.txt").write_text(FILES["images.txt"].replace("001.Red_Bird/a.png", path))
    (problem,) = read(root).problems
    assert problem.what.startswith(f"{path} leads outside")


def test_part_names_are_in_the_order_of_their_numbers(root: Path) -> None:
    assert read(root).part_names == ("beak", "left eye")
    (root / "CUB_200_2011" / "parts" / "parts.txt").write_text("1 beak\n")
    assert {problem.what for problem in read(root).problems} == {
        f"picture {number} has 2 parts, parts.txt names 1" for number in (1, 2, 3)
    }


def test_class_lists(root: Path) -> None:
    path = root / "testclasses.txt"
    path.write_text("002.Sea_Bird\n")
    assert class_numbers(root, path, {1, 2}, "Go.") == {2}
    for content in ("003.Night_Bird", "Sea_Bird"):
        path.write_text(content)
        with pytest.raises(UserError, match=r"testclasses\.txt"):
            class_numbers(root, path, {1, 2}, "Go.")
