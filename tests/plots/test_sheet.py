"""Sheets and grids: sizes, pixels that stay what they are, refusals, odd sentences."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from stackgan.plots.sheet import contact_sheet, fitted, grid, sheet

SENTENCES = ["this flower has long white petals", "花びらは黄色です 🌸 " + "very " * 300]


def pictures(*shape: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


def contains(page: Image.Image, block: Any) -> bool:
    """Whether block (h, w, 3) stands somewhere on the page."""
    pixels = np.asarray(page)
    rows, columns = np.nonzero((pixels == block[0, 0]).all(-1))
    height, width = block.shape[:2]
    return any(np.array_equal(pixels[y : y + height, x : x + width], block) for y, x in zip(rows, columns, strict=True))


def test_every_picture_stands_on_the_sheet() -> None:
    real, drawn = pictures(2, 32, 32), pictures(2, 3, 32, 32)
    page = sheet([("real", real), ("drawn", drawn)], SENTENCES, "a title", cell=32)
    assert page.mode == "RGB"
    for picture in [*real, *drawn.reshape(-1, 32, 32, 3)]:
        assert contains(page, picture)
    assert not contains(page, pictures(9, 32, 32)[8])


def test_a_row_is_added_for_each_sentence_and_a_column_for_each_picture() -> None:
    def size(rows: int, samples: int) -> tuple[int, int]:
        return sheet([("drawn", pictures(rows, samples, 8, 8))], ["a bird"] * rows, "t", cell=64).size

    one, taller, wider = size(1, 1), size(3, 1), size(1, 3)
    assert (taller[0] - one[0], taller[1] - one[1]) == (0, 2 * 68)
    assert wider[0] - one[0] == 2 * 68


def test_the_sentence_is_visible_and_changes_the_sheet() -> None:
    column = [("real", pictures(1, 8, 8))]
    one, other = (np.asarray(sheet(column, [sentence], "t")) for sentence in ("a red bird", "a blue bird"))
    assert one.shape == other.shape
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("cell", [16, 64, 128])
def test_odd_shapes_do_not_crash(cell: int) -> None:
    sheet([("a very long caption " * 20, pictures(2, 76, 76))], SENTENCES, "title " * 100, cell=cell, note="averaged weights")
    sheet([("none", pictures(0, 8, 8))], [], "", cell=cell)
    sheet([], ["only text"], "t", cell=cell)


def test_resizing() -> None:
    picture = pictures(1, 8, 8)[0]
    assert np.array_equal(np.asarray(fitted(picture, 16)), picture.repeat(2, 0).repeat(2, 1))
    assert np.array_equal(np.asarray(fitted(picture, 8)), picture)
    halved = picture.reshape(4, 2, 4, 2, 3).mean((1, 3))
    assert np.abs(np.asarray(fitted(picture, 4)) - halved).max() <= 1  # Pillow rounds rows and columns apart
    assert fitted(picture, 13).size == (13, 13)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="real: 3 rows of pictures for 2 sentences"):
        sheet([("real", pictures(3, 8, 8))], SENTENCES, "t")
    with pytest.raises(ValueError, match="uint8"):
        sheet([("real", pictures(2, 8, 8).astype(np.float32))], SENTENCES, "t")
    with pytest.raises(ValueError, match="1 captions for 2 pictures"):
        contact_sheet(pictures(2, 8, 8), ["one"], "t")


def test_grid() -> None:
    images = pictures(5, 6, 8)
    page = np.asarray(grid(images, columns=3, gap=1))
    assert page.shape == (13, 26, 3)
    assert np.array_equal(page[7:13, 9:17], images[4])
    assert (page[7:13, 18:] == 255).all()
    assert grid(images, columns=9).size == (5 * 10 - 2, 6)


def test_contact_sheet() -> None:
    images = pictures(5, 16, 16)
    page = contact_sheet(images, SENTENCES * 2 + ["end"], "nearest", cell=16, columns=2)
    assert all(contains(page, picture) for picture in images)
    assert contact_sheet(images, [""] * 5, "t", cell=16).width < page.width + 1
