"""Files to square pictures. Pillow decodes and resizes without the interpreter lock, so threads share the work."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

Pixels = NDArray[np.uint8]

BROKEN = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises for files that are no pictures, are cut short or claim an absurd size."""

LIMIT = 80_000_000
"""Pixels a file may claim; a few kilobytes can claim enough to fill the memory."""

_SIDEWAYS = frozenset({5, 6, 7, 8})
"""EXIF orientations that exchange width and height."""

Frame = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of the picture as a viewer shows it."""


def shown_size(path: Path) -> tuple[int, int]:
    """Width and height as a viewer shows the picture, from its header alone. Raises one of BROKEN."""
    with Image.open(path) as file:
        _refuse_bombs(file)
        sideways = file.getexif().get(ExifTags.Base.Orientation) in _SIDEWAYS
        return (file.height, file.width) if sideways else (file.width, file.height)


def _refuse_bombs(file: Image.Image) -> None:
    if file.width * file.height > LIMIT:
        raise ValueError(f"claims {file.width:,} x {file.height:,} pixels, more than {LIMIT:,} are not decoded")


def load_rgb(path: Path) -> Image.Image:
    """The picture as a viewer shows it, in RGB. Raises one of BROKEN.

    EXIF rotation is applied, transparency goes over white (the authors dropped alpha, which brings out whatever colour
    hides below it), grey is repeated, CMYK and palettes are converted, 16-bit grey is scaled to 8.
    """
    with Image.open(path) as file:
        _refuse_bombs(file)
        file.load()
        image: Image.Image = ImageOps.exif_transpose(file)
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image).clip(0, 65535) // 257).astype(np.uint8))
    if (image.mode == "P" and "transparency" in image.info) or image.mode in ("LA", "La", "PA", "RGBa"):
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def stretch(image: Image.Image) -> Image.Image:
    """All channels together from their extremes to 0..255: what scipy.misc.imresize did to the paper's crops."""
    pixels = np.asarray(image, np.float32)
    low, high = float(pixels.min()), float(pixels.max())
    scaled = (pixels - low) * (255 / max(high - low, 1.0))
    return Image.fromarray((scaled + 0.5).astype(np.uint8))


def squares(path: Path, sizes: tuple[int, ...], contrast_stretch: bool, frame: Frame | None = None) -> list[Pixels]:
    """The picture, or the frame of it, at each size as (size, size, 3), the sides' ratio ignored as the authors do.

    Bicubic with Pillow's antialiasing, each size straight from the full picture. JPEG's cheap decoding at reduced
    scale is not used: a size would then depend on which others were asked for at the same time. Raises one of BROKEN.
    """
    image = load_rgb(path)
    if frame is not None:
        image = image.crop(frame)
    if contrast_stretch:
        image = stretch(image)
    return [np.asarray(image.resize((size, size), Image.Resampling.BICUBIC)) for size in sizes]
