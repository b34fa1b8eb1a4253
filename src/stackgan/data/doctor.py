"""What `prepare.py` does: check a data set, build its cache, and say what it is in a report and a contact sheet."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.data.cache import unwritable
from stackgan.data.module import CaptionedPictures
from stackgan.data.records import DataProblems, Record
from stackgan.plots.sheet import contact_sheet

SHEET = 25
"""Pictures on the contact sheet, from the train split."""


@dataclass(frozen=True)
class Report:
    """What a data set holds, for people. warnings: accepted, but to be known. folder: the cache; sheet: a PNG in it."""

    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    folder: Path
    sheet: Path

    def __str__(self) -> str:
        marked = [f"warning: {warning}" for warning in self.warnings]
        return "\n".join([*self.lines, *marked, f"cache: {self.folder}", f"contact sheet: {self.sheet}"])


def prepare(module: CaptionedPictures) -> Report:
    """Build what is missing of the cache, look at everything, and write report.txt and sheet.png into the cache's
    folder.

    Raises UserError; where single files are at fault, its line names a file that lists all of them.
    """
    try:
        module.prepare_data()
    except DataProblems as error:
        raise UserError(f"{error} All {len(error.problems):,}: {_list_all(module, error)}") from error
    module.setup()
    folder = module.cache.folder
    examples = module.examples("train", SHEET)
    picture = contact_sheet(examples.real_NHWC, examples.sentences, f"{module.name}: {SHEET} training pictures")
    sheet = folder / "sheet.png"
    atomic.write(sheet, lambda beside: picture.save(beside, format="PNG"))
    report = Report(tuple(describe(module)), tuple(duplicates(module.records)), folder, sheet)
    atomic.write(folder / "report.txt", lambda beside: _text(beside, str(report)))
    return report


def describe(module: CaptionedPictures) -> list[str]:
    """Counts, splits and sizes, a line each."""
    records = module.records
    captions = [len(record.captions) for record in records]
    a_picture = f"{min(captions)}" if min(captions) == max(captions) else f"{min(captions)} to {max(captions)}"
    classes = Counter(record.class_id for record in records)
    lines = [
        f"{module.name}: {len(records):,} pictures, {sum(captions):,} captions ({a_picture} a picture), "
        f"{len(classes)} classes of {min(classes.values())} to {max(classes.values())} pictures",
        f"class split: {module.source.split_note}",
    ]
    for split in dict.fromkeys(record.split for record in records):
        rows = [record for record in records if record.split == split]
        lines.append(f"  {split}: {len(rows):,} pictures, {len({record.class_id for record in rows})} classes")
    sizes = ", ".join(f"{size} x {size}" for size in module.sizes)
    lines.append(f"cached at {sizes}; sentences by {module.text.name}, {module.text_dim} numbers each")
    return lines


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


def _list_all(module: CaptionedPictures, error: DataProblems) -> Path:
    path = module.cache_root / module.name / "problems.txt"
    lines = "".join(f"{problem}\n" for problem in error.problems)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path, lambda beside: _text(beside, lines))
    except OSError as failed:
        raise unwritable(module.cache_root, failed) from failed
    return path


def _text(path: Path, text: str) -> None:
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
