"""Where things land on the canvas (Pose), and a canvas that takes polygons in those places (Easel)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from stackgan.toybirds import shapes
from stackgan.toybirds.palette import RGB
from stackgan.toybirds.scene import Scene
from stackgan.toybirds.shapes import Affine, Points, after, turning

FULL = 512
"""the canvas is FULL x FULL pixels"""
_UNIT = {"small": 117.0, "medium": 128.5, "large": 140.0}


@dataclass(frozen=True)
class Pose:
    """Maps from the bird's own coordinates to the canvas: scaled, tilted, mirrored when it faces left, shifted."""

    unit: float
    """half a body's length in canvas pixels"""
    ground: Affine
    """without the tilt: what the bird stands on stays level"""
    body: Affine
    head: Affine
    neck: tuple[Affine, ...]
    """one for each disc of the neck, from the body's map to the head's"""

    @classmethod
    def of(cls, scene: Scene) -> Pose:
        """The pose scene asks for."""
        unit, mirror = _UNIT[scene.size], 1.0 if scene.facing == "right" else -1.0
        # The silhouette with beak and tail, not the body, sits in the middle: crops keep both ends.
        x = FULL / 2 + 0.04 * unit * mirror + scene.shift_x * FULL / 1000
        y = FULL / 2 + 0.02 * unit + scene.shift_y * FULL / 1000
        ground = (mirror * unit, 0.0, x, 0.0, unit, y)
        body = after(ground, turning(-scene.tilt / 10))
        last = len(shapes.NECK_DISCS) - 1
        neck = tuple(after(body, turning(-scene.head / 10 * place / last, shapes.NECK)) for place in range(last + 1))
        return cls(unit, ground, body, neck[-1], neck)


class Easel:
    """A canvas that remembers how far the bird reaches. All points are canvas pixels.

    low, high: the corners (2,) of what was seen, possibly beyond the edge.
    """

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self.draw = ImageDraw.Draw(image)
        self.low = np.full(2, float(FULL))
        self.high = np.zeros(2)

    def seen(self, points: Points, margin: float = 0.0) -> None:
        """Count points (N, 2), and margin around each, as part of the bird."""
        self.low = np.minimum(self.low, points.min(0) - margin)
        self.high = np.maximum(self.high, points.max(0) + margin)

    def fill(self, outline: Points, colour: RGB) -> None:
        """A filled polygon, outline (N, 2)."""
        self.draw.polygon(outline.ravel().tolist(), fill=colour)

    def strokes(self, lines: Points, colour: RGB, width: float) -> None:
        """Lines (N, K, 2), each through K points, about width wide."""
        for line in lines.reshape(len(lines), lines.shape[1] * 2).tolist():
            self.draw.line(line, fill=colour, width=max(1, round(width)), joint="curve")

    def oval(self, centre: Points, radius: tuple[float, float], colour: RGB) -> None:
        """A filled ellipse around centre (2,)."""
        (x, y), (across, down) = centre.tolist(), radius
        self.draw.ellipse((x - across, y - down, x + across, y + down), fill=colour)

    def disc(self, centre: Points, radius: float, colour: RGB) -> None:
        """A filled circle around centre (2,)."""
        self.oval(centre, (radius, radius), colour)
