"""From mapped arrays to the batch of an iteration: slices only, every choice keyed by (seed, stream, iteration)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.core.shapes import Batch
from stackgan.data.records import Record

_SIDED = re.compile(r"\b(left|right)", re.IGNORECASE)
"""In a caption: it says which way something is, which the mirrored picture would belie."""

Mismatched = Literal["image", "sentence", "roll", "none"]
"""The wrong pair's odd half: another class's picture or sentence; "roll": the sentence of the batch's next picture."""


@dataclass(frozen=True)
class Arrays:
    """What a data set is in training. Files are mapped on first use, in each process anew, so this travels cheaply.

    count_N: captions a picture. class_N: class ids. mirror_safe_NM: whether a caption may go with the mirrored picture.
    features: of the pictures and of the mirrored pictures, where something asks for them.
    """

    pictures: Path
    text: Path
    count_N: NDArray[np.int64]
    mirror_safe_NM: NDArray[np.bool_]
    class_N: NDArray[np.int64]
    features: Path | None = None

    # Plain arrays over the mapping: slicing np.memmap itself costs three times as much.
    @cached_property
    def pixels_NHWC(self) -> NDArray[np.uint8]:
        """uint8 pictures, larger than what is trained on by the margin of the random crop."""
        return np.asarray(np.load(self.pictures, mmap_mode="r"))

    @cached_property
    def text_NMT(self) -> NDArray[np.float32]:
        """Embeddings of every caption, zeros beyond a picture's last."""
        return np.asarray(np.load(self.text, mmap_mode="r"))

    @cached_property
    def features_NVF(self) -> NDArray[np.float32]:
        """An image encoder's features of each picture, as it is and mirrored."""
        if self.features is None:
            raise RuntimeError("no image encoder was asked for")
        return np.asarray(np.load(self.features, mmap_mode="r"))

    @classmethod
    def of(cls, records: Sequence[Record], pictures: Path, text: Path, features: Path | None = None) -> "Arrays":
        """The arrays of these records, in these files."""
        safe = np.ones((len(records), max(len(record.captions) for record in records)), np.bool_)
        for row, record in enumerate(records):
            safe[row, : len(record.captions)] = [not _SIDED.search(caption) for caption in record.captions]
        counts = np.array([len(record.captions) for record in records])
        return cls(pictures, text, counts, safe, np.array([record.class_id for record in records]), features)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("pixels_NHWC", "text_NMT", "features_NVF")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


@dataclass(frozen=True)
class Draw:
    """How a batch is drawn. batch_size: global. captions_averaged: distinct captions whose embeddings are averaged.

    distinct_classes: each batch holds pictures of batch_size different classes, classes being drawn alike however large they are.
    """

    resolution: int
    batch_size: int
    seed: int
    captions_averaged: int
    mismatched: Mismatched
    mirror: bool
    crop: bool
    distinct_classes: bool = False


def check_trainable(records: Sequence[Record], rows: NDArray[np.int64], draw: Draw, root: str) -> None:
    """Raise UserError where these training rows cannot make a batch."""
    if len(rows) < draw.batch_size:
        raise UserError(
            f"data.batch_size={draw.batch_size}: there are only {len(rows)} training pictures in data.root={root}; "
            "set stage.recipe.batch_size to at most that"
        )
    classes = len({records[row].class_id for row in rows})
    if draw.distinct_classes and classes < draw.batch_size:
        raise UserError(
            f"data.batch_size={draw.batch_size}: each picture of a batch is of another class, data.root={root} has {classes} train "
            "classes; set stage.recipe.batch_size to at most that"
        )
    if draw.mismatched in ("image", "sentence") and classes == 1:
        raise UserError(
            f"data.mismatched={draw.mismatched}: needs two train classes, data.root={root} has one; "
            "set stage.recipe.mismatched_pair=roll or none"
        )


