"""decode: every kind of picture file ends as RGB, as a viewer shows it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stackgan.data.decode import BROKEN, load_rgb, squares, stretch


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def colour(path: Path) -> tuple[int, ...]:
    image = load_rgb(path)
    assert image.mode == "RGB"
    return tuple(image.getpixel((2, 2)))


def test_grey_is_repeated(tmp_path: Path) -> None:
    assert colour(saved(tmp_path / "x.png", Image.new("L", (8, 8), 77))) == (77, 77, 77)


def test_sixteen_bit_grey_is_scaled(tmp_path: Path) -> None:
    image = Image.fromarray(np.full((8, 8), 0x8080, np.uint16))
    assert colour(saved(tmp_path / "x.png", image)) == (128, 128, 128)


def test_black_and_white(tmp_path: Path) -> None:
    assert colour(saved(tmp_path / "x.png", Image.new("1", (8, 8), 1))) == (255, 255, 255)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    red = colour(saved(tmp_path / "x.jpg", Image.new("CMYK", (8, 8), (0, 255, 255, 0)), quality=95))
    assert red[0] > 240
    assert max(red[1:]) < 15


def test_palette(tmp_path: Path) -> None:
    assert colour(saved(tmp_path / "x.png", Image.new("RGB", (8, 8), (9, 200, 30)).quantize(4))) == (9, 200, 30)


def test_palette_with_transparency_goes_over_white(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([10, 20, 30])
    assert colour(saved(tmp_path / "x.png", image, transparency=0)) == (255, 255, 255)


@pytest.mark.parametrize(("mode", "fill"), [("RGBA", (0, 0, 0, 0)), ("LA", (0, 0))])
def test_alpha_goes_over_white(tmp_path: Path, mode: str, fill: tuple[int, ...]) -> None:
    assert colour(saved(tmp_path / "x.png", Image.new(mode, (8, 8), fill))) == (255, 255, 255)


def test_opaque_alpha_changes_nothing(tmp_path: Path) -> None:
    assert colour(saved(tmp_path / "x.png", Image.new("RGBA", (8, 8), (1, 2, 3, 255)))) == (1, 2, 3)


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (20, 10), "black")
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    assert load_rgb(saved(tmp_path / "x.jpg", image, exif=exif)).size == (10, 20)


def test_squares_have_their_sizes_whatever_the_ratio(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.png", Image.new("RGB", (31, 200), (5, 6, 7)))
    small, large = squares(path, (76, 304), contrast_stretch=False)
    assert small.shape == (76, 76, 3)
    assert large.shape == (304, 304, 3)
    assert (large == (5, 6, 7)).all()


def test_a_size_does_not_depend_on_the_others(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 190, 3), np.uint8)
    path = saved(tmp_path / "x.jpg", Image.fromarray(noise))
    np.testing.assert_array_equal(squares(path, (76,), False)[0], squares(path, (304, 76), False)[1])


def test_stretch_uses_all_channels_together() -> None:
    pixels = np.full((4, 4, 3), 100, np.uint8)
    pixels[0, 0], pixels[1, 1] = (50, 100, 100), (100, 100, 150)
    out = np.asarray(stretch(Image.fromarray(pixels)))
    assert (out.min(), out.max()) == (0, 255)
    assert tuple(out[3, 3]) == (128, 128, 128)
    assert (np.asarray(stretch(Image.new("RGB", (4, 4), (9, 9, 9)))) == 0).all()


@pytest.mark.parametrize("keep", [0, 1, 100, 400])
def test_broken_files_raise_what_is_caught(tmp_path: Path, keep: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    path = saved(tmp_path / "x.jpg", Image.fromarray(noise))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BROKEN):
        load_rgb(path)
