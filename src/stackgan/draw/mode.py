"""What every mode of sample.py promises, and what it is asked."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from stackgan.core.errors import UserError
from stackgan.core.shapes import Weights
from stackgan.draw.painter import Painter, Pixels


@dataclass(frozen=True)
class Request:
    """The settings of sample.yaml that modes share. sentences: cleaned. n: noises a sentence. seed: of the noise.

    images: picture files. pixels_NHWC: the same, once the generator is there: uint8, each as the generator would draw it.
    """

    sentences: tuple[str, ...]
    n: int
    seed: int
    same_noise: bool
    weights: Weights
    images: tuple[Path, ...] = ()
    pixels_NHWC: Pixels | None = None


class Mode(ABC):
    """One way of using a generator: a class here, and a file in conf/sample/mode that names it.

    name: of the folder it fills. least_sentences, least_n, least_images: how many it needs; a mode that needs none reads none.
    """

    name: ClassVar[str]
    least_sentences: ClassVar[int] = 1
    least_n: ClassVar[int] = 1
    least_images: ClassVar[int] = 0

    def check(self, request: Request) -> None:
        """Raise UserError, before anything is loaded, for a request that cannot be met."""
        if len(request.sentences) < self.least_sentences:
            needs = "a sentence" if self.least_sentences == 1 else f"{self.least_sentences} sentences"
            words = ",".join(['"a red bird"', '"a blue bird"'][: self.least_sentences])
            given = f"[{words}]" if self.least_sentences > 1 else words
            raise UserError(f"mode={self.name}: needs {needs}; give 'text={given}', or file=<a text file with one a line>")
        if request.n < self.least_n:
            raise UserError(f"n={request.n}: mode={self.name} compares noises; set n={self.least_n} or more")
        if len(request.images) < self.least_images:
            raise UserError(f"mode={self.name}: needs a picture; give image=<a file>, several as [...], or a folder of them")
        if request.images and not self.least_images:
            raise UserError(f"image={request.images[0]}: mode={self.name} reads no picture; set mode=style, or drop it")

    def sentences(self, request: Request) -> tuple[str, ...]:
        """All sentences that are drawn, where a mode makes some of its own."""
        return request.sentences

    @abstractmethod
    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """Write files into an empty folder, which then appears whole."""


class Comparison(Mode):
    """A mode that sets several systems (`runs=[...]`) side by side."""

    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """One system alone."""
        self.compare([painter], request, folder)

    @abstractmethod
    def compare(self, painters: Sequence[Painter], request: Request, folder: Path) -> None:
        """Write files into an empty folder, which then appears whole."""
