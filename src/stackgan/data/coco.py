"""COCO captions (Chen et al. 2015): photographs without classes, about five sentences each.

Layout: `train<year>/`, `val<year>/` and `annotations/captions_{train,val}<year>.json`. The paper trains on 2014's train and
draws for its val; 2017 moved pictures from val to train.
"""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

from stackgan.data.module import CaptionedPictures
from stackgan.data.records import NOT_UNICODE, OUTSIDE, Problem, Record, Source, Split, inside, is_unicode, sentences, unusable

YEARS = (2014, 2017)
WAY_OUT = (
    "Expected: train<year>/, val<year>/ and annotations/captions_train<year>.json, captions_val<year>.json of "
    "https://cocodataset.org/#download, year 2014 (the paper's) or 2017"
)


class CocoData(CaptionedPictures):
    """COCO: whole pictures without classes; train is train, val is test. year: of the layout, None for what is there."""

    def __init__(self, *, year: Literal[2014, 2017] | None, **shared: Any) -> None:
        super().__init__(**shared)
        self.year = year

    def read(self) -> Source:
        """See read_coco."""
        return read_coco(Path(self.root), self.year)


def read_coco(root: Path, year: int | None) -> Source:
    """All pictures that are listed, train before val, in the order of the lists. Raises UserError."""
    if not root.is_dir():
        raise unusable(root, "no such folder", f"{WAY_OUT}. Or set data.root or paths.data to where they are")
    there = [y for y in YEARS if (root / "annotations" / f"captions_train{y}.json").is_file()]
    if year is None and len(there) > 1:
        raise unusable(root, "holds 2014 and 2017", "Set data.year=2014 (the paper's) or data.year=2017")
    year = year or (there[0] if there else YEARS[-1])
    problems: list[Problem] = []
    records = [
        record
        for name, split in (("train", "train"), ("val", "test"))
        for record in _part(root, f"{name}{year}", "train" if split == "train" else "test", problems)
    ]
    counts = {split: sum(record.split == split for record in records) for split in ("train", "test")}
    note = f"COCO {year}'s own: {counts['train']:,} train, {counts['test']:,} of val as test"
    return Source(tuple(records), note, tuple(problems), WAY_OUT)


def _part(root: Path, name: str, split: Split, problems: list[Problem]) -> list[Record]:
    path = root / "annotations" / f"captions_{name}.json"
    pictures, captions = _lists(root, path)
    records = []
    for number, file_name in pictures.items():
        image, key = inside(root / name, file_name), f"{name}/{Path(file_name).stem}"
        found = sentences(captions.pop(number, []))
        if image is None:
            problems.append(Problem(path, f"{file_name} {OUTSIDE}", key))
        elif not is_unicode(file_name, *found):
            problems.append(Problem(path, f"file name or a caption of picture {number} is {NOT_UNICODE}", f"{name}/{number}"))
        elif not image.is_file():
            problems.append(Problem(image, "picture is missing", key))
        elif not found:
            problems.append(Problem(image, f"has no caption in {path.name}", key))
        else:
            records.append(Record(key, image, found, None, "", split))
    unlisted = "has captions for picture {}, which it does not list"
    problems.extend(Problem(path, unlisted.format(number), f"{name}/{number}") for number in captions)
    return records


def _lists(root: Path, path: Path) -> tuple[dict[int, str], dict[int, list[str]]]:
    """File names and sentences by picture id."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        pictures = {int(image["id"]): str(image["file_name"]) for image in content["images"]}
        captions: dict[int, list[str]] = defaultdict(list)
        for annotation in content["annotations"]:
            captions[int(annotation["image_id"])].append(str(annotation["caption"]))
    except OSError as error:
        raise unusable(root, f"no annotations/{path.name} in it", WAY_OUT) from error
    except (ValueError, TypeError, KeyError) as error:
        what = f"annotations/{path.name} is not COCO's captions JSON ({type(error).__name__}: {error})"
        raise unusable(root, what, WAY_OUT) from error
    return pictures, captions
