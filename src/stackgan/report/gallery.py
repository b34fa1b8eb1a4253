"""Pictures of a comparison: each variant's newest sheet, as its run saved it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PIL import Image

from stackgan.report.variants import Variant

SPLITS = ("test", "held_out", "validation", "train")


@dataclass(frozen=True)
class Sheet:
    """variant, caption: whose it is. path: the run's own file. picture: what it holds."""

    variant: str
    caption: str
    path: Path
    picture: Image.Image


def sheets(variants: Sequence[Variant], most: int, said: list[str]) -> list[Sheet]:
    """The newest sheet of each variant's first run that has one, of the same split for all where they have it; at most so many.

    said: is given a line for each file that is no picture, in whose place the variant's next run stands.
    """
    found = (one for variant in variants if (one := _sheet(variant, said)) is not None)
    return list(islice(found, most))


def _sheet(variant: Variant, said: list[str]) -> Sheet | None:
    for record in variant.records:
        if record.folder is None or (path := newest(record.folder.sheets)) is None:
            continue
        try:
            with Image.open(path) as picture:
                caption = f"{variant.label}: seed {record.seed}, run {record.name}, {record.state}; {_said(path)}"
                return Sheet(variant.label, caption, path, picture.convert("RGB"))
        except (OSError, SyntaxError, ValueError) as error:  # Pillow's words for damage
            said.append(f"{path}: left out, not a picture that can be read ({type(error).__name__})")
    return None


def _said(sheet: Path) -> str:
    """`sentences of split test after 36,000 images`."""
    _, seen, split = sheet.stem.split("-", 2)
    return f"sentences of split {split} after {int(seen):,} images"


def newest(folder: Path) -> Path | None:
    """The sheet of the most images seen, of the first of SPLITS that has any; None where there is none."""
    drawn = sorted(folder.glob("seen-[0-9]*-*.png"))
    split = next((split for split in SPLITS if any(path.stem.endswith(f"-{split}") for path in drawn)), "")
    return max((path for path in drawn if path.stem.endswith(split)), default=None)
