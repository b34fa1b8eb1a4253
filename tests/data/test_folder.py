"""Your own pictures, listed in any of three ways."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from tiny_sets import picture, write_folder

from stackgan.core.errors import UserError
from stackgan.data import folder
from stackgan.data.folder import FolderData, ends, read_folder
from stackgan.data.records import Source


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four pictures in a folder and a subfolder, not listed yet."""
    (tmp_path / "own" / "b").mkdir(parents=True)
    for number, name in enumerate(("a.jpg", "b/c.PNG", "b/d.webp", "e.bmp")):
        picture(number).save(tmp_path / "own" / name)
    return tmp_path / "own"


def listed(root: Path, *rows: Any) -> Source:
    (root / "captions.jsonl").write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return read_folder(root)


def what(source: Source) -> list[str]:
    return [f"{problem.path.name}: {problem.what}" for problem in source.problems]


def test_json_lines(root: Path) -> None:
    (root / "parts.txt").write_text("1 beak\nleft eye\n")
    row = {"image": "b/c.PNG", "captions": ["a red\nbird", " ", "it sings"], "class": "bird", "split": "Val", "box": [1, 2, 3, 4]}
    source = listed(
        root, row | {"parts": [[1, 2, 1], [3, 4, 0]]}, "", {"image": "a.jpg", "caption": "x\ny", "class": "ant", "split": "train"}
    )
    first, second = source.records
    assert (first.key, first.captions, first.split) == ("b/c", ("a red bird", "it sings"), "validation")
    assert (first.class_id, first.class_name, second.class_id) == (1, "bird", 0)
    assert (first.box, first.parts) == ((1.0, 2.0, 3.0, 4.0), ((1.0, 2.0, True), (3.0, 4.0, False)))
    assert second.captions == ("x", "y")
    assert source.part_names == ("beak", "left eye")
    assert source.split_note == "as listed"
    assert not source.problems


def test_csv_a_caption_a_line(root: Path) -> None:
    with (root / "captions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([["image", "caption", "class", "split", "box", "parts"],
                          ["a.jpg", "a bird, red", "1", "test", "1 2 3.5 4", "5 6 1; 7 8 0"], ["e.bmp", "e", "2", "train", "", ""],
                          ["a.jpg", "it sings", "1", "test", "1 2 3.5 4", "5 6 1; 7 8 0"]])  # fmt: skip
    (root / "parts.txt").write_text("x\ny\n")
    first, second = read_folder(root).records
    assert first.captions == ("a bird, red", "it sings")
    assert (first.box, first.parts) == ((1.0, 2.0, 3.5, 4.0), ((5.0, 6.0, True), (7.0, 8.0, False)))
    assert (second.key, second.box, second.split) == ("e", None, "train")


def test_a_text_beside_each(root: Path) -> None:
    for name in ("a", "b/c", "b/d"):
        (root / f"{name}.txt").write_bytes(b"\xef\xbb\xbf" + f"caption of {name}\r\n\r\nanother".encode())
    source = read_folder(root)
    assert [record.key for record in source.records] == ["a", "b/c", "b/d"]
    assert source.records[1].captions == ("caption of b/c", "another")
    assert {record.class_id for record in source.records} == {None}  # a subfolder is no class
    assert what(source) == ["e.txt: caption file is missing"]


