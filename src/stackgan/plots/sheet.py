"""Pictures beside their sentences, and plain grids. All arrays are uint8 RGB."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from stackgan.plots.lettering import font, line_height, wrap

Pictures = NDArray[np.uint8]

PAPER, INK, FAINT = "#ffffff", "#1a1a1a", "#6b6b6b"
MARGIN, GAP, BLOCK_GAP = 20, 4, 16


def fitted(picture_HWC: Pictures, cell: int) -> Image.Image:
    """The picture, cell pixels wide: nearest neighbour for whole enlargements, box for whole reductions, bicubic between."""
    picture = Image.fromarray(picture_HWC)
    if picture.width == cell == picture.height:
        return picture
    return picture.resize((cell, cell), _way(picture.width, cell)[0])


def _way(side: int, cell: int) -> tuple[Image.Resampling, str]:
    if cell % side == 0:
        return Image.Resampling.NEAREST, "nearest neighbour"
    return (Image.Resampling.BOX, "averaged") if side % cell == 0 else (Image.Resampling.BICUBIC, "bicubic")


def _stated(sides: Iterable[int], cell: int) -> str:
    """How pictures of these sizes became cell pixels wide, in words."""
    ways = [f"{side} px {'as drawn' if side == cell else _way(side, cell)[1]}" for side in sorted(set(sides))]
    return f"Pictures shown at {cell} px: {', '.join(ways)}." if ways else ""


def _checked(pictures: Pictures, axes: tuple[int, ...], name: str) -> Pictures:
    if pictures.dtype != np.uint8 or pictures.ndim not in axes or pictures.shape[-1] != 3:
        raise ValueError(f"{name}: need uint8 (..., H, W, 3) with {axes} axes, not {pictures.dtype} {pictures.shape}")
    return pictures


def _lines(
    pen: ImageDraw.ImageDraw, place: tuple[int, int], lines: Sequence[str], letters: ImageFont.FreeTypeFont, ink: str
) -> None:
    for row, line in enumerate(lines):
        pen.text((place[0], place[1] + row * line_height(letters)), line, fill=ink, font=letters)


def _by_row(pictures: Pictures | Sequence[Pictures], name: str) -> list[Pictures]:
    """(K, H, W, 3) for each row."""
    if isinstance(pictures, np.ndarray):
        rows = list(_checked(pictures, (4, 5), name))
    else:
        rows = [_checked(row, (3, 4), name) for row in pictures]
    return [row[None] if row.ndim == 3 else row for row in rows]


def sheet(
    columns: Sequence[tuple[str, Pictures | Sequence[Pictures]]],
    sentences: Sequence[str],
    title: str,
    cell: int = 128,
    note: str = "",
) -> Image.Image:
    """A row for each sentence: the sentence, then its pictures in every column.

    columns: caption and pictures (N, H, W, 3), several pictures a sentence (N, K, H, W, 3), or a list of rows (K, H, W, 3) of any
    sizes. cell: side of each picture as shown. How pictures were resized is stated at the foot, after note.
    """
    blocks = [(caption, _by_row(pictures, caption)) for caption, pictures in columns]
    for caption, pictures in blocks:
        if len(pictures) != len(sentences):
            raise ValueError(f"{caption}: {len(pictures)} rows of pictures for {len(sentences)} sentences")
    small, plain, heading = font(12), font(14), font(20, bold=True)
    text_width = max(240, 2 * cell)
    widths = [max(map(len, rows), default=0) * (cell + GAP) - GAP for _, rows in blocks]
    lefts = [MARGIN + text_width + BLOCK_GAP * (place + 1) + sum(widths[:place]) for place in range(len(blocks))]
    width = lefts[-1] + widths[-1] + MARGIN if blocks else MARGIN + text_width + MARGIN
    titles = wrap(title, heading, width - 2 * MARGIN, 2)
    captions = [wrap(caption, small, max(block_width, 1), 3) for (caption, _), block_width in zip(blocks, widths, strict=True)]
    caption_top = MARGIN + len(titles) * line_height(heading) + 8
    top = caption_top + max(map(len, captions), default=0) * line_height(small) + 4
    foot = " ".join(filter(None, [note, _stated((row.shape[-2] for _, rows in blocks for row in rows), cell)]))
    feet = wrap(foot, small, width - 2 * MARGIN, 4)
    bottom = top + len(sentences) * (cell + GAP) + 8
    page = Image.new("RGB", (width, bottom + len(feet) * line_height(small) + MARGIN), PAPER)
    pen = ImageDraw.Draw(page)
    _lines(pen, (MARGIN, MARGIN), titles, heading, INK)
    for left, lines in zip(lefts, captions, strict=True):
        _lines(pen, (left, top - 4 - len(lines) * line_height(small)), lines, small, FAINT)
    for row, sentence in enumerate(sentences):
        y = top + row * (cell + GAP)
        lines = wrap(sentence, plain, text_width, max(cell // line_height(plain), 1))
        _lines(pen, (MARGIN, y + (cell - len(lines) * line_height(plain)) // 2), lines, plain, INK)
        for left, (_, pictures) in zip(lefts, blocks, strict=True):
            for place, picture in enumerate(pictures[row]):
                page.paste(fitted(picture, cell), (left + place * (cell + GAP), y))
    _lines(pen, (MARGIN, bottom), feet, small, FAINT)
    return page


def grid(images_NHWC: Pictures, columns: int, gap: int = 2) -> Image.Image:
    """Pictures at their own size, row by row, without any text."""
    _checked(images_NHWC, (4,), "grid")
    count, height, width, _ = images_NHWC.shape
    columns = max(min(columns, count), 1)
    rows = max(math.ceil(count / columns), 1)
    page = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + gap) - gap), PAPER)
    for place, picture in enumerate(images_NHWC):
        row, column = divmod(place, columns)
        page.paste(Image.fromarray(picture), (column * (width + gap), row * (height + gap)))
    return page


def contact_sheet(
    images_NHWC: Pictures, captions: Sequence[str], title: str, cell: int = 128, columns: int | None = None
) -> Image.Image:
    """Pictures with a caption of at most three lines under each. columns: about square where none is given."""
    _checked(images_NHWC, (4,), "contact_sheet")
    count = len(images_NHWC)
    if len(captions) != count:
        raise ValueError(f"contact_sheet: {len(captions)} captions for {count} pictures")
    small, heading = font(11), font(20, bold=True)
    columns = max(min(columns or math.ceil(math.sqrt(count)), count), 1)
    width = max(columns * (cell + BLOCK_GAP) - BLOCK_GAP, 320) + 2 * MARGIN
    titles = wrap(title, heading, width - 2 * MARGIN, 2)
    lettered = [wrap(caption, small, cell, 3) for caption in captions]
    step = cell + 4 + max(map(len, lettered), default=0) * line_height(small) + 8
    top = MARGIN + len(titles) * line_height(heading) + 8
    bottom = top + math.ceil(count / columns) * step
    feet = wrap(_stated([images_NHWC.shape[2]], cell), small, width - 2 * MARGIN, 2)
    page = Image.new("RGB", (width, bottom + len(feet) * line_height(small) + MARGIN), PAPER)
    pen = ImageDraw.Draw(page)
    _lines(pen, (MARGIN, MARGIN), titles, heading, INK)
    for place, (picture, lines) in enumerate(zip(images_NHWC, lettered, strict=True)):
        row, column = divmod(place, columns)
        x, y = MARGIN + column * (cell + BLOCK_GAP), top + row * step
        page.paste(fitted(picture, cell), (x, y))
        _lines(pen, (x, y + cell + 4), lines, small, INK)
    _lines(pen, (MARGIN, bottom), feet, small, FAINT)
    return page
