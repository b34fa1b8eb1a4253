"""What `prepare.py` does: check a data set, build its cache, and say what it is in a report and a contact sheet."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.data.cache import unwritable
from stackgan.data.decode import shown_size
from stackgan.data.module import CaptionedPictures
from stackgan.data.places import reaches_out
from stackgan.data.records import DataProblems, Problem, Record
from stackgan.plots.sheet import contact_sheet

SHEET = 25
"""Pictures on the contact sheet, from the train split."""

SHOWN = 10
"""Warnings, and pictures left out, that are printed; report.txt has all."""


@dataclass(frozen=True)
class Report:
    """What a data set holds, for people. warnings: accepted, but to be known; problems: what was left out.

    folder: the cache; sheet: a PNG in it.
    """

    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]
    folder: Path
    sheet: Path

    @property
    def full(self) -> str:
        """All of it, for report.txt."""
        return self._text(len(self.problems) + len(self.warnings))

    def __str__(self) -> str:
        return self._text(SHOWN)

    def _text(self, most: int) -> str:
        """With at most so many warnings and problems of each."""
        warnings, problems = (
            _at_most(most, kind, lines) for kind, lines in (("warning", self.warnings), ("left out", self.problems))
        )
        return "\n".join([*self.lines, *warnings, *problems, f"cache: {self.folder}", f"contact sheet: {self.sheet}"])


def prepare(module: CaptionedPictures) -> Report:
    """Build what is missing of the cache, look at everything, and write report.txt and sheet.png into the cache's
    folder.

    Raises UserError; where single files are at fault, its line names a file that lists all of them.
    """
    try:
        module.convert()
        module.prepare_data()
    except DataProblems as error:
        raise UserError(f"{error} All {len(error.problems):,}: {_list_all(module, error.problems)}") from error
    module.setup()
    folder, problems = module.cache.folder, module.left_out
    if problems:
        _list_all(module, problems)
    examples = module.examples("train", SHEET)
    picture = contact_sheet(examples.real_NHWC, examples.sentences, f"{module.name}: {len(examples.sentences)} training pictures")
    sheet = folder / "sheet.png"
    atomic.write(sheet, lambda beside: picture.save(beside, format="PNG"))
    warnings = (*duplicates(module.records), *boxes_outside(module.records), *lone_classes(module.records))
    report = Report(tuple(describe(module)), warnings, tuple(map(str, problems)), folder, sheet)
    atomic.write(folder / "report.txt", lambda beside: _text(beside, report.full))
    return report


def describe(module: CaptionedPictures) -> list[str]:
    """Counts, splits and sizes, a line each."""
    records = module.records
    captions = [len(record.captions) for record in records]
    a_picture = f"{min(captions)}" if min(captions) == max(captions) else f"{min(captions)} to {max(captions)}"
    classes = Counter(record.class_id for record in records)
    of = f"{len(classes)} classes of {min(classes.values())} to {max(classes.values())} pictures"
    has_classes = "classes" in module.provides
    lines = [
        f"{module.name}: {len(records):,} pictures, {sum(captions):,} captions ({a_picture} a picture), "
        + (of if has_classes else "no classes"),
        f"split: {module.source.split_note}",
    ]
    for split in dict.fromkeys(record.split for record in records):
        rows = [record for record in records if record.split == split]
        in_classes = f", {len({record.class_id for record in rows})} classes" if has_classes else ""
        lines.append(f"  {split}: {len(rows):,} pictures{in_classes}")
    beside = sorted(module.provides - {"classes", "toybirds"})
    if beside:
        lines.append(f"each picture also has {' and '.join(beside)} (parts: {len(module.source.part_names)})")
    sizes = ", ".join(f"{size} x {size}" for size in module.sizes)
    region = "whole pictures" if module.region == "whole" else "the square around the box"
    lines.append(f"{region} cached at {sizes} ({module.cache_as}); sentences by {module.text.name}, {module.text_dim} numbers each")
    if module.on_problem == "skip":
        lines.append(f"on_problem=skip left out {module.fingerprint['left_out']:,} pictures")
    return lines


def boxes_outside(records: Sequence[Record]) -> Iterator[str]:
    """Boxes that reach outside their picture; they are clipped."""
    for record in records:
        if record.box is not None and record.split != "skipped":
            width, height = shown_size(record.image)
            if reaches_out(record.box, width, height):
                left, top, right, bottom = (
                    record.box[0],
                    record.box[1],
                    record.box[0] + record.box[2],
                    record.box[1] + record.box[3],
                )
                box = f"{left:g}, {top:g} to {right:g}, {bottom:g}"
                yield f"{record.key}: the box ({box}) reaches outside the picture ({width} x {height}) and is clipped"


def lone_classes(records: Sequence[Record]) -> Iterator[str]:
    """Classes with a single picture."""
    counts = Counter(record.class_id for record in records)
    for record in records:
        if record.class_id is not None and counts[record.class_id] == 1:
            yield f"class {record.class_name} has one picture, {record.key}"


def duplicates(records: Sequence[Record]) -> list[str]:
    """Pictures that are the same file, a line each group; files of different length are not read."""
    by_length = defaultdict(list)
    for record in records:
        by_length[record.image.stat().st_size].append(record)
    by_content = defaultdict(list)
    for same_length in by_length.values():
        for record in same_length if len(same_length) > 1 else []:
            by_content[hashlib.sha256(record.image.read_bytes()).digest()].append(record)
    lines = []
    for group in by_content.values():
        if len(group) > 1:
            keys = " and ".join(record.key for record in group)
            splits = sorted({record.split for record in group})
            where = f"across splits {', '.join(splits)}" if len(splits) > 1 else f"in {splits[0]}"
            labels = "" if len({record.class_id for record in group}) == 1 else ", under different classes"
            lines.append(f"{keys} are the same picture, {where}{labels}")
    return lines


def _list_all(module: CaptionedPictures, problems: Sequence[Problem]) -> Path:
    path = module.cache_root / module.name / "problems.txt"
    lines = "".join(f"{problem}\n" for problem in problems)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path, lambda beside: _text(beside, lines))
    except OSError as failed:
        raise unwritable(module.cache_root, failed) from failed
    return path


def _at_most(most: int, kind: str, lines: Sequence[str]) -> list[str]:
    more = [f"{kind}: {len(lines) - most:,} more, listed in report.txt"] if len(lines) > most else []
    return [*(f"{kind}: {line}" for line in lines[:most]), *more]


def _text(path: Path, text: str) -> None:
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
