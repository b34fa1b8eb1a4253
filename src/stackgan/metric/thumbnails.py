"""Pictures made so small that many thousands can be kept and compared pixel by pixel."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from stackgan.core.fingerprint import fingerprint
from stackgan.metric.score import Array, Pixels

SIDE = 16


class Thumbnails:
    """Gives "thumbnail" (N, 16, 16, 3) uint8: each picture's area mean."""

    name = "thumbnails"
    gives: frozenset[str] = frozenset({"thumbnail"})

    @property
    def fingerprint(self) -> str:
        """Of size and way of shrinking."""
        return fingerprint(["thumbnail", SIDE, "box"])

    def check(self) -> None:
        """Pillow does it."""

    def observe(self, pictures_NHWC: Pixels, sentences: Sequence[str]) -> dict[str, Array]:
        """Shrink each picture; sentences are not looked at."""
        small = [Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX) for picture in pictures_NHWC]
        return {"thumbnail": np.array([np.asarray(one) for one in small], dtype=np.uint8).reshape(-1, SIDE, SIDE, 3)}