def test_a_tenth_is_for_testing_and_stays_so(tmp_path: Path) -> None:
    write_folder(tmp_path / "few", 30)
    few = {record.key: record.split for record in read_folder(tmp_path / "few").records}
    write_folder(tmp_path / "many", 60)
    many = {record.key: record.split for record in read_folder(tmp_path / "many").records}
    assert few.items() <= many.items()
    assert 1 <= list(many.values()).count("test") <= 12
    assert "fixed tenth" in read_folder(tmp_path / "many").split_note


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"image": "../own/a.jpg", "caption": "x"}, "leads outside"),
        ({"image": "/etc/a.jpg", "caption": "x"}, "leads outside"),
        ({"image": "no.jpg", "caption": "x"}, "picture is missing"),
        ({"image": "e.bmp", "captions": ["", "  "]}, "has no caption"),
        ({"image": "e.bmp"}, "has no caption"),
        ({"caption": "x"}, "line 2: names no picture"),
        ({"image": "e.bmp", "caption": "x", "split": "tset"}, "line 2: split tset is none of train"),
        ({"image": "e.bmp", "caption": "x", "box": [1, 2, 3]}, "line 2: "),
        ({"image": "e.bmp", "caption": "x", "box": "a b c d"}, "line 2: "),
        ({"image": "e.bmp", "caption": "x", "parts": [[1, 2, 1]]}, "has 1 parts, parts.txt names 0"),
        ({"image": "e.bmp", "caption": "x", "class": "ant"}, "has no class, others have one"),
        ({"image": "e.bmp", "caption": "x", "split": "test"}, "has no split, others have one"),
        ({"image": "a.jpg", "caption": "x", "box": [1, 2, 3, 4]}, "has the name of another picture"),
        ({"image": "e.bmp", "captions": ["x", 7]}, "line 2: a int in a caption's place"),
        ({"image": "e.bmp", "captions": {"raw": "x"}}, "line 2: a dict in a caption's place"),
        ({"image": "e.bmp", "sentences": [{"raw": "x"}]}, "line 2: a dict in a caption's place"),
        ({"image": "e.bmp", "captions": [None, float("nan")]}, "has no caption"),
        ({"image": "e.bmp", "caption": "a bird \ud83d"}, "line 2: not valid Unicode"),
        ({"image": "e.bmp", "caption": "x", "key": "\ud83d"}, "line 2: not valid Unicode"),
        ({"image": "e.bmp", "caption": "x", "split": "\ud83d"}, "line 2: not valid Unicode"),
        ({"image": "e.bmp", "caption": "x", "box": [1, 2, float("nan"), 4]}, "line 2: box 1, 2, nan, 4 is not finite"),
        ({"image": "e.bmp", "caption": "x", "box": [float("-inf"), 2, 3, 4]}, "line 2: box -inf, 2, 3, 4 is not finite"),
        ({"image": "e.bmp", "caption": "x", "parts": [[float("nan"), 2, 1]]}, "line 2: visible part at nan, 2 is not finite"),
        ({"image": "e.bmp", "caption": "x", "class_id": float("inf")}, "line 2: "),
        ("{", "line 2: "),
        ("[3]", "line 2: "),
        ("7", "line 2: "),
    ],
)
def test_rows_that_cannot_be_used(root: Path, row: Any, said: str) -> None:
    source = listed(root, {"image": "a.jpg", "captions": ["a"]}, row, {"image": "b/c.PNG", "captions": ["b"]})
    assert any(said in problem.what for problem in source.problems)
    assert "b/c" in {record.key for record in source.records} | {problem.key for problem in source.problems}
    with pytest.raises(UserError, match=r"^data\.root=.*problem"):
        source.checked(root)


def test_lists_that_are_not_utf_8(root: Path) -> None:
    (root / "captions.csv").write_bytes("image,caption\na.jpg,gr\u00fcn".encode("latin-1"))
    with pytest.raises(UserError, match=r"captions\.csv cannot be read .*Save it as UTF-8"):
        read_folder(root)


def test_too_many_cells(root: Path) -> None:
    (root / "captions.csv").write_text("image,caption\na.jpg,a bird, red\ne.bmp,fine\n")
    source = read_folder(root)
    assert [record.key for record in source.records] == ["e"]
    assert what(source) == ["captions.csv: line 2: more cells than columns"]


def test_nothing_there(root: Path, tmp_path: Path) -> None:
    for path in root.rglob("*.*"):
        path.unlink()
    with pytest.raises(UserError, match=r"no picture with captions in it\. Expected: pictures and captions\.jsonl"):
        read_folder(root)
    with pytest.raises(UserError, match=r"no such folder.*Set data\.root"):
        read_folder(tmp_path / "nowhere")


def test_about_says_more(root: Path) -> None:
    (root / "about.json").write_text(json.dumps({"part_names": ["beak"], "split_note": "by hand"}))
    source = listed(root, {"image": "a.jpg", "captions": ["a"], "parts": [[1, 2, 1]], "class": "ant", "class_id": 7})
    assert (source.part_names, source.split_note, source.records[0].class_id) == (("beak",), "by hand", 7)
    (root / "about.json").write_text("[")
    with pytest.raises(UserError, match=r"about\.json is no JSON object"):
        read_folder(root)


