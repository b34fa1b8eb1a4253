"""Pictures of a comparison: each variant's newest sheet, as its run saved it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stackgan.report.variants import Variant

SPLITS = ("test", "held_out", "validation", "train")


@dataclass(frozen=True)
class Sheet:
    """caption: whose it is. path: the run's own file."""

    caption: str
    path: Path


def sheets(variants: Sequence[Variant], most: int) -> list[Sheet]:
    """The newest sheet of each variant's first run that has one, of the same split for all where they have it; at most so many."""
    found = []
    for variant in variants:
        for record in variant.records:
            if record.folder is not None and (path := newest(record.folder.sheets)) is not None:
                found.append(Sheet(f"{variant.label}: seed {record.seed}, {record.name}, {record.state}, {path.stem}", path))
                break
    return found[:most]


def newest(folder: Path) -> Path | None:
    """The sheet of the most images seen, of the first of SPLITS that has any; None where there is none."""
    drawn = sorted(folder.glob("seen-*.png"))
    split = next((split for split in SPLITS if any(path.stem.endswith(f"-{split}") for path in drawn)), "")
    return max((path for path in drawn if path.stem.endswith(split)), default=None)
