"""Scene -> picture, box and part locations.

Drawn at twice the size and averaged down, so edges are smooth and a smaller picture is its exact area mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from stackgan.toybirds.easel import FULL, Pose
from stackgan.toybirds.painter import paint
from stackgan.toybirds.scene import Scene
from stackgan.toybirds.shapes import HEAD_LANDMARKS, LANDMARKS, moved

PARTS: tuple[str, ...] = (
    "back", "beak", "belly", "breast", "crown", "forehead", "left eye", "left leg", "left wing",
    "nape", "right eye", "right leg", "right wing", "tail", "throat",
)  # fmt: skip
"""CUB's order; CUB's part id is the place in this tuple plus 1"""

Image8 = NDArray[np.uint8]


@dataclass(frozen=True)
class Rendering:
    """A drawn scene.

    image: (size, size, 3) uint8. box: x, y, width, height in pixels. parts: (15, 3) x, y in pixels and visible 0 or 1
    (x = y = 0 when not).
    """

    image: Image8
    box: tuple[float, float, float, float]
    parts: NDArray[np.float64]


def _parts(scene: Scene, pose: Pose, size: int) -> NDArray[np.float64]:
    # A bird facing right shows its right side to us.
    near = scene.facing
    rows = np.zeros((len(PARTS), 3))
    for row, part in enumerate(PARTS):
        side, _, paired = part.partition(" ")
        name = paired or part
        if paired and side != near:
            continue
        x, y = moved(np.array(LANDMARKS[name]), pose.head if name in HEAD_LANDMARKS else pose.body) * size / FULL
        if 0 <= x < size and 0 <= y < size:
            rows[row] = x, y, 1
    return rows


def render(scene: Scene, size: int = 256) -> Rendering:
    """Draw scene at size x size pixels, 16..256; below 256 it is the box (area) mean of the 256 px picture.

    ValueError for other sizes.
    """
    if not 16 <= size <= 256:
        raise ValueError(f"size={size}: toybirds are drawn at 16..256 pixels")
    pose = Pose.of(scene)
    easel = paint(scene, pose)
    picture = easel.image.reduce(FULL // 256)
    if size != 256:
        picture = picture.resize((size, size), Image.Resampling.BOX)
    low, high = (np.clip(corner * size / FULL, 0, size) for corner in (easel.low, easel.high))
    box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return Rendering(np.asarray(picture), box, _parts(scene, pose, size))
