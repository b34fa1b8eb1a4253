"""mode=interpolate: from one sentence to the next through the embeddings between them, the noise kept."""

from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import torch

from stackgan.core.ranges import Positive, PositiveFloat
from stackgan.draw.files import save_film
from stackgan.draw.mode import Mode, Request
from stackgan.draw.painter import Painter
from stackgan.draw.sentences import keys
from stackgan.plots.sheet import sheet


class Interpolate(Mode):
    """A strip for each of n noises, and a film of all. Between two sentences lie `steps` - 1 mixed embeddings, at even distances.

    seconds: of a frame of the film. cell: side of a picture of the strip, in pixels.
    """

    name: ClassVar[str] = "interpolate"
    least_sentences: ClassVar[int] = 2

    def __init__(self, steps: Positive, seconds: PositiveFloat, cell: Positive) -> None:
        self.steps, self.seconds, self.cell = steps, seconds, cell

    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """interpolate.png and interpolate.gif."""
        text_NT = painter.embed(request.sentences)
        share_F1 = torch.arange(self.steps)[:, None] / self.steps
        ways = [a + share_F1 * (b - a) for a, b in pairwise(text_NT)]
        text_FT = torch.cat([*ways, text_NT[-1:]])
        (key_K,) = keys(request.sentences[:1], request.n, request.seed, same_noise=True)
        strips = [painter.draw(text_FT, key.expand(len(text_FT)), request.weights)[0] for key in key_K]
        path_KFHWC = torch.stack([torch.from_numpy(strip) for strip in strips]).numpy()
        words = " → ".join(request.sentences)
        title = f"between sentences: {painter.origin.caption(request.weights)}, seed {request.seed}"
        made = sheet([("each row keeps its noise", path_KFHWC)], [words] * request.n, title, self.cell)
        made.save(folder / "interpolate.png")
        save_film(folder / "interpolate.gif", path_KFHWC.swapaxes(0, 1), self.seconds)
