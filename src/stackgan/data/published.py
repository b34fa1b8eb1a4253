"""What a data set is before anything of it is cached: its records under a policy for problems, its splits, its name."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from lightning.pytorch import LightningDataModule
from numpy.typing import NDArray

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.data.cache import CROP, Cache, CacheAs
from stackgan.data.progress import notice
from stackgan.data.records import JudgedClasses, Problem, Record, Region, Source, Split
from stackgan.data.splits import by_picture, hold_out

OnProblem = Literal["fail", "skip"]
"""What to do about pictures and captions that cannot be used: stop, or leave those pictures out."""


class Published(LightningDataModule):
    """A published layout, read once."""

    name: str
    root: str
    cache_root: Path
    region: Region
    cache_as: CacheAs
    contrast_stretch: bool
    on_problem: OnProblem
    validate: bool
    validation_classes: int
    classes: JudgedClasses | None

    def convert(self) -> None:
        """Turn a published form that is no folder of pictures into one; prepare.py calls it before all else."""
        return

    def bring(self) -> None:
        """Make the layout that read() reads be there, where that is in our power."""
        return

    @property
    def there(self) -> bool:
        """Whether bring() has nothing left to do."""
        return True

    def sketch(self, folder: Path) -> Mapping[str, Any]:
        """Settings under which bring() makes below another folder what it would make, or less of the same kind."""
        return {"cache": str(folder)}

    @abstractmethod
    def read(self) -> Source:
        """The published layout as records. Raises UserError; writes nothing below `data.cache`."""

    def embeddings(self) -> Path | None:
        """The data set's own embeddings, for text=precomputed, where it has some."""
        return None

    def captions(self) -> Mapping[str, tuple[str, ...]]:
        """The sentences of each picture, by its key."""
        return {record.key: record.captions for record in self.source.records}

    @cached_property
    def source(self) -> Source:
        """The data set as published, less what on_problem=skip leaves out; read once (8,189 pictures: under a second)."""
        found = self.read()
        if self.on_problem == "fail":
            found.checked(Path(self.root))
        if not found.records:
            found.checked(Path(self.root))
            raise UserError(f"data.root={self.root}: no picture with a caption in it. {found.way_out}")
        if self.region == "box" and all(record.box is None for record in found.records):
            raise UserError(f"data.region=box: data={self.name} has no boxes; set data.region=whole")
        if found.problems:
            notice(f"data.on_problem=skip: {found.left_out:,} pictures are left out of data={self.name}")
        return found

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The rows of the cache: a judge's or a validation split made, and what cannot be used marked as skipped."""
        records = self.source.records
        if self.classes is not None:
            records = by_picture(records, self.classes)
        elif self.validate:
            records = hold_out(records, self.validation_classes)
        bad = self.skipped()
        return tuple(replace(record, split="skipped") if row in bad else record for row, record in enumerate(records))

    @abstractmethod
    def skipped(self) -> Mapping[int, str]:
        """Rows of the cache without a picture or a text, found in filling it, and why."""

    @cached_property
    def cache(self) -> Cache:
        """Where this data set's arrays are, named after its content."""
        rows = [[r.key, r.image.stat().st_size, r.class_id, r.split, r.captions] for r in self.source.records]
        state = {"crop": CROP, "contrast_stretch": self.contrast_stretch, "rows": rows}
        boxes = [record.box for record in self.source.records]
        if self.region == "box":
            state["boxes"] = boxes
        if tags := self.content():
            state["content"] = tags
        folder = self.cache_root / self.name / fingerprint(state, digits=12)
        return Cache(self.cache_root, folder, self.region, self.cache_as, fingerprint(boxes))

    def content(self) -> Sequence[int]:
        """A tag of each picture's content, for data sets whose files may be replaced by others of the same size; else nothing."""
        return ()

    @property
    def left_out(self) -> tuple[Problem, ...]:
        """What on_problem=skip left out, in reading and in filling the cache."""
        records = self.source.records
        return *self.source.problems, *(Problem(records[row].image, what, records[row].key) for row, what in self.skipped().items())

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What the trained weights depend on, of the data: content and split, and how many pictures were left out."""
        held_out = self.validation_classes if self.validate else 0
        found = {"name": self.name, "images": self.cache.folder.name, "validation_classes": held_out}
        if self.classes is not None:
            found = {"name": self.name, "images": self.cache.folder.name, "classes": self.classes}
        if self.on_problem == "skip":
            keys = {problem.key or str(problem.path) for problem in self.left_out}
            found |= {"on_problem": "skip", "left_out": len(keys)}
        return found

    @property
    def provides(self) -> frozenset[str]:
        """What every picture has beside captions: classes, boxes, parts."""
        there = {
            "classes": all(record.class_id is not None for record in self.source.records),
            "boxes": all(record.box is not None for record in self.source.records),
            "parts": bool(self.source.part_names) and all(record.parts for record in self.source.records),
        }
        return frozenset(name for name, has in there.items() if has)

    @property
    def class_names(self) -> dict[int, str]:
        """The classes that training sees, by class id, ascending."""
        names = {r.class_id: r.class_name for r in self.records if r.split == "train" and r.class_id is not None}
        return dict(sorted(names.items()))

    def class_names_of(self, split: Split) -> frozenset[str]:
        """The classes of a split's pictures; empty where there are none."""
        return frozenset(r.class_name for r in self.records if r.split == split and r.class_id is not None)

    @property
    def splits(self) -> frozenset[str]:
        """The splits that have pictures."""
        return frozenset(record.split for record in self.records) - {"skipped"}

    def _rows(self, split: Split) -> NDArray[np.int64]:
        rows = np.array([row for row, record in enumerate(self.records) if record.split == split], np.int64)
        if not len(rows):
            hint = "; data.validate=true makes it" if split == "validation" else ""
            raise UserError(
                f"data={self.name}: there is no picture in split {split}, only in {', '.join(sorted(self.splits))}{hint}"
            )
        return rows
