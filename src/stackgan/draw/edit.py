"""mode=edit: a picture's style kept, its sentence changed."""

from pathlib import Path
from typing import ClassVar

from stackgan.core.errors import UserError
from stackgan.core.ranges import Positive
from stackgan.draw.files import numbered
from stackgan.draw.mode import Mode, Request
from stackgan.draw.painter import Painter
from stackgan.draw.sentences import cleaned
from stackgan.draw.style import in_style, save_crossed
from stackgan.plots.sheet import sheet


class Edit(Mode):
    """For each picture a sheet: it, `old` drawn in its style, and each new sentence drawn in its style, with the same chance.

    old: the sentence that describes the pictures as they are. cell: side of a picture on the sheet, in pixels.
    """

    name: ClassVar[str] = "edit"
    least_images: ClassVar[int] = 1

    def __init__(self, old: str, cell: Positive) -> None:
        self.old, self.cell = old, cell

    def check(self, request: Request) -> None:
        """Also raise UserError for an empty old sentence."""
        super().check(request)
        if not self.old.split():
            raise UserError("mode.old: an empty sentence; give the one that describes the pictures, as 'mode.old=\"a red bird\"'")

    def sentences(self, request: Request) -> tuple[str, ...]:
        """The old one first."""
        old = cleaned(self.old)
        return (old, *(sentence for sentence in request.sentences if sentence != old))

    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """edit.png, and pictures/<sentence's hash>-<seed>-<picture's place>.png."""
        assert request.pixels_NHWC is not None
        sentences = self.sentences(request)
        drawn_NKHWC = in_style(painter, request, sentences)
        save_crossed(drawn_NKHWC, sentences, request.seed, folder / "pictures")
        for place, image in enumerate(request.images):
            rows = len(sentences)
            columns = [
                (f"{image.name}, as it is", request.pixels_NHWC[place, None].repeat(rows, 0)),
                (f"in its style: {sentences[0]}", drawn_NKHWC[:1, place].repeat(rows, 0)),
                ("in its style: the sentence of the row", drawn_NKHWC[:, place]),
            ]
            title = f"sentence changed, style kept: {painter.origin.caption(request.weights)}, seed {request.seed}"
            sheet(columns, sentences, title, self.cell).save(folder / f"{numbered('edit', place, request.images)}.png")
