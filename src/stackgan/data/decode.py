"""Files to square pictures. Pillow decodes and resizes without the interpreter lock, so threads share the work."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Pixels = NDArray[np.uint8]

BROKEN = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises for files that are no pictures, are cut short or claim an absurd size."""


def load_rgb(path: Path) -> Image.Image:
    """The picture as a viewer shows it, in RGB. Raises one of BROKEN.

    EXIF rotation is applied, transparency goes over white (the authors dropped alpha, which brings out whatever colour
    hides below it), grey is repeated, CMYK and palettes are converted, 16-bit grey is scaled to 8.
    """
    with Image.open(path) as file:
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


def squares(path: Path, sizes: tuple[int, ...], contrast_stretch: bool) -> list[Pixels]:
    """The whole picture at each size as (size, size, 3), the sides' ratio ignored as the authors do.

    Bicubic with Pillow's antialiasing, each size straight from the full picture. JPEG's cheap decoding at reduced
    scale is not used: a size would then depend on which others were asked for at the same time. Raises one of BROKEN.
    """
    image = load_rgb(path)
    if contrast_stretch:
        image = stretch(image)
    return [np.asarray(image.resize((size, size), Image.Resampling.BICUBIC)) for size in sizes]
