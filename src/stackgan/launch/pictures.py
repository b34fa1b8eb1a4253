"""Picture files that a call of sample.py names, as the generator would have drawn them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stackgan.core.errors import UserError
from stackgan.data.decode import BROKEN, squares
from stackgan.data.folder_rows import ENDINGS
from stackgan.data.module import cached_size

Pixels = NDArray[np.uint8]
WAY = "name a picture file, several as [...], or a folder of them"


def files(named: str | Sequence[str] | None) -> tuple[Path, ...]:
    """The files that `image` names; of a folder all pictures in it, by name. Raises UserError where there are none."""
    found: list[Path] = []
    for word in [named] if isinstance(named, str) else named or []:
        path = Path(word)
        inside = sorted(one for one in path.iterdir() if one.suffix.lower() in ENDINGS) if path.is_dir() else [path]
        if not inside:
            raise UserError(f"image={word}: no pictures in this folder ({', '.join(sorted(ENDINGS))}); {WAY}")
        if not inside[0].is_file():
            raise UserError(f"image={word}: no such file; {WAY}")
        found += inside
    return tuple(found)


def read(paths: Sequence[Path], size: int, contrast_stretch: bool, whole: bool) -> Pixels:
    """uint8 (N, size, size, 3): each as a data set reads its test pictures: brought to a square, of which the middle is kept.

    Sides that differ are squashed, as there. A file stands for the data's region, so where that is the square around a bird's box,
    cut it out first. whole: all of the square is kept, as of pictures that a generator drew. Raises UserError for a file that is no
    picture.
    """
    wide = size if whole else cached_size(size)
    margin = (wide - size) // 2
    found = []
    for path in paths:
        try:
            (pixels_HWC,) = squares(path, (wide,), contrast_stretch)
        except BROKEN as error:
            raise UserError(f"image={path}: cannot be read as a picture ({type(error).__name__}); {WAY}") from error
        found.append(pixels_HWC[margin : margin + size, margin : margin + size])
    return np.stack(found)
