"""What data sets with captions share: cache, splits, batches, examples. A data set's own file only reads its layout."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.core.shapes import Batch, Described, Examples, Gallery, ImageEncoder
from stackgan.data.arrays import Arrays
from stackgan.data.batches import Batches, Draw, Iterations, Mismatched, check_trainable
from stackgan.data.cache import CacheAs
from stackgan.data.fill import fill_missing, keep_bad
from stackgan.data.gallery import centre, gallery, placed
from stackgan.data.partners import check_partners
from stackgan.data.places import Places
from stackgan.data.published import OnProblem, Published
from stackgan.data.records import JudgedClasses, Region, Split
from stackgan.data.splits import spread
from stackgan.data.wanted import Wanted
from stackgan.data.workers import loader_processes
from stackgan.text.encoder import TextEncoder


def cached_size(resolution: int) -> int:
    """The side of the cached pictures for this resolution, as StackGAN has it: 76 for 64, 304 for 256."""
    return resolution * 76 // 64


class CaptionedPictures(Published):
    """Pictures with captions, cached once, served as keyed batches.

    name: as in `data=`. root: the published layout; cache: where arrays go (`paths.cache`), cache_as: see CacheAs. text: the
    encoder. region: see Region. resolution: of what is trained on; first_resolution: another size to cache in the same pass.
    batch_size: global. captions_averaged: see Draw. mismatched: the partner of a wrong pair. mirror, crop: random, else as is
    and centred. contrast_stretch: see decode.stretch. on_problem: see OnProblem. validate: see hold_out. distinct_classes: see
    Draw. image_encoder: whose features batches bring along, None for none. classes: a judge's, whose split and whose labels
    batches then have (see by_picture); None for everybody else.
    workers: processes of the loader, 0 for none. prepare_workers: threads that decode, 0 for one a core.
    Errors in data or settings are UserErrors, raised before anything is kept.
    """

    def __init__(
        self,
        *,
        name: str,
        root: str,
        cache: str,
        cache_as: CacheAs,
        text: TextEncoder,
        region: Region,
        resolution: Positive,
        first_resolution: Positive | None,
        batch_size: Positive,
        seed: int,
        captions_averaged: Positive,
        mismatched: Mismatched,
        mirror: bool,
        crop: bool,
        contrast_stretch: bool,
        on_problem: OnProblem,
        validate: bool,
        validation_classes: Positive,
        workers: Natural,
        prepare_workers: Natural,
        distinct_classes: bool = False,
        image_encoder: ImageEncoder | None = None,
        classes: JudgedClasses | None = None,
    ) -> None:
        super().__init__()
        self.name, self.root, self.text, self.workers = name, root, text, workers
        self.cache_root, self.cache_as, self.prepare_workers = Path(cache), cache_as, prepare_workers
        self.region, self.on_problem = region, on_problem
        self.draw = Draw(resolution, batch_size, seed, captions_averaged, mismatched, mirror, crop, distinct_classes)
        self.draw = replace(self.draw, labelled=classes is not None)
        self.image_encoder, self.classes = image_encoder, classes
        self.sizes = sorted({cached_size(r) for r in (resolution, first_resolution) if r is not None})
        self.contrast_stretch, self.validate, self.validation_classes = contrast_stretch, validate, validation_classes
        self._arrays: Arrays | None = None
        self._span: tuple[int, int] | None = None
        text.attach(self)

    @property
    def wanted(self) -> Wanted:
        """What the cache should hold."""
        located = any(record.box is not None or record.parts is not None for record in self.source.records)
        skip = self.on_problem == "skip"
        return Wanted(self.sizes, self.contrast_stretch, self.text, self.region, located, skip, self.image_encoder)

    def skipped(self) -> dict[int, str]:
        """See Published."""
        return self.wanted.skipped(self.cache)

    @property
    def text_dim(self) -> int:
        """Width of a sentence embedding."""
        return self.text.dim

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
        wanted = self.wanted
        if wanted.missing(self.cache):
            fill_missing(self.cache, Path(self.root), self.source, wanted, self.prepare_workers)
        keep_bad(Path(self.root), self.source.records, self.skipped(), wanted.skip)
        self._look_again()
        check_trainable(self.records, self._train_rows, self.draw, self.root)

    def setup(self, stage: str | None = None) -> None:
        """Know the arrays; prepare_data() must have run somewhere. stage: Lightning's, makes no difference."""
        self._look_again()
        size, cache = cached_size(self.draw.resolution), self.cache
        places = Places.of(self.records, self.source.part_names, np.load(cache.frames)) if self.wanted.located else None
        alike_N = np.load(cache.alike(size))
        features = cache.features(self.image_encoder) if self.image_encoder is not None else None
        arrays = Arrays.of(self.records, cache.pictures(size), cache.text(self.text), alike_N, places, features)
        if self.draw.mismatched in ("image", "sentence"):
            check_partners(arrays.partners(self._train_rows), self.records, self.draw.mismatched, self.root)
        self._arrays = arrays

    def _look_again(self) -> None:
        """Filling the cache may have found pictures that cannot be used."""
        for name in ("records", "_train_rows"):
            vars(self).pop(name, None)

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
            pin_memory=self.trainer is not None and self.trainer.strategy.root_device.type == "cuda",
            **loader_processes(self.workers),
        )

    def examples(self, split: Split, count: int, seed: int = 0) -> Examples:
        """count pictures of a split (fewer where it has fewer), spread over its classes, each with one of its captions.

        The seed is not the run's: all runs look at the same examples.
        """
        rows = spread(self._rows(split), self.arrays.class_N, seed)[:count]
        captions = [chance.key(seed, "example caption", int(row)) % int(self.arrays.count_N[row]) for row in rows]
        return Examples(
            real_NHWC=centre(self.arrays.pixels_NHWC, rows, self.draw.resolution),
            sentences=tuple(self.records[row].captions[c] for row, c in zip(rows, captions, strict=True)),
            text_NT=torch.from_numpy(self.arrays.text_NMT[rows, captions]),
            key_N=torch.from_numpy(rows),
            class_N=torch.from_numpy(self.arrays.class_N[rows]),
            extras=placed(self.arrays, rows, self.draw.resolution),
        )

    def gallery(self, split: Split) -> Gallery:
        """All pictures of a split, to be scored. Raises UserError where the split has none."""
        return gallery(split, self._rows(split), self.records, self.arrays, self.draw.resolution, self.fingerprint)

    def described(self, split: Split) -> Described:
        """All pictures of a split as image features, with all their captions. Raises UserError where the split has none."""
        rows, arrays = self._rows(split), self.arrays
        return Described(
            torch.from_numpy(arrays.features_NVF[rows, 0]), torch.from_numpy(arrays.text_NMT[rows]),
            torch.from_numpy(arrays.count_N[rows]), torch.from_numpy(arrays.class_N[rows]),
        )  # fmt: skip
