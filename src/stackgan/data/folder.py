"""Your own pictures: a folder with `captions.jsonl`, `captions.csv`, or one `.txt` beside each picture.

captions.jsonl, one picture a line: {"image": "birds/a.jpg", "captions": ["a red bird", ...]} and where wanted "class", "split"
(train, validation or test), "box" ([left, top, width, height]) and "parts" ([[x, y, visible], ...], all in pixels; their
names, one a line, in parts.txt). captions.csv has the same columns, a line for each caption ("caption", or "captions" with
one a line), box and parts as "left top width height" and "x y visible; ...". A .txt holds one caption a line.
Classes are what is said, never the name of a subfolder. `about.json`, which our own converters write, may say more.
"""

import json
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stackgan.data.folder_rows import Row, rows_of
from stackgan.data.module import CaptionedPictures
from stackgan.data.records import OUTSIDE, Problem, Record, Source, inside, unusable
from stackgan.data.splits import share

WAY_OUT = (
    'Expected: pictures and captions.jsonl (a line each: {"image": "a.jpg", "captions": ["a red bird"]}), or captions.csv, '
    "or a.txt beside a.jpg"
)
EDGE = 4096
"""Bytes at either end of a picture's file that its tag is made of."""

TEST_SHARE = 0.1
"""Of the pictures, where nothing says which are for testing: chosen by the hash of their keys, so that others may come."""


class FolderData(CaptionedPictures):
    """Any folder of pictures with captions."""

    @property
    def folder(self) -> Path:
        """Where the pictures are."""
        return Path(self.root)

    def read(self) -> Source:
        """See read_folder."""
        return read_folder(self.folder)

    def content(self) -> list[int]:
        """CRC-32 of each picture's first and last 4 KB: whoever edits a picture in place gets another cache."""
        return [ends(record.image) for record in self.source.records]

    def embeddings(self) -> Path | None:
        """embeddings.npz in the folder."""
        self.bring()
        path = self.folder / "embeddings.npz"
        return path if path.is_file() else None


def ends(path: Path) -> int:
    """CRC-32 of a file's first and last 4 KB, of all of it where it is shorter; 0 where filling the cache will complain."""
    try:
        with path.open("rb") as file:
            found = zlib.crc32(file.read(EDGE))
            file.seek(max(EDGE, path.stat().st_size - EDGE))
            return zlib.crc32(file.read(EDGE), found)
    except OSError:
        return 0


def read_folder(root: Path) -> Source:
    """All pictures, in the order of the list, or by name where there is none. Raises UserError."""
    if not root.is_dir():
        raise unusable(root, "no such folder", f"{WAY_OUT}. Set data.root to it")
    problems: list[Problem] = []
    about = _about(root)
    rows = rows_of(root, problems)
    if not rows and not problems:
        raise unusable(root, "no picture with captions in it", WAY_OUT)
    split_given = any(row.split for row in rows)
    some_class = any(row.class_name for row in rows)
    part_names = tuple(about.get("part_names") or _part_names(root))
    records, keys = [], Counter(row.key for row in rows)
    looked_at = []
    for row in rows:
        image = inside(root, row.image)
        what = _wrong(row, image, part_names, split_given, some_class)
        what = "has the name of another picture, or is listed with two classes, splits, boxes" if keys[row.key] > 1 else what
        looked_at.append((row, image, what))
    numbers, torn = _classes([row for row, _, what in looked_at if what is None])
    for row, image, what in looked_at:
        what = what or torn.get(row.class_name, torn.get(row.class_id))
        if what is not None or image is None:
            problems.append(Problem(row.listed if image is None else image, what or f"{row.image} {OUTSIDE}", row.key))
            continue
        split = row.split or ("test" if share(row.key, "folder/test") < TEST_SHARE else "train")
        records.append(Record(row.key, image, row.captions, numbers.get(row.class_name), row.class_name, split, row.box, row.parts))
    note = about.get("split_note") or ("as listed" if split_given else "a fixed tenth is for testing, chosen by its name")
    return Source(tuple(records), str(note), tuple(problems), WAY_OUT, part_names)


def _classes(rows: Sequence[Row]) -> tuple[dict[str, int], dict[str | int | None, str]]:
    """The number of each class: as listed where every row of a class says one, else by name; and what is wrong with some.

    The latter by name and by listed number: where one goes with several of the other.
    """
    listed = {(row.class_name, row.class_id) for row in rows if row.class_name}
    pairs = [(name, number) for name, number in listed if number is not None]
    by_name, by_number = Counter(name for name, _ in pairs), Counter(number for _, number in pairs)
    torn: dict[str | int | None, str] = {name: f"class {name} has several class_id" for name, n in by_name.items() if n > 1}
    torn |= {number: f"class_id {number} is that of several classes" for number, n in by_number.items() if n > 1}
    if len(pairs) == len(listed):
        return dict(pairs), torn
    return {name: number for number, name in enumerate(sorted({name for name, _ in listed}))}, torn


def _wrong(row: Row, image: Path | None, part_names: tuple[str, ...], split_given: bool, some_class: bool) -> str | None:
    """What is wrong with a row."""
    if image is None:
        return f"{row.image} {OUTSIDE}"
    if not image.is_file():
        return "picture is missing"
    if not row.captions:
        return "has no caption"
    if split_given and not row.split:
        return "has no split, others have one"
    if some_class and not row.class_name:
        return "has no class, others have one"
    if row.parts is not None and len(row.parts) != len(part_names):
        return f"has {len(row.parts)} parts, parts.txt names {len(part_names)}"
    return None


def _about(root: Path) -> dict[str, Any]:
    path = root / "about.json"
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise unusable(root, f"about.json is no JSON object ({error})", "Remove it, or prepare the set anew") from error


def _part_names(root: Path) -> list[str]:
    """parts.txt: a name a line, with or without CUB's number before it."""
    path = root / "parts.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line.lstrip("0123456789").strip() for line in lines if line.strip()]
