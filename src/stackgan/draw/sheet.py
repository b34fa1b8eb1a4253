"""mode=sheet: sentences beside their pictures, Stage-I and Stage-II side by side, and each picture as a file."""

from pathlib import Path
from typing import ClassVar

from stackgan.core.ranges import Positive
from stackgan.draw.files import numbered, save_pictures
from stackgan.draw.mode import Mode, Request
from stackgan.draw.painter import Drawings, Painter, Pixels
from stackgan.plots.sheet import sheet


class Sheet(Mode):
    """Pages of `rows` sentences, of each the first `columns` pictures; all pictures as files, named by sentence, seed and index.

    cell: side of a picture on a page, in pixels.
    """

    name: ClassVar[str] = "sheet"

    def __init__(self, rows: Positive, columns: Positive, cell: Positive) -> None:
        self.rows, self.columns, self.cell = rows, columns, cell

    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """A page at a time, so that memory does not grow with the number of sentences."""
        starts = range(0, len(request.sentences), self.rows)
        for page, start in enumerate(starts):
            sentences = request.sentences[start : start + self.rows]
            drawings = painter.sample(sentences, request.n, request.seed, request.same_noise, request.weights)
            save_pictures(drawings, folder)
            title = f"{painter.origin.caption(request.weights)}, seed {request.seed}"
            more = (
                f"{request.n - self.columns} more pictures of each sentence are in pictures/." if request.n > self.columns else ""
            )
            made = sheet(blocks(painter, drawings, self.columns), sentences, title, self.cell, more)
            made.save(folder / f"{numbered('sheet', page, starts)}.png")


def blocks(painter: Painter, drawings: Drawings, most: int | None = None) -> list[tuple[str, Pixels]]:
    """Columns of a sheet: the Stage-I pictures where there are any, then the pictures themselves."""
    found = [(f"{painter.origin.stage} {painter.resolution} px", drawings.pixels_NKHWC[:, :most])]
    if drawings.first_NKHWC is not None:
        found.insert(0, (f"Stage-I {drawings.first_NKHWC.shape[-2]} px", drawings.first_NKHWC[:, :most]))
    return found
