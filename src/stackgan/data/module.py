"""What data sets with captions share: cache, splits, batches, examples. A data set's own file only reads its layout."""

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.core.ranges import Natural, Positive
from stackgan.core.shapes import Batch, Described, Examples, ImageEncoder
from stackgan.data.batches import Arrays, Batches, Draw, Iterations, Mismatched, check_trainable, cut
from stackgan.data.cache import CROP, Cache
from stackgan.data.fill import Wanted, fill_missing
from stackgan.data.records import Record, Source, Split
from stackgan.data.splits import hold_out, spread
from stackgan.text.encoder import TextEncoder


def cached_size(resolution: int) -> int:
    """The side of the cached pictures for this resolution, as StackGAN has it: 76 for 64, 304 for 256."""
    return resolution * 76 // 64


class CaptionedPictures(LightningDataModule):
    """Pictures with captions and classes, cached once, served as keyed batches.

    name: as in `data=`. root: the published layout; cache: where arrays go (`paths.cache`). text: the encoder.
    resolution: of what is trained on; first_resolution: another size to cache in the same pass. batch_size: global.
    captions_averaged: see Draw. mismatched: the partner of a wrong pair. mirror, crop: random, else as is and centred.
    contrast_stretch: see decode.stretch. validate: the last validation_classes train classes become split "validation".
    distinct_classes: see Draw. image_encoder: whose features batches bring along, None for none.
    workers: processes of the loader, 0 for none. prepare_workers: threads that decode, 0 for one a core.
    Errors in data or settings are UserErrors, raised before anything is kept.
    """

    name: str
    provides: frozenset[str] = frozenset({"classes"})

    def __init__(
        self,
        *,
        name: str,
        root: str,
        cache: str,
        text: TextEncoder,
        resolution: Positive,
        first_resolution: Positive | None,
        batch_size: Positive,
        seed: int,
        captions_averaged: Positive,
        mismatched: Mismatched,
        mirror: bool,
        crop: bool,
        contrast_stretch: bool,
        validate: bool,
        validation_classes: Positive,
        workers: Natural,
        prepare_workers: Natural,
        distinct_classes: bool = False,
        image_encoder: ImageEncoder | None = None,
    ) -> None:
        super().__init__()
        self.name, self.root, self.text, self.workers = name, root, text, workers
        self.cache_root, self.prepare_workers = Path(cache), prepare_workers
        self.draw = Draw(resolution, batch_size, seed, captions_averaged, mismatched, mirror, crop, distinct_classes)
        self.image_encoder = image_encoder
        self.sizes = sorted({cached_size(r) for r in (resolution, first_resolution) if r is not None})
        self.contrast_stretch, self.validate, self.validation_classes = contrast_stretch, validate, validation_classes
        self._arrays: Arrays | None = None
        self._span: tuple[int, int] | None = None

    def bring(self) -> None:
        """Make the published layout be there, where that is in our power."""
        return

    @abstractmethod
    def read(self) -> Source:
        """The published layout as records. Raises UserError; writes nothing below `data.cache`."""

    @cached_property
    def source(self) -> Source:
        """The data set as published; read once (8,189 pictures: under a second)."""
        return self.read()

    @cached_property
    def records(self) -> tuple[Record, ...]:
        """The records with the validation classes taken out of train."""
        return hold_out(self.source.records, self.validation_classes) if self.validate else self.source.records

    @cached_property
    def cache(self) -> Cache:
        """Where this data set's arrays are, named after its content."""
        rows = [[r.key, r.image.stat().st_size, r.class_id, r.split, r.captions] for r in self.source.records]
        state = fingerprint({"crop": CROP, "contrast_stretch": self.contrast_stretch, "rows": rows}, digits=12)
        return Cache(self.cache_root, self.cache_root / self.name / state)

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What the trained weights depend on, of the data: content and split."""
        held_out = self.validation_classes if self.validate else 0
        return {"name": self.name, "images": self.cache.folder.name, "validation_classes": held_out}

    @property
    def text_dim(self) -> int:
        """Width of a sentence embedding."""
        return self.text.dim

    @property
    def splits(self) -> frozenset[str]:
        """The splits that have pictures."""
        return frozenset(record.split for record in self.records)

    @cached_property
    def _train_rows(self) -> NDArray[np.int64]:
        return self._rows("train")

    @property
    def train_size(self) -> int:
        """Training pictures."""
        return len(self._train_rows)

    @property
    def batches_per_epoch(self) -> int:
        """Full global batches in a pass over the training pictures."""
        return self.train_size // self.draw.batch_size

    def prepare_data(self) -> None:
        """Build what is missing of the cache; at once where nothing is. Safe in several processes at a time."""
        self.bring()
        check_trainable(self.records, self._train_rows, self.draw, self.root)
        plan = Wanted(self.sizes, self.contrast_stretch, self.text, self.image_encoder)
        if plan.missing_sizes(self.cache) or plan.missing_text(self.cache) or plan.missing_features(self.cache):
            fill_missing(self.cache, Path(self.root), self.source, plan, self.prepare_workers)

    def setup(self, stage: str | None = None) -> None:
        """Know the arrays; prepare_data() must have run somewhere. stage: Lightning's, makes no difference."""
        pictures = self.cache.pictures(cached_size(self.draw.resolution))
        features = self.cache.features(self.image_encoder) if self.image_encoder is not None else None
        self._arrays = Arrays.of(self.records, pictures, self.cache.text(self.text), features)

    @property
    def arrays(self) -> Arrays:
        """The mapped arrays; setup() must have run."""
        if self._arrays is None:
            raise RuntimeError("call prepare_data() and setup() first")
        return self._arrays

    def plan(self, start_iteration: int, stop_iteration: int) -> None:
        """Say which iterations the next train_dataloader() serves: start included, stop not."""
        self._span = start_iteration, stop_iteration

    def train_dataloader(self) -> DataLoader[Batch]:
        """One long pass over the planned iterations; each item is this rank's Batch."""
        if self._span is None:
            raise RuntimeError("call plan() first")
        world, rank = (self.trainer.world_size, self.trainer.global_rank) if self.trainer is not None else (1, 0)
        if self.draw.batch_size % world:
            raise UserError(
                f"data.batch_size={self.draw.batch_size}: {world} devices cannot share it equally; "
                f"take a multiple of {world}, or change trainer.devices"
            )
        batches = Batches(self.arrays, self._train_rows, self.draw, rank, world)
        return DataLoader(
            batches,
            sampler=Iterations(*self._span),
            batch_size=None,
            num_workers=self.workers,
            pin_memory=self.trainer is not None and self.trainer.strategy.root_device.type == "cuda",
        )

    def examples(self, split: Split, count: int, seed: int = 0) -> Examples:
        """count pictures of a split (fewer where it has fewer), spread over its classes, each with one of its captions.

        The seed is not the run's: all runs look at the same examples.
        """
        rows = spread(self._rows(split), self.arrays.class_N, seed)[:count]
        captions = [chance.key(seed, "example caption", int(row)) % int(self.arrays.count_N[row]) for row in rows]
        margin = (self.arrays.pixels_NHWC.shape[1] - self.draw.resolution) // 2
        key_N = torch.from_numpy(rows)
        places, no_flip = torch.full((len(rows), 2), margin), torch.zeros(len(rows), dtype=torch.bool)
        real_NCHW = cut(self.arrays.pixels_NHWC, key_N, places, no_flip, self.draw.resolution)
        return Examples(
            real_NHWC=real_NCHW.permute(0, 2, 3, 1).numpy(),
            sentences=tuple(self.records[row].captions[c] for row, c in zip(rows, captions, strict=True)),
            text_NT=torch.from_numpy(self.arrays.text_NMT[rows, captions]),
            key_N=key_N,
        )

    def described(self, split: Split) -> Described:
        """All pictures of a split as image features, with all their captions. Raises UserError where the split has none."""
        rows = self._rows(split)
        arrays = self.arrays
        return Described(
            torch.from_numpy(arrays.features_NVF[rows, 0]), torch.from_numpy(arrays.text_NMT[rows]),
            torch.from_numpy(arrays.count_N[rows]), torch.from_numpy(arrays.class_N[rows]),
        )  # fmt: skip

    def _rows(self, split: Split) -> NDArray[np.int64]:
        rows = np.array([row for row, record in enumerate(self.records) if record.split == split], np.int64)
        if not len(rows):
            there = sorted({record.split for record in self.records})
            hint = "; data.validate=true makes it" if split == "validation" else ""
            raise UserError(f"data={self.name}: there is no picture in split {split}, only in {', '.join(there)}{hint}")
        return rows
