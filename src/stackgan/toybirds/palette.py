"""Every colour the renderer may use, and how far texture may move it.

Which part a pixel belongs to is coded by its value and saturation band, the attribute's colour by its hue, and the
backgrounds are a low-saturation set of their own. So a program without weights can read a picture back, and a swapped
caption (red crown and yellow belly for yellow crown and red belly) really is another picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RGB = tuple[int, int, int]

COLOURS: tuple[str, ...] = ("red", "orange", "yellow", "green", "teal", "blue", "purple", "pink")
BEAK_COLOURS: tuple[str, ...] = ("yellow", "orange", "red", "blue", "black")
BACKGROUNDS: tuple[str, ...] = ("sky", "leaf", "water", "sand", "snow")

_HUES = MappingProxyType({"red": 2, "orange": 31, "yellow": 55, "green": 118, "teal": 176, "blue": 220, "purple": 272, "pink": 322})
# (saturation, value) per part, in percent: pale belly, middling body, deep wing, vivid crown, saturated but dim beak.
_BANDS = MappingProxyType({"body": (58, 78), "wing": (86, 49), "belly": (46, 98), "crown": (97, 96), "beak": (100, 71)})

WHITE: RGB = (255, 253, 246)
INK: RGB = (12, 10, 14)
LEG: RGB = (96, 84, 78)
TWIG: RGB = (112, 100, 92)
STONE: RGB = (128, 124, 122)

BACKDROPS: Mapping[str, RGB] = MappingProxyType(
    {
        "sky": (192, 210, 224),
        "leaf": (126, 148, 112),
        "water": (112, 138, 154),
        "sand": (206, 194, 174),
        "snow": (228, 234, 240),
    }
)


def _from_hsv(hue: int, saturation: int, value: int) -> RGB:
    """hue in degrees, saturation and value in percent -> 0..255.

    Whole numbers only, so every platform agrees to the bit.
    """
    high = value * 255 // 100
    low = high * (100 - saturation) // 100
    rise = (high - low) * (60 - abs(hue % 120 - 60)) // 60
    middle = low + rise
    order = (
        (high, middle, low),
        (middle, high, low),
        (low, high, middle),
        (low, middle, high),
        (middle, low, high),
        (high, low, middle),
    )
    return order[hue // 60 % 6]


def _anchors() -> dict[tuple[str, str], RGB]:
    table: dict[tuple[str, str], RGB] = {}
    for part, (saturation, value) in _BANDS.items():
        for colour in BEAK_COLOURS if part == "beak" else COLOURS:
            table[part, colour] = (54, 52, 60) if colour == "black" else _from_hsv(_HUES[colour], saturation, value)
    for name, rgb in BACKDROPS.items():
        table["background", name] = rgb
    return table


ANCHORS: Mapping[tuple[str, str], RGB] = MappingProxyType(_anchors())
"""(part, colour) -> the one RGB that stands for it; part is body, wing, belly, crown, beak or background."""


def shade(colour: RGB, percent: int) -> RGB:
    """colour scaled to percent of itself, clipped to 255. Texture inside a part stays within 84..125."""
    red, green, blue = (min(255, channel * percent // 100) for channel in colour)
    return red, green, blue
