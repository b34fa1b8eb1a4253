import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_sets import write_coco

from stackgan.core.errors import UserError
from stackgan.data.coco import CocoData, read_coco

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_coco(tmp_path / "coco")
    return tmp_path / "coco"


def change(root: Path, how: Change, name: str = "train2017") -> None:
    path = root / "annotations" / f"captions_{name}.json"
    content = json.loads(path.read_text())
    how(content)
    path.write_text(json.dumps(content))


def test_records(root: Path) -> None:
    source = read_coco(root, None)
    assert [record.split for record in source.records] == ["train"] * 8 + ["test"] * 3
    first = source.records[0]
    assert (first.key, first.class_id, first.captions) == (
        "train2017/000000000000", None, ("A dog number 0 runs.", "Somebody holds 0 kites"),
    )  # fmt: skip
    assert source.split_note == "COCO 2017's own: 8 train, 3 of val as test"
    assert not source.problems


def test_the_year_is_found_or_asked_for(root: Path) -> None:
    with pytest.raises(UserError, match=r"no annotations/captions_train2014\.json in it"):
        read_coco(root, 2014)
    write_coco(root.parent / "older", 2014)
    assert read_coco(root.parent / "older", None).records[0].key.startswith("train2014/")
    for path in (root.parent / "older").glob("*"):
        if path.name != "annotations":
            path.rename(root / path.name)
    for path in (root.parent / "older" / "annotations").iterdir():
        path.rename(root / "annotations" / path.name)
    with pytest.raises(UserError, match=r"holds 2014 and 2017\. Set data\.year=2014"):
        read_coco(root, None)
    assert read_coco(root, 2014).records[0].key.startswith("train2014/")


@pytest.mark.parametrize(
    ("how", "what", "left"),
    [
        (lambda c: c["images"].append({"id": 77, "file_name": "77.jpg"}), "picture is missing", 8),
        (lambda c: c["annotations"].__delitem__(slice(0, 2)), "has no caption in captions_train2017.json", 7),
        (lambda c: c["annotations"][0].update(caption=" \n"), None, 8),
        (lambda c: c["annotations"][0].update(caption="\ud83d"), "picture 0 is not valid Unicode", 7),
        (lambda c: c["images"][0].update(file_name="\ud83d.jpg"), "picture 0 is not valid Unicode", 7),
        (lambda c: c["annotations"].append({"image_id": 99, "caption": "x"}), "has captions for picture 99", 8),
        (lambda c: c["images"][0].update(file_name="../x.jpg"), "../x.jpg leads outside", 7),
        (lambda c: c["images"][0].update(file_name="/x.jpg"), "/x.jpg leads outside", 7),
    ],
)
def test_problems(root: Path, how: Change, what: str | None, left: int) -> None:
    change(root, how)
    source = read_coco(root, None)
    assert len([record for record in source.records if record.split == "train"]) == left
    assert [what is not None and what in problem.what for problem in source.problems] == ([True] if what else [])


@pytest.mark.parametrize("content", ["", "[]", '{"images": 3, "annotations": []}', '{"images": [{"id": 1}], "annotations": []}'])
def test_a_list_that_is_none(root: Path, content: str) -> None:
    (root / "annotations" / "captions_val2017.json").write_text(content)
    with pytest.raises(UserError, match=r"^data\.root=.*annotations/captions_val2017\.json is not COCO's captions JSON"):
        read_coco(root, None)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such folder\. Expected: train<year>/.*cocodataset\.org"):
        read_coco(tmp_path / "nowhere", None)


def test_a_set_without_classes_is_served(root: Path, settings: dict[str, Any]) -> None:
    module = CocoData(**{**settings, "name": "coco", "root": str(root), "year": None, "batch_size": 4, "validate": True})
    module.prepare_data()
    module.setup()
    assert module.provides == frozenset()
    assert len(module.examples("train", 99).sentences) == module.train_size
    module.plan(0, 4)
    for batch in module.train_dataloader():
        assert batch.mismatched_BCHW is not None
        assert not batch.extras
        assert all((one != other).any() for one, other in zip(batch.real_BCHW, batch.mismatched_BCHW, strict=True))
