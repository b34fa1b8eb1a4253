"""mode=swap: one word changed, the noise kept."""

import re
from pathlib import Path
from typing import ClassVar

from stackgan.core.errors import UserError
from stackgan.core.ranges import Positive
from stackgan.draw.files import numbered, save_pictures
from stackgan.draw.mode import Mode, Request
from stackgan.draw.painter import Painter
from stackgan.draw.sentences import cleaned
from stackgan.draw.sheet import blocks
from stackgan.plots.sheet import sheet


class Swap(Mode):
    """A sheet for each sentence: it, then it with `old` replaced by each of `new`; down a column the noise is the same.

    old: a word or several, as they stand in every sentence. cell: side of a picture on the sheet, in pixels.
    """

    name: ClassVar[str] = "swap"

    def __init__(self, old: str, new: str | list[str], cell: Positive) -> None:
        self.old, self.cell = old, cell
        self.new = [new] if isinstance(new, str) else new

    def check(self, request: Request) -> None:
        """Also raise UserError where a sentence has no such word."""
        super().check(request)
        if not self.new:
            raise UserError("mode.new=[]: needs words to put in the place of mode.old; give mode.new=[blue,yellow]")
        for sentence in request.sentences:
            if not self._place.search(sentence):
                raise UserError(f"mode.old={self.old}: not a word of the sentence {sentence[:80]!r}; name one that is")

    @property
    def _place(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w){re.escape(cleaned(self.old))}(?!\w)")

    def sentences(self, request: Request) -> tuple[str, ...]:
        """With those that a changed word makes."""
        return tuple(variant for sentence in request.sentences for variant in self.variants(sentence))

    def variants(self, sentence: str) -> list[str]:
        """The sentence, then those it becomes."""
        # Backslashes in the new word are no references.
        words = [new.replace("\\", r"\\") for new in self.new]
        return [sentence, *(cleaned(self._place.sub(word, sentence)) for word in words)]

    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """swap.png, and single pictures."""
        for place, sentence in enumerate(request.sentences):
            drawings = painter.sample(self.variants(sentence), request.n, request.seed, True, request.weights)
            save_pictures(drawings, folder)
            title = f"{self.old} changed, noise kept: {painter.origin.caption(request.weights)}, seed {request.seed}"
            made = sheet(blocks(painter, drawings), drawings.sentences, title, self.cell)
            made.save(folder / f"{numbered('swap', place, request.sentences)}.png")
