"""CUB-200-2011's published layout, which toybirds is drawn in too.

`CUB_200_2011/` (or the root itself) holds `images.txt` (id path), `image_class_labels.txt` (id class), `classes.txt`
(class name), `train_test_split.txt` (id 0|1), `bounding_boxes.txt` (id x y w h), `parts/parts.txt` (part name),
`parts/part_locs.txt` (id part x y visible) and `images/<class>/<picture>`; captions are in `text/<class>/<picture's
stem>.txt` below the root.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from stackgan.data.records import OUTSIDE, Box, Part, Problem, Record, Source, Split, inside, read_captions, unusable

T = TypeVar("T")


@dataclass(frozen=True)
class CubFiles:
    """The index files by picture id, in the order of images.txt; class_names by class id; in_train: published split.

    part_names: in the order of part ids, which is that of parts.
    """

    folder: Path
    paths: dict[int, str]
    class_ids: dict[int, int]
    class_names: dict[int, str]
    in_train: dict[int, bool]
    boxes: dict[int, Box]
    parts: dict[int, tuple[Part, ...]]
    part_names: tuple[str, ...]


def read_files(root: Path, way_out: str) -> CubFiles:
    """All index files. Raises UserError, ending in way_out, where one is missing, broken or lacks a picture."""
    if not root.is_dir():
        raise unusable(root, "no such folder", way_out)
    folder = root / "CUB_200_2011" if (root / "CUB_200_2011").is_dir() else root

    def table(name: str, value: Callable[[list[str]], T]) -> dict[int, T]:
        return _table(root, folder / name, value, way_out)

    files = CubFiles(
        folder=folder,
        paths=table("images.txt", _text),
        class_ids=table("image_class_labels.txt", lambda words: int(words[0])),
        class_names=table("classes.txt", _text),
        in_train=table("train_test_split.txt", lambda words: words[0] == "1"),
        boxes=table("bounding_boxes.txt", _box),
        parts=_parts(root, folder / "parts" / "part_locs.txt", way_out),
        part_names=tuple(name for _, name in sorted(table("parts/parts.txt", _text).items())),
    )
    for name in ("class_ids", "in_train", "boxes", "parts"):
        if missing := files.paths.keys() - getattr(files, name).keys():
            what = f"{len(missing):,} of {len(files.paths):,} pictures in images.txt (first: id {min(missing)})"
            raise unusable(root, f"{what} have no line for {name}", way_out)
    return files


def read_records(root: Path, files: CubFiles, split_of: Callable[[int, bool], Split], note: str, way_out: str) -> Source:
    """All pictures; split_of(class id, in_train) decides. note: on the split."""
    problems: list[Problem] = []
    records = []
    for number, path in files.paths.items():
        found = len(problems)
        image, key = inside(files.folder / "images", path), str(Path(path).with_suffix(""))
        if image is None:
            problems.append(Problem(files.folder / "images.txt", f"{path} {OUTSIDE}", key))
            continue
        if not image.is_file():
            problems.append(Problem(image, "picture is missing", key))
        class_id = files.class_ids[number]
        name = files.class_names.get(class_id, str(class_id)).partition(".")[2].replace("_", " ")
        captions = read_captions(root / "text" / f"{key}.txt", problems, key)
        if len(files.parts[number]) != len(files.part_names):
            what = f"{len(files.parts[number])} parts, parts.txt names {len(files.part_names)}"
            problems.append(Problem(files.folder / "parts" / "part_locs.txt", f"picture {number} has {what}", key))
        split = split_of(class_id, files.in_train[number])
        if found == len(problems):
            records.append(Record(key, image, captions, class_id, name, split, files.boxes[number], files.parts[number]))
    return Source(tuple(records), note, tuple(problems), way_out, files.part_names)


def class_numbers(root: Path, path: Path, known: Collection[int], way_out: str) -> frozenset[int]:
    """The classes of a file with one "001.Black_footed_Albatross" a line. UserError where it is not that."""
    try:
        numbers = frozenset(int(line.partition(".")[0]) for line in path.read_text(encoding="utf-8").split())
    except (OSError, ValueError) as error:
        raise unusable(root, f"{path.name} cannot be read as a list of classes ({error})", way_out) from error
    if unknown := numbers - set(known):
        raise unusable(root, f"{path.name} names class {min(unknown)}, which classes.txt has not", way_out)
    return numbers


def _text(words: list[str]) -> str:
    if not words:
        raise ValueError("nothing after the number")
    return " ".join(words)


def _box(words: list[str]) -> Box:
    left, top, width, height = map(float, words)
    return left, top, width, height


def _lines(root: Path, path: Path, way_out: str) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise unusable(root, f"{path.name} is missing or unreadable", way_out) from error


def _table(root: Path, path: Path, value: Callable[[list[str]], T], way_out: str) -> dict[int, T]:
    rows: dict[int, T] = {}
    for place, line in enumerate(_lines(root, path, way_out), start=1):
        words = line.split()
        try:
            rows[int(words[0])] = value(words[1:])
        except (ValueError, IndexError) as error:
            raise unusable(root, f"{path.name} line {place} cannot be read: '{line}'", way_out) from error
    if not rows:
        raise unusable(root, f"{path.name} is empty", way_out)
    return rows


def _parts(root: Path, path: Path, way_out: str) -> dict[int, tuple[Part, ...]]:
    """Parts of each picture, in the order of part ids."""
    rows: dict[int, list[tuple[int, Part]]] = {}
    for place, line in enumerate(_lines(root, path, way_out), start=1):
        try:
            number, part, x, y, visible = line.split()
            rows.setdefault(int(number), []).append((int(part), (float(x), float(y), visible == "1")))
        except ValueError as error:
            raise unusable(root, f"{path.name} line {place} cannot be read: '{line}'", way_out) from error
    return {number: tuple(part for _, part in sorted(parts)) for number, parts in rows.items()}
