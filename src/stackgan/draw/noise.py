"""mode=noise: one sentence, many noises, and the way from each to the next."""

from pathlib import Path
from typing import ClassVar

import torch

from stackgan.core.ranges import Positive, PositiveFloat
from stackgan.core.shapes import Walk
from stackgan.draw.files import numbered, save_film
from stackgan.draw.mode import Mode, Request
from stackgan.draw.painter import Painter
from stackgan.draw.sentences import keys
from stackgan.plots.sheet import contact_sheet, sheet


class Noise(Mode):
    """For each sentence a grid of n noises, and a walk through them: a strip for each stretch, and a film of all.

    Between two noises lie `steps` - 1 others on the great circle, again N(0, 1) each (core.chance.between). seconds: of a frame of
    the film. cell: side of a picture on grid and strip, in pixels.
    """

    name: ClassVar[str] = "noise"
    least_n: ClassVar[int] = 2

    def __init__(self, steps: Positive, seconds: PositiveFloat, cell: Positive) -> None:
        self.steps, self.seconds, self.cell = steps, seconds, cell

    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """noise-grid.png, noise-walk.png and noise-walk.gif; the walk returns to the first noise."""
        caption = f"{painter.origin.caption(request.weights)}, seed {request.seed}"
        key_NK = keys(request.sentences, request.n, request.seed, request.same_noise)
        text_NT = painter.embed(request.sentences)
        for place, sentence in enumerate(request.sentences):
            key_K = key_NK[place]
            here_B, there_B = (way.repeat_interleave(self.steps) for way in (key_K, key_K.roll(-1)))
            share_B = (torch.arange(self.steps) / self.steps).repeat(request.n)
            text_BT = text_NT[place].expand(len(here_B), -1)
            pixels_BHWC, _ = painter.draw(text_BT, here_B, request.weights, Walk(there_B, share_B))
            stretch_KFHWC = pixels_BHWC.reshape(request.n, self.steps, *pixels_BHWC.shape[1:])
            indices = [f"noise {index}" for index in range(request.n)]
            grid = contact_sheet(stretch_KFHWC[:, 0], indices, sentence, self.cell)
            grid.save(folder / f"{numbered('noise-grid', place, request.sentences)}.png")
            rows = [f"{sentence} (noise {index} to {(index + 1) % request.n})" for index in range(request.n)]
            walk = sheet([("towards the next noise", stretch_KFHWC)], rows, f"between noises: {caption}", self.cell)
            stem = numbered("noise-walk", place, request.sentences)
            walk.save(folder / f"{stem}.png")
            save_film(folder / f"{stem}.gif", pixels_BHWC[:, None], self.seconds)
