"""From mapped arrays to the batch of an iteration: slices only, every choice keyed by (seed, stream, iteration)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.core.shapes import Batch
from stackgan.data.arrays import Arrays
from stackgan.data.classwise import Classwise
from stackgan.data.records import Record

Mismatched = Literal["image", "sentence", "roll", "none"]
"""The wrong pair's odd half: another class's picture or sentence; "roll": the sentence of the batch's next picture."""


@dataclass(frozen=True)
class Draw:
    """How a batch is drawn. batch_size: global. captions_averaged: distinct captions whose embeddings are averaged.

    distinct_classes: each batch holds pictures of batch_size different classes, classes being drawn alike however large they are.
    labelled: batches say the class of each picture.
    """

    resolution: int
    batch_size: int
    seed: int
    captions_averaged: int
    mismatched: Mismatched
    mirror: bool
    crop: bool
    distinct_classes: bool = False
    labelled: bool = False


def check_trainable(records: Sequence[Record], rows: NDArray[np.int64], draw: Draw, root: str) -> None:
    """Raise UserError where these training rows cannot make a batch."""
    if len(rows) < draw.batch_size:
        raise UserError(
            f"data.batch_size={draw.batch_size}: there are only {len(rows)} training pictures in data.root={root}; "
            "set stage.recipe.batch_size to at most that"
        )
    classes = {records[row].class_id for row in rows}
    if draw.distinct_classes and len(classes) < draw.batch_size:
        needs = f"each picture of a batch is of another class, data.root={root} has {len(classes)} train classes"
        raise UserError(f"data.batch_size={draw.batch_size}: {needs}; set stage.recipe.batch_size to at most that")
    if draw.mismatched in ("image", "sentence") and len(classes) == 1 and None not in classes:
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
        self.partners, self.classwise = arrays.partners(rows), Classwise(rows, arrays.class_N)

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
            partner_B = self.partners.draw(row_B, lambda stream: self._uniform(stream, iteration))
            if self.draw.mismatched == "image":
                mirrored_B = (self._uniform("partner flip", iteration) < 0.5) & torch.tensor(self.draw.mirror)
                partner_image = self._cut(partner_B, self._crops("partner crop", iteration), mirrored_B)
            else:
                partner_text = self._sentences(partner_B, iteration, "partner caption")[1]
        elif self.draw.mismatched == "roll":
            # The next picture of the global batch and its own sentence, whichever rank has it; the last one's is for nobody.
            partner_text = self._embedded(row_B.roll(-1), chosen.roll(-1, 0))
        place_B2 = self._crops("crop", iteration)
        real_BCHW, extras = self._cut(row_B, place_B2, flip_B), self._placed(row_B, place_B2, flip_B)
        if self.arrays.features is not None:
            views = self.arrays.features_NVF[row_B[self.share].numpy(), flip_B[self.share].long().numpy()]
            extras["features"] = torch.from_numpy(views)
        if self.draw.labelled:
            extras["class"] = torch.from_numpy(self.arrays.class_N[row_B[self.share].numpy()])
        return Batch(iteration, real_BCHW, text_BT, row_B[self.share], partner_image, partner_text, extras)

    def _rows(self, iteration: int) -> Tensor:
        if self.draw.distinct_classes:
            of_class = chance.generator(self.draw.seed, "classes", iteration)
            return self.classwise.draw(self.draw.batch_size, of_class, self._uniform("picture of class", iteration))
        epoch, place = divmod(iteration, self.per_epoch)
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, chance.order(len(self.rows), self.draw.seed, epoch)
        size = self.draw.batch_size
        return self.rows[self._order[1][place * size : (place + 1) * size]]

    def _uniform(self, stream: str, iteration: int, *width: int) -> Tensor:
        draw = chance.generator(self.draw.seed, stream, iteration)
        return torch.rand(self.draw.batch_size, *width, generator=draw, dtype=torch.float64)

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

    def _crops(self, stream: str, iteration: int) -> Tensor:
        """Top and left of each picture's square within the cached one, (global batch, 2)."""
        margin = int(self.arrays.pixels_NHWC.shape[1]) - self.draw.resolution
        if not self.draw.crop:
            return torch.full((self.draw.batch_size, 2), margin // 2)
        return (self._uniform(stream, iteration, 2) * (margin + 1)).long()

    def _cut(self, row_B: Tensor, place_B2: Tensor, flip_B: Tensor) -> Tensor:
        mine = self.share
        return cut(self.arrays.pixels_NHWC, row_B[mine], place_B2[mine], flip_B[mine], self.draw.resolution)

    def _placed(self, row_B: Tensor, place_B2: Tensor, flip_B: Tensor) -> dict[str, Tensor]:
        """Boxes and parts on this rank's squares."""
        places, mine = self.arrays.places, self.share
        if places is None:
            return {}
        cached = self.arrays.pixels_NHWC.shape[1]
        return places.cut(row_B[mine], place_B2[mine], flip_B[mine], cached, self.draw.resolution)


def cut(pixels_NHWC: Any, row_B: Tensor, place_B2: Tensor, flip_B: Tensor, size: int) -> Tensor:
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