class Batches(Dataset[Batch]):
    """Item i is this rank's share of global batch i.

    rows: positions of the training pictures. It has no length on purpose: a trainer that put its own distributed
    sampler in would train on the wrong iterations, and so fails at once instead.
    """

    def __init__(self, arrays: Arrays, rows: NDArray[np.int64], draw: Draw, rank: int, world: int) -> None:
        self.arrays, self.rows, self.draw, self.share = arrays, torch.from_numpy(rows), draw, slice(rank, None, world)
        self._order: tuple[int, Tensor] | None = None
        by_class = np.argsort(arrays.class_N[rows], kind="stable")
        self._by_class = self.rows[torch.from_numpy(by_class)]
        classes, starts, counts = np.unique(arrays.class_N[rows][by_class], return_index=True, return_counts=True)
        self._starts, self._counts = torch.from_numpy(starts), torch.from_numpy(counts)
        own = np.searchsorted(classes, arrays.class_N).clip(max=len(classes) - 1)
        self._first_N, self._own_N = torch.from_numpy(starts[own]), torch.from_numpy(counts[own])

    @property
    def per_epoch(self) -> int:
        """Full batches in a pass; what is left over is dropped."""
        return len(self.rows) // self.draw.batch_size

    def __getitem__(self, iteration: int) -> Batch:
        row_B = self._rows(iteration)
        chosen, text_BT = self._sentences(row_B, iteration, "caption")
        flip_B = torch.zeros(len(row_B), dtype=torch.bool)
        if self.draw.mirror:
            flip_B = (self._uniform("flip", iteration) < 0.5) & self._mirror_safe(row_B, chosen)
        partner_image = partner_text = None
        if self.draw.mismatched in ("image", "sentence"):
            partner_B = self._partners(row_B, iteration)
            if self.draw.mismatched == "image":
                mirrored = (self._uniform("partner flip", iteration) < 0.5) & torch.tensor(self.draw.mirror)
                partner_image = self._cut(partner_B, iteration, "partner crop", mirrored)
            else:
                partner_text = self._sentences(partner_B, iteration, "partner caption")[1]
        elif self.draw.mismatched == "roll":
            # The next picture of the global batch and its own sentence, whichever rank has it; the last one's is for nobody.
            partner_text = self._embedded(row_B.roll(-1), chosen.roll(-1, 0))
        real_BCHW = self._cut(row_B, iteration, "crop", flip_B)
        extras = {}
        if self.arrays.features is not None:
            view_B = flip_B[self.share].long()
            extras["features"] = torch.from_numpy(self.arrays.features_NVF[row_B[self.share].numpy(), view_B.numpy()])
        return Batch(iteration, real_BCHW, text_BT, row_B[self.share], partner_image, partner_text, extras)

    def _rows(self, iteration: int) -> Tensor:
        if self.draw.distinct_classes:
            return self._of_different_classes(iteration)
        epoch, place = divmod(iteration, self.per_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, chance.order(len(self.rows), self.draw.seed, epoch)
        size = self.draw.batch_size
        return self.rows[self._order[1][place * size : (place + 1) * size]]

    def _of_different_classes(self, iteration: int) -> Tensor:
        """batch_size classes without repetition, and a picture of each."""
        draw = chance.generator(self.draw.seed, "classes", iteration)
        class_B = torch.randperm(len(self._counts), generator=draw)[: self.draw.batch_size]
        place_B = (self._uniform("picture of class", iteration) * self._counts[class_B]).long()
        return self._by_class[self._starts[class_B] + place_B]

    def _uniform(self, stream: str, iteration: int, *width: int) -> Tensor:
        draw = chance.generator(self.draw.seed, stream, iteration)
        return torch.rand(self.draw.batch_size, *width, generator=draw, dtype=torch.float64)

    def _partners(self, row_B: Tensor, iteration: int) -> Tensor:
        """Uniform over the training pictures of all other classes: a number that steps over the own class's block."""
        others_B = len(self.rows) - self._own_N[row_B]
        place_B = (self._uniform("partner", iteration) * others_B).long()
        place_B += torch.where(place_B >= self._first_N[row_B], self._own_N[row_B], 0)
        return self._by_class[place_B]

    def _sentences(self, row_B: Tensor, iteration: int, stream: str) -> tuple[Tensor, Tensor]:
        """The chosen captions (global batch, k), -1 where a picture has fewer; this rank's mean embeddings (B, T)."""
        score = self._uniform(stream, iteration, self.arrays.mirror_safe_NM.shape[1])
        beyond = torch.arange(score.shape[1]) >= torch.from_numpy(self.arrays.count_N)[row_B].unsqueeze(1)
        value, chosen = score.masked_fill(beyond, 2.0).sort(dim=1)
        chosen = chosen.masked_fill(value == 2.0, -1)[:, : self.draw.captions_averaged]
        return chosen, self._embedded(row_B, chosen)

    def _embedded(self, row_B: Tensor, chosen: Tensor) -> Tensor:
        """This rank's mean embeddings (B, T) of the chosen captions."""
        mine = chosen[self.share]
        text_BKT = self.arrays.text_NMT[row_B[self.share].numpy()[:, None], mine.clamp(min=0).numpy()]
        weight_BK = (mine >= 0).float()
        return (torch.from_numpy(text_BKT) * weight_BK.unsqueeze(2)).sum(1) / weight_BK.sum(1, keepdim=True)

    def _mirror_safe(self, row_B: Tensor, chosen: Tensor) -> Tensor:
        safe = torch.from_numpy(self.arrays.mirror_safe_NM)[row_B.unsqueeze(1), chosen.clamp(min=0)]
        return (safe | (chosen < 0)).all(1)

    def _cut(self, row_B: Tensor, iteration: int, stream: str, flip_B: Tensor) -> Tensor:
        margin = self.arrays.pixels_NHWC.shape[1] - self.draw.resolution
        place_B2 = torch.full((len(row_B), 2), margin // 2)
        if self.draw.crop:
            place_B2 = (self._uniform(stream, iteration, 2) * (margin + 1)).long()
        return cut(self.arrays.pixels_NHWC, row_B[self.share], place_B2[self.share], flip_B[self.share], self.draw.resolution)


def cut(pixels_NHWC: NDArray[np.uint8], row_B: Tensor, place_B2: Tensor, flip_B: Tensor, size: int) -> Tensor:
    """uint8 (B, 3, size, size) in channels_last memory: each row's square at (top, left), mirrored where flip_B."""
    out = np.empty((len(row_B), size, size, 3), np.uint8)
    places = zip(row_B.tolist(), place_B2.tolist(), flip_B.tolist(), strict=True)
    for i, (row, (top, left), flip) in enumerate(places):
        square = pixels_NHWC[row, top : top + size, left : left + size]
        out[i] = square[:, ::-1] if flip else square
    return torch.from_numpy(out).permute(0, 3, 1, 2)


class Iterations(Sampler[int]):
    """The iteration numbers start..stop-1."""

    def __init__(self, start: int, stop: int) -> None:
        self.range = range(start, stop)

    def __iter__(self) -> Iterator[int]:
        return iter(self.range)

    def __len__(self) -> int:
        return len(self.range)
