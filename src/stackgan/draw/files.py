"""Pictures to files: single PNGs, and films."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image

from stackgan.draw.painter import Drawings, Pixels
from stackgan.draw.sentences import name
from stackgan.plots.sheet import grid

LEAST = 256
"""Height of a film in pixels, at least; smaller pictures are enlarged by a whole number."""


def save_pictures(drawings: Drawings, folder: Path) -> None:
    """A PNG a picture in pictures/, and under a Stage-II its Stage-I picture of the same name in pictures-stage1/."""
    for place, pixels_NKHWC in (("pictures", drawings.pixels_NKHWC), ("pictures-stage1", drawings.first_NKHWC)):
        if pixels_NKHWC is None:
            continue
        (folder / place).mkdir(exist_ok=True)
        for sentence, pixels_KHWC in zip(drawings.sentences, pixels_NKHWC, strict=True):
            for index, pixels_HWC in enumerate(pixels_KHWC):
                Image.fromarray(pixels_HWC).save(folder / place / f"{name(sentence, drawings.seed, index)}.png")


def save_film(path: Path, frames: Iterable[Pixels], seconds: float) -> None:
    """A GIF that goes there and back, and repeats. frames: (K, H, W, 3), shown side by side. seconds: of each frame."""
    there = [_enlarged(grid(frame_KHWC, len(frame_KHWC))) for frame_KHWC in frames]
    first, *rest = [*there, *there[-2:0:-1]]
    first.save(path, "GIF", save_all=True, append_images=rest, duration=round(1000 * seconds), loop=0)


def _enlarged(picture: Image.Image) -> Image.Image:
    times = -(-LEAST // picture.height)
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.NEAREST)


def numbered(stem: str, place: int, of: Sequence[object]) -> str:
    """stem for a single one of its kind, else `stem-1`, `stem-2` and so on."""
    return stem if len(of) == 1 else f"{stem}-{place + 1}"
