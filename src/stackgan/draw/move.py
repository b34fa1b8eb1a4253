"""mode=move: the same sentence and noise, the place moved across the picture."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.core.ranges import Positive
from stackgan.draw.files import numbered
from stackgan.draw.mode import Mode, Request
from stackgan.draw.painter import Painter, Pixels
from stackgan.draw.sentences import keys
from stackgan.plots.sheet import sheet

YELLOW = (255, 214, 0)
DOT = 2
"""Half a side of the square that marks a part, in pixels."""


class Move(Mode):
    """A sheet for each sentence: down and across it the box, or all parts together, stands at steps x steps places.

    What is moved is `box`, or the parts with `parts` as they are given or completed; it keeps its size and stays inside the
    picture. One noise, so that n makes no difference. Beside each picture the place that was asked for is drawn into a copy.
    cell: side of a picture on the sheet, in pixels.
    """

    name: ClassVar[str] = "move"

    def __init__(self, steps: Positive, cell: Positive) -> None:
        self.steps, self.cell = steps, cell

    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """A sheet a sentence."""
        if painter.place is None:
            raise UserError(
                f"mode=move: stage={painter.origin.stage} is told no place; name a run of stage=gawwn_box or gawwn_parts"
            )
        starts = range(len(request.sentences))
        for number, sentence in enumerate(request.sentences):
            (key_1,) = keys([sentence], 1, request.seed, request.same_noise)
            extras = moved(dict(painter.place([sentence], key_1)), self.steps)
            count = self.steps**2
            drawn = [
                painter.sample(
                    sentence, 1, request.seed, request.same_noise, request.weights, {name: value[row : row + 1]}
                ).pixels_NKHWC[0, 0]
                for name, value in extras.items()
                for row in range(count)
            ]
            pixels = np.stack(drawn)
            rows = pixels.reshape(self.steps, self.steps, *pixels.shape[1:])
            asked = marked(pixels, extras).reshape(rows.shape)
            title = f"{painter.origin.caption(request.weights)}, seed {request.seed}: the place moves, sentence and noise stay"
            columns: list[tuple[str, Any]] = [("asked for", asked), ("drawn", rows)]
            made = sheet(columns, [sentence] * self.steps, title, self.cell)
            made.save(folder / f"{numbered('move', number, starts)}.png")


def moved(extras: dict[str, Tensor], steps: int) -> dict[str, Tensor]:
    """(steps * steps, ...): the box or the visible parts of one picture, at even distances from corner to corner."""
    share_S = torch.linspace(0, 1, steps) if steps > 1 else torch.tensor([0.5])
    share_N2 = torch.cartesian_prod(share_S, share_S).flip(1)
    if "box" in extras:
        size_2 = extras["box"][0, 2:]
        return {"box": torch.cat([share_N2 * (1 - size_2), size_2.expand(len(share_N2), 2)], 1)}
    parts_P3 = extras["parts"][0]
    seen_P1 = parts_P3[:, 2:] > 0
    at_P2 = parts_P3[:, :2]
    low_2 = torch.where(seen_P1, at_P2, 1.0).amin(0)
    high_2 = torch.where(seen_P1, at_P2, 0.0).amax(0)
    # A hair below 1, which lies outside the picture.
    shift_N2 = share_N2 * (0.999 - (high_2 - low_2)).clamp(min=0) - low_2
    at_NP2 = torch.where(seen_P1, (at_P2 + shift_N2[:, None]).clamp(0, 0.999), 0.0)
    return {"parts": torch.cat([at_NP2, parts_P3[:, 2:].expand(len(share_N2), -1, 1)], 2)}


def marked(pixels_NHWC: Pixels, extras: dict[str, Tensor]) -> Pixels:
    """The pictures with the box's edge, or a dot at each visible part, in yellow."""
    found = pixels_NHWC.copy()
    side = found.shape[1]
    if "box" in extras:
        for picture_HWC, box_4 in zip(found, extras["box"], strict=True):
            left, top = (int(value) for value in (box_4[:2] * side).round())
            right, bottom = (min(side - 1, int(value)) for value in ((box_4[:2] + box_4[2:]) * side).round())
            picture_HWC[[top, bottom], left : right + 1] = YELLOW
            picture_HWC[top : bottom + 1, [left, right]] = YELLOW
        return found
    for picture_HWC, parts_P3 in zip(found, extras["parts"], strict=True):
        for x, y, seen in parts_P3.tolist():
            column, row = int(x * side), int(y * side)
            if seen:
                picture_HWC[max(0, row - DOT) : row + DOT, max(0, column - DOT) : column + DOT] = YELLOW
    return found
