"""mode=chart: how much the picture changes with the sentence, and how much with the noise."""

from pathlib import Path
from typing import ClassVar

import torch

from stackgan.core import atomic
from stackgan.core.pixels import to_unit_range
from stackgan.core.ranges import Positive
from stackgan.core.spread import spread
from stackgan.draw.mode import Mode, Request
from stackgan.draw.painter import Painter, Pixels
from stackgan.draw.sheet import blocks
from stackgan.plots.sheet import sheet


class Chart(Mode):
    """A matrix, sentences down and the same n noises across, and two numbers for each stage, those that training records.

    diversity/across: only the sentence changes; near 0 the text is ignored. diversity/within: only the noise changes; near 0 the
    generator has collapsed to a picture a sentence. Both as core.spread has them. cell: side of a picture, in pixels.
    """

    name: ClassVar[str] = "chart"
    least_sentences: ClassVar[int] = 2
    least_n: ClassVar[int] = 2

    def __init__(self, cell: Positive) -> None:
        self.cell = cell

    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """chart.png and chart.json."""
        drawings = painter.sample(request.sentences, request.n, request.seed, True, request.weights)
        columns = blocks(painter, drawings)
        numbers = {caption: diversity(pixels_NKHWC) for caption, pixels_NKHWC in columns}
        words = "{}: {:.3f} when the sentence changes, {:.3f} when the noise does"
        captions = [words.format(caption, *found.values()) for caption, found in numbers.items()]
        shown = [(caption, pixels_NKHWC) for caption, (_, pixels_NKHWC) in zip(captions, columns, strict=True)]
        title = f"sentence against noise: {painter.origin.caption(request.weights)}, seed {request.seed}"
        note = "Numbers: root mean square over pixels in [-1, 1] of the distance from the column's, or row's, mean."
        sheet(shown, drawings.sentences, title, self.cell, note).save(folder / "chart.png")
        atomic.write_json(folder / "chart.json", numbers)


def diversity(pixels_NKHWC: Pixels) -> dict[str, float]:
    """Both numbers of N sentences drawn with the same K noises."""
    x_NKHWC = to_unit_range(torch.from_numpy(pixels_NKHWC))
    return {"diversity/across": round(spread(x_NKHWC, 0), 4), "diversity/within": round(spread(x_NKHWC, 1), 4)}
