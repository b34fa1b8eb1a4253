"""mode=versus: the same sentences and noise, every system side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from stackgan.core.ranges import Positive
from stackgan.draw.files import save_pictures
from stackgan.draw.mode import Comparison, Request
from stackgan.draw.painter import Painter
from stackgan.plots.sheet import sheet


class Versus(Comparison):
    """A sheet: a row a sentence, a column of n pictures a system, each with its own encoder, resolution and noise width.

    A picture's noise is keyed by sentence, seed and index alone: systems that read equally many numbers read the same ones. Every
    picture is also a file, in a folder for each system. cell: side of a picture on the sheet, in pixels.
    """

    name: ClassVar[str] = "versus"

    def __init__(self, cell: Positive) -> None:
        self.cell = cell

    def compare(self, painters: Sequence[Painter], request: Request, folder: Path) -> None:
        """versus.png, and <number>-<stage>/pictures/."""
        columns = []
        for number, painter in enumerate(painters, start=1):
            drawings = painter.sample(request.sentences, request.n, request.seed, request.same_noise, request.weights)
            place = folder / f"{number}-{painter.origin.stage}"
            place.mkdir()
            save_pictures(drawings, place)
            caption = f"{number}. {painter.origin.caption(request.weights)}, {painter.resolution} px"
            columns.append((caption, drawings.pixels_NKHWC))
        title = f"one sentence, {len(painters)} systems: seed {request.seed}"
        sheet(columns, request.sentences, title, self.cell).save(folder / "versus.png")
