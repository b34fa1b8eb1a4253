import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from stackgan.core.errors import UserError
from stackgan.data.oxford import own_test_classes, read_oxford
from stackgan.data.records import DataProblems


def test_records(flowers: Path) -> None:
    source = read_oxford(flowers)
    assert len(source.records) == 30
    first = source.records[0]
    assert (first.key, first.class_id, first.class_name) == ("image_00001", 1, "class_00001")
    assert first.image == flowers / "jpg" / "image_00001.jpg"
    assert first.captions[0] == "a red flower number 1"
    assert [len(record.captions) for record in source.records].count(2) == 1
    assert "our own split" in source.split_note


def test_flat_captions(flowers: Path) -> None:
    nested = read_oxford(flowers)
    for path in sorted((flowers / "text_c10").glob("*/*.txt")):
        path.rename(flowers / "text_c10" / path.name)
    for folder in (flowers / "text_c10").glob("class_*"):
        folder.rmdir()
    assert read_oxford(flowers) == nested


def test_class_names(flowers: Path) -> None:
    (flowers / "cat_to_name.json").write_text(json.dumps({"1": "pink primrose"}))
    names = {record.class_id: record.class_name for record in read_oxford(flowers).records}
    assert names[1] == "pink primrose"
    assert names[2] == "class_00002"


def test_captions_are_utf_8(flowers: Path) -> None:
    text = flowers / "text_c10" / "class_00001" / "image_00001.txt"
    text.write_bytes("\ufeffune fleur jaun\u00e2tre \r\n\r\n  deux   mots\r\n".encode())
    assert read_oxford(flowers).records[0].captions == ("une fleur jaun\u00e2tre", "deux mots")
    text.write_bytes(b"jaun\xe2tre")
    (problem,) = read_oxford(flowers).problems
    assert problem.what == "caption file is not UTF-8 (byte 5)"


def test_own_split_is_frozen() -> None:
    test = own_test_classes(range(1, 103))
    assert sorted(test) == [1, 6, 10, 11, 12, 32, 39, 42, 46, 49, 57, 58, 65, 67, 79, 88, 92, 95, 97, 102]
    assert own_test_classes([3, 3, 1]) <= {1, 3}


@pytest.mark.parametrize("folder", ["", "text_c10"])
def test_reeds_split_is_used_where_present(flowers: Path, folder: str) -> None:
    (flowers / folder / "trainvalclasses.txt").write_text("class_00001\nclass_00002\nclass_00004\nclass_00005\n")
    (flowers / folder / "testclasses.txt").write_text("class_00003\nclass_00006\n\n")
    source = read_oxford(flowers)
    assert {record.class_id for record in source.records if record.split == "test"} == {3, 6}
    assert source.split_note == "Reed's split by class: 4 train, 2 test"


@pytest.mark.parametrize(
    ("train", "test", "what"),
    [
        ("1 2 3 4 5", None, "without its partner"),
        ("1 2 3 4 5", "5 6", "must name each of the 6 classes once. Look at class_00005"),
        ("1 2 3 4", "6", "Look at class_00005"),
        ("1 2 3 4 5", "6 7", "Look at class_00007"),
        ("1 2 3 4 rose", "6", "no list of classes"),
    ],
)
def test_bad_class_lists(flowers: Path, train: str, test: str | None, what: str) -> None:
    (flowers / "trainvalclasses.txt").write_text("\n".join(f"class_{c}" for c in train.split()))
    if test is not None:
        (flowers / "testclasses.txt").write_text("\n".join(f"class_{c}" for c in test.split()))
    with pytest.raises(UserError, match=what):
        read_oxford(flowers)


def remove(name: str) -> Callable[[Path], None]:
    return lambda root: (root / name).rename(root.parent / "gone")


def write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda root: (root / name).write_bytes(content) and None


def labels(values: list[int]) -> Callable[[Path], None]:
    return lambda root: savemat(root / "imagelabels.mat", {"labels": np.array([values])})


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (remove(""), r"no such folder\. Expected: jpg/ and imagelabels\.mat of https.*icml2016.*paths\.data"),
        (remove("jpg"), "no jpg in it. Expected"),
        (remove("imagelabels.mat"), "no imagelabels.mat in it"),
        (remove("text_c10"), "no text_c10 in it"),
        (write("imagelabels.mat", b"<html>not found</html>"), "imagelabels.mat has no readable 'labels'"),
        (write("imagelabels.mat", b""), "imagelabels.mat has no readable 'labels'"),
        (labels([0] * 30), "classes from 1 upwards"),
        (labels([]), "classes from 1 upwards"),
        (labels([1, 2] * 14), "28 labels for 30 pictures, image_00029.jpg has none"),
        (labels([1, 2] * 16), r"problems: jpg/image_00031\.jpg: missing, imagelabels\.mat has 32 labels; .*complete"),
        (remove("jpg/image_00003.jpg"), r"1 problem: jpg/image_00003\.jpg: missing"),
        (remove("text_c10/class_00006/image_00006.txt"), r"1 problem: text_c10/class_00006/image_00006\.txt: caption file"),
        (write("text_c10/class_00006/image_00006.txt", b" \n\n"), r"image_00006\.txt: caption file has no sentence"),
        (write("cat_to_name.json", b"{"), r"cat_to_name\.json is no JSON object"),
        (write("cat_to_name.json", b"[]"), r"cat_to_name\.json is no JSON object"),
    ],
)
def test_bad_data_is_one_line_with_the_way_out(flowers: Path, damage: Callable[[Path], None], what: str) -> None:
    damage(flowers)
    with pytest.raises(UserError, match=f"^data.root={flowers}: .*{what}") as caught:
        read_oxford(flowers).checked(flowers)
    assert "\n" not in str(caught.value)


def test_many_problems_are_counted_and_all_kept(flowers: Path) -> None:
    for path in (flowers / "text_c10" / "class_00001").iterdir():
        path.unlink()
    (flowers / "text_c10" / "class_00001").touch()
    with pytest.raises(DataProblems, match=r"5 problems: .*; \.\.\.\. Expected") as caught:
        read_oxford(flowers).checked(flowers)
    assert len(caught.value.problems) == 5


def test_an_empty_root(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no jpg, no imagelabels\.mat, no text_c10 in it"):
        read_oxford(tmp_path)
