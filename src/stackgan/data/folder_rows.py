"""The rows of a folder's list of captions, in whichever of three forms it has."""

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from stackgan.data.records import NOT_UNICODE, Box, Part, Problem, Split, is_unicode, read_captions, said, unusable

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
SPLITS: Mapping[str, Split] = {
    "train": "train", "training": "train", "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "held_out": "held_out",
}  # fmt: skip
CAPTIONS = ("captions", "caption", "text", "sentences", "sentence")
IMAGES = ("image", "file_name", "filename", "file", "path")


@dataclass(frozen=True)
class Row:
    """A picture as listed: image as its list names it, listed: that list. Empty strings where nothing is said."""

    listed: Path
    key: str
    image: str
    captions: tuple[str, ...]
    class_name: str = ""
    class_id: int | None = None
    split: Split | None = None
    box: Box | None = None
    parts: tuple[Part, ...] | None = None


def rows_of(root: Path, problems: list[Problem]) -> list[Row]:
    """All rows that can be read; what cannot is added to problems. Raises UserError for a list that cannot be read at all."""
    for name in ("captions.jsonl", "captions.csv"):
        if (root / name).is_file():
            return rows_in(root / name, problems)
    return _beside(root, problems)


def rows_in(path: Path, problems: list[Problem]) -> list[Row]:
    """All rows of one list that can be read: .csv, else a JSON object a line. See rows_of."""
    read = _csv_lines if path.suffix.lower() == ".csv" else _json_lines
    try:
        return list(_joined(_rows(path, read(path), problems)))
    except (UnicodeDecodeError, csv.Error) as error:
        way_out = "Save it as UTF-8, one picture or caption a line"
        raise unusable(path.parent, f"{path.name} cannot be read ({error})", way_out) from error


def _beside(root: Path, problems: list[Problem]) -> list[Row]:
    """Pictures with a .txt of the same name."""
    rows = []
    for image in sorted(path for path in root.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file()):
        name = image.relative_to(root)
        key = str(name.with_suffix(""))
        if not is_unicode(key):
            problems.append(Problem(root, f"the name {str(name)!a} is {NOT_UNICODE}", ascii(key)))
            continue
        captions = read_captions(image.with_suffix(".txt"), problems, key)
        if captions:
            rows.append(Row(image, key, str(name), captions))
    return rows


def _json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                try:
                    yield number, json.loads(line)
                except ValueError as error:
                    yield number, error


def _csv_lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        for values in reader:
            # A cell beyond the header comes under None.
            surplus = values.pop(None, None)
            yield reader.line_num, ValueError("more cells than columns") if surplus else {k: v for k, v in values.items() if v}


def _rows(path: Path, lines: Iterator[tuple[int, Any]], problems: list[Problem]) -> Iterator[Row]:
    for number, values in lines:
        try:
            if isinstance(values, Exception):
                raise values
            yield _row(path, {str(key).strip().lower(): value for key, value in values.items()})
        except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
            problems.append(Problem(path, f"line {number}: {error}", f"line {number}"))


def _row(path: Path, values: Mapping[str, Any]) -> Row:
    if not is_unicode(json.dumps(values, ensure_ascii=False)):
        raise ValueError(NOT_UNICODE)
    image = next((str(values[name]) for name in IMAGES if values.get(name)), "")
    if not image:
        raise ValueError('names no picture: a column "image" is needed')
    given: Any = next((values[name] for name in CAPTIONS if values.get(name)), [])
    split = str(values.get("split") or "").strip().lower()
    if split and split not in SPLITS:
        raise ValueError(f"split {split} is none of {', '.join(SPLITS)}")
    class_id = None if values.get("class_id") in (None, "") else int(values["class_id"])
    name = class_id if values.get("class") is None else values["class"]
    return Row(
        listed=path,
        key=str(values.get("key") or PurePosixPath(image.replace("\\", "/")).with_suffix("")),
        image=image,
        captions=said(given),
        class_name="" if name is None else str(name).strip(),
        class_id=class_id,
        split=SPLITS[split] if split else None,
        box=_box(values.get("box") or values.get("bbox")),
        parts=_parts(values.get("parts")),
    )


def _box(value: Any) -> Box | None:
    if value is None:
        return None
    left, top, width, height = map(float, value.replace(",", " ").split() if isinstance(value, str) else value)
    if not all(map(math.isfinite, (left, top, width, height))):
        raise ValueError(f"box {left:g}, {top:g}, {width:g}, {height:g} is not finite")
    return left, top, width, height


def _parts(value: Any) -> tuple[Part, ...] | None:
    if value is None:
        return None
    places = [place.split() for place in value.split(";")] if isinstance(value, str) else value
    return tuple(_part(float(x), float(y), bool(float(visible))) for x, y, visible in places)


def _part(x: float, y: float, visible: bool) -> Part:
    """Where an invisible part is makes no difference, so that it may be nowhere."""
    if math.isfinite(x) and math.isfinite(y):
        return x, y, visible
    if visible:
        raise ValueError(f"visible part at {x:g}, {y:g} is not finite")
    return 0.0, 0.0, False


def _joined(rows: Iterator[Row]) -> Iterator[Row]:
    """Rows of one picture that differ in nothing but the caption are one; others are left to be complained about."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        like = row.key, row.image, row.class_name, row.class_id, row.split, row.box, row.parts
        before = found.get(like)
        found[like] = row if before is None else replace(before, captions=before.captions + row.captions)
    yield from found.values()
