"""Text on pictures: matplotlib's own font files, so no system font is needed, and wrapping by width in pixels."""

from functools import cache
from pathlib import Path

import matplotlib
from PIL import ImageFont

ELLIPSIS = "…"


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, the same on every machine. Letters it lacks (Chinese, Japanese, Korean, emoji) become boxes."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def line_height(letters: ImageFont.FreeTypeFont) -> int:
    """Distance from one baseline to the next, in pixels."""
    return round(letters.size * 1.35)


def wrap(text: str, letters: ImageFont.FreeTypeFont, width: int, lines: int) -> list[str]:
    """At most so many lines, none wider than width pixels; words that are wider are cut, what does not fit ends in an ellipsis."""
    pieces = [piece for word in text.split() for piece in _cut(word, letters, width)]
    wrapped: list[str] = []
    for place, piece in enumerate(pieces):
        longer = f"{wrapped[-1]} {piece}" if wrapped else piece
        if wrapped and letters.getlength(longer) <= width:
            wrapped[-1] = longer
        elif len(wrapped) < lines:
            wrapped.append(piece)
        else:
            wrapped[-1] = _shortened(f"{wrapped[-1]} {' '.join(pieces[place : place + 1])}", letters, width)
            break
    return wrapped


def _cut(word: str, letters: ImageFont.FreeTypeFont, width: int) -> list[str]:
    pieces = [""]
    # A word of thousands of letters cannot be shown anyway; measuring all of it letter by letter would take long.
    for letter in word[:1000]:
        if pieces[-1] and letters.getlength(pieces[-1] + letter) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _shortened(line: str, letters: ImageFont.FreeTypeFont, width: int) -> str:
    while line and letters.getlength(line.rstrip() + ELLIPSIS) > width:
        line = line[:-1]
    return line.rstrip() + ELLIPSIS
