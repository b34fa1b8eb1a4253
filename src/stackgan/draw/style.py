"""mode=style: sentences drawn in the style of pictures, by a style encoder (Reed et al. 2016, section 5.5)."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from PIL import Image

from stackgan.core.ranges import Positive
from stackgan.draw.mode import Mode, Request
from stackgan.draw.painter import Painter, Pixels
from stackgan.draw.sentences import keys, name
from stackgan.plots.sheet import sheet


class Style(Mode):
    """A sheet that crosses pictures and sentences: pictures on top, below each every sentence in its style; each also as a file.

    The noise is the picture's, so that n and same_noise make no difference. cell: side of a picture on the sheet, in pixels.
    """

    name: ClassVar[str] = "style"
    least_images: ClassVar[int] = 1

    def __init__(self, cell: Positive) -> None:
        self.cell = cell

    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """style.png, and pictures/<sentence's hash>-<seed>-<picture's place>.png."""
        assert request.pixels_NHWC is not None
        drawn_NKHWC = in_style(painter, request, request.sentences)
        save_crossed(drawn_NKHWC, request.sentences, request.seed, folder / "pictures")
        columns = []
        for place, image in enumerate(request.images):
            below = np.concatenate([request.pixels_NHWC[place, None], drawn_NKHWC[:, place]])
            columns.append((image.name, below))
        rows = ["the picture whose style is taken", *request.sentences]
        title = f"in the style of pictures: {painter.origin.caption(request.weights)}, seed {request.seed}"
        sheet(columns, rows, title, self.cell).save(folder / "style.png")


def in_style(painter: Painter, request: Request, sentences: tuple[str, ...]) -> Pixels:
    """Each of N sentences in the style of each of the request's K pictures: uint8 (N, K, H, W, 3)."""
    assert request.pixels_NHWC is not None
    style_KZ, count = painter.invert(request.pixels_NHWC), len(request.pixels_NHWC)
    # Whatever else is drawn by chance (an epsilon) is one for all, so that sentence and style alone make the difference.
    key_N1 = keys(sentences, 1, request.seed, same_noise=True)
    text_NT = painter.embed(sentences)
    pairs_B = torch.arange(len(sentences)).repeat_interleave(count)
    style_BZ = style_KZ.repeat(len(sentences), 1)
    drawn_BHWC, _ = painter.draw(text_NT[pairs_B], key_N1[pairs_B, 0], request.weights, extras={"noise": style_BZ})
    return drawn_BHWC.reshape(len(sentences), count, *drawn_BHWC.shape[1:])


def save_crossed(pixels_NKHWC: Pixels, sentences: tuple[str, ...], seed: int, folder: Path) -> None:
    """A PNG a picture, named by its sentence, the seed, and the place of what it was crossed with."""
    folder.mkdir()
    for sentence, pixels_KHWC in zip(sentences, pixels_NKHWC, strict=True):
        for place, pixels_HWC in enumerate(pixels_KHWC):
            Image.fromarray(pixels_HWC).save(folder / f"{name(sentence, seed, place)}.png")