def test_nothing_said_among_captions_and_invisible_parts_nowhere(root: Path) -> None:
    (root / "parts.txt").write_text("beak\n")
    source = listed(root, {"image": "a.jpg", "captions": ["a", None, float("nan")], "parts": [[float("nan"), 2, 0]]})
    assert not source.problems
    assert (source.records[0].captions, source.records[0].parts) == (("a",), ((0.0, 0.0, False),))


def class_ids(root: Path, *classes: tuple[str | None, int | None]) -> tuple[list[int | None], list[str]]:
    names = ("a.jpg", "b/c.PNG", "b/d.webp", "e.bmp")
    rows = [
        {"image": image, "captions": ["a"], "class": name, "class_id": number}
        for image, (name, number) in zip(names, classes, strict=False)
    ]
    source = listed(root, *rows)
    return [record.class_id for record in source.records], [problem.what for problem in source.problems]


def test_class_ids_are_used_where_every_class_has_its_own(root: Path) -> None:
    assert class_ids(root, ("bee", 7), ("ant", 9), ("bee", 7)) == ([7, 9, 7], [])
    assert class_ids(root, (None, 7), (None, 9), (None, 7)) == ([7, 9, 7], [])
    # Listed 0 would be bee's, counted 0 ant's.
    assert class_ids(root, ("bee", 0), ("ant", None), ("cow", None)) == ([1, 0, 2], [])
    assert class_ids(root, ("bee", 5), ("bee", None), ("ant", 0)) == ([1, 1, 0], [])


def test_class_ids_that_contradict_names(root: Path) -> None:
    ids, said = class_ids(root, ("bee", 1), ("bee", 2), ("ant", 3))
    assert (ids, said) == ([3], ["class bee has several class_id"] * 2)
    ids, said = class_ids(root, ("bee", 1), ("cow", 1), ("ant", 3))
    assert (ids, said) == ([3], ["class_id 1 is that of several classes"] * 2)


def test_a_file_name_that_is_no_unicode(root: Path) -> None:
    (root / os.fsdecode(b"\xff.jpg")).write_bytes(b"x")
    (root / "a.txt").write_text("a bird")
    source = read_folder(root)
    assert [record.key for record in source.records] == ["a"]
    (problem,) = (problem for problem in source.problems if "not valid Unicode" in problem.what)
    str(problem).encode()


def test_it_is_served(tmp_path: Path, settings: dict[str, Any]) -> None:
    write_folder(tmp_path / "own", 14)
    module = FolderData(**{**settings, "name": "folder", "root": str(tmp_path / "own"), "batch_size": 4})
    module.prepare_data()
    module.setup()
    assert module.embeddings() is None
    module.plan(0, 2)
    assert len(list(module.train_dataloader())) == 2


def test_a_picture_replaced_by_another_of_the_same_size_is_seen(
    tmp_path: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder(tmp_path / "own", 6)

    def cached() -> Path:
        return FolderData(**{**settings, "name": "folder", "root": str(tmp_path / "own")}).cache.folder

    before = cached()
    assert cached() == before
    image = read_folder(tmp_path / "own").records[2].image
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.write_bytes(content)
    assert cached() != before
    looked: list[Path] = []
    monkeypatch.setattr(folder, "ends", lambda path: looked.append(path) or 0)
    module = FolderData(**{**settings, "name": "folder", "root": str(tmp_path / "own")})
    assert module.cache.folder == module.cache.folder
    assert len(looked) == 6


@pytest.mark.parametrize("size", [0, 1, 4096, 5000, 8192, 20000])
def test_the_tag_is_of_both_ends(tmp_path: Path, size: int) -> None:
    path, content = tmp_path / "a", bytes(i % 251 for i in range(size))
    path.write_bytes(content)
    tag = ends(path)
    for place in {0, size // 2, size - 1} if size else ():
        path.write_bytes(content[:place] + b"\xff" + content[place + 1 :])
        assert (ends(path) != tag) == (place < 4096 or place >= size - 4096)
