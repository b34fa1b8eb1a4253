"""What the program that reads toybirds back finds in pictures, as codes; and what sentences say, in the same codes."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from stackgan import toybirds
from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.core.ranges import PositiveFloat
from stackgan.metric.score import Array, Pixels

ATTRIBUTES: tuple[str, ...] = tuple(toybirds.ATTRIBUTES)
"""The columns of "reading"."""

UNREADABLE, TOO_COARSE = -1, -2
CROPPED = 76 / 64

Codes = NDArray[np.int8]


def codes(found: Mapping[str, str | None]) -> list[int]:
    """A code for each of ATTRIBUTES: the value's place in toybirds.ATTRIBUTES, or -1 where there is none."""
    values = ((toybirds.ATTRIBUTES[name], found.get(name)) for name in ATTRIBUTES)
    return [UNREADABLE if value is None else options.index(value) for options, value in values]


def said(sentences: Sequence[str]) -> Codes:
    """What sentences mention: (N, A) codes, -1 for what they do not."""
    rows = [codes(toybirds.parse(sentence)) for sentence in sentences]
    return np.array(rows, dtype=np.int8).reshape(len(rows), len(ATTRIBUTES))


class ToybirdsReader:
    """Gives "reading" (N, A) int8: for each of ATTRIBUTES the value's place in toybirds.ATTRIBUTES.

    -1: this picture does not show it clearly. -2: no picture of this size does. Also "box" (N, 4) float32: x, y, width and height,
    all 0 where there is no bird, and "part" (N, 15, 3) float32: x, y and 1 where it is known, in the order of toybirds.PARTS;
    x and width in shares of the picture's width, y and height of its height. Each picture is read at its own size.
    zoom: how much larger than drawn the birds are, 76 / 64 in training crops, 1 in whole pictures.
    """

    name = "toybirds"
    gives: frozenset[str] = frozenset({"reading", "box", "part"})

    def __init__(self, zoom: PositiveFloat = CROPPED) -> None:
        self.zoom = zoom

    @property
    def fingerprint(self) -> str:
        """Of the reading program's version and the zoom."""
        return fingerprint(["toybirds", toybirds.READER_VERSION, self.zoom])

    def check(self) -> None:
        """The program needs nothing."""

    def observe(self, pictures_NHWC: Pixels, sentences: Sequence[str]) -> dict[str, Array]:
        """Read every picture; sentences are not looked at. Raises UserError for pictures of fewer than 32 pixels a side."""
        height, width = pictures_NHWC.shape[1:3]
        if min(height, width) < toybirds.SMALLEST:
            raise UserError(
                f"pictures of {min(height, width)} px: toybirds are read from {toybirds.SMALLEST} px on; draw larger ones"
            )
        found = [toybirds.read(picture, self.zoom) for picture in pictures_NHWC]
        reading_NA = np.array([codes(one.attributes) for one in found], dtype=np.int8).reshape(-1, len(ATTRIBUTES))
        reading_NA[:, [name not in toybirds.readable(min(height, width)) for name in ATTRIBUTES]] = TOO_COARSE
        box_N4 = np.array([one.box or (0, 0, 0, 0) for one in found], dtype=np.float32).reshape(-1, 4)
        part_NP3 = np.array([one.parts for one in found], dtype=np.float32).reshape(-1, len(toybirds.PARTS), 3)
        return {
            "reading": reading_NA,
            "box": box_N4 / np.array([width, height, width, height], dtype=np.float32),
            "part": part_NP3 / np.array([width, height, 1], dtype=np.float32),
        }
