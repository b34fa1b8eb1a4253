"""The five backgrounds, each painted once per process and then cut at a place of the picture's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from stackgan.toybirds.palette import BACKDROPS, RGB, shade

TILE = 704
VARIANTS = 3
_Brush = Callable[[ImageDraw.ImageDraw, np.random.Generator, RGB], None]


def _ellipse(draw: ImageDraw.ImageDraw, x: float, y: float, rx: float, ry: float, fill: RGB) -> None:
    draw.ellipse((x - rx, y - ry, x + rx, y + ry), fill=fill)


def _sky(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base: RGB) -> None:
    for row in range(0, TILE, 4):
        draw.rectangle((0, row, TILE, row + 3), fill=shade(base, 96 + row * 7 // TILE))
    for _ in range(9):
        x, y, width = rng.uniform(0, TILE), rng.uniform(0, TILE), rng.uniform(60, 130)
        for _ in range(7):
            dx, dy = rng.uniform(-width, width), rng.uniform(-12, 12)
            _ellipse(draw, x + dx, y + dy, width * rng.uniform(0.3, 0.6), rng.uniform(14, 30), shade(base, 106))


def _leaf(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base: RGB) -> None:
    draw.rectangle((0, 0, TILE, TILE), fill=shade(base, 91))
    for number in range(170):
        tone = 90 + number * 16 // 170 + int(rng.integers(-2, 3))
        x, y = rng.uniform(-20, TILE + 20, 2).tolist()
        angle, length = rng.uniform(0, 6.283), rng.uniform(60, 110)
        along = np.array([np.cos(angle), np.sin(angle)]) * length / 2
        across = np.array([-along[1], along[0]]) * rng.uniform(0.34, 0.5)
        u = np.array([-1.0, -0.55, 0.05, 0.6, 1.0, 0.6, 0.05, -0.55])[:, None]
        v = np.array([0.0, 0.75, 1.0, 0.55, 0.0, -0.55, -1.0, -0.75])[:, None]
        outline = np.array([x, y]) + u * along + v * across
        draw.polygon([tuple(point) for point in outline.tolist()], fill=shade(base, tone))
        draw.line([tuple(outline[0].tolist()), tuple(outline[4].tolist())], fill=shade(base, tone - 6), width=3)


def _water(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base: RGB) -> None:
    for row in range(0, TILE, 4):
        draw.rectangle((0, row, TILE, row + 3), fill=shade(base, 94 + row * 8 // TILE))
    for number in range(120):
        x, y, half = rng.uniform(0, TILE), rng.uniform(0, TILE), rng.uniform(24, 90)
        tone = 109 if number % 2 else 91
        xs = np.linspace(-1, 1, 13)
        swing = 5 * np.sin(xs * 4 + rng.uniform(0, 6))
        thick = rng.uniform(2, 5) * (1 - xs**2)
        upper = np.stack([x + half * xs, y + swing - thick], 1)
        lower = np.stack([x + half * xs, y + swing + thick], 1)[::-1]
        draw.polygon([tuple(point) for point in np.concatenate([upper, lower]).tolist()], fill=shade(base, tone))


def _sand(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base: RGB) -> None:
    draw.rectangle((0, 0, TILE, TILE), fill=base)
    xs = np.arange(-20, TILE + 21, 20)
    phase, tones = rng.uniform(0, 6), (97, 101, 95, 103)
    for number in range(11):
        ys = number * 68 - 20 + 16 * np.sin(xs / 110 + phase + number * 0.9) + 6 * np.sin(xs / 43 + number)
        crest = np.stack([xs, ys], 1).tolist()
        draw.polygon([tuple(p) for p in [*crest, [TILE + 20, TILE + 40], [-20, TILE + 40]]], fill=shade(base, tones[number % 4]))
        draw.line([tuple(p) for p in crest], fill=shade(base, 106), width=3)
    for x, y in rng.uniform(0, TILE, (1100, 2)).tolist():
        tone = 90 if (x + y) % 2 < 1 else 107
        draw.rectangle((x, y, x + 2, y + 2), fill=shade(base, tone))


def _snow(draw: ImageDraw.ImageDraw, rng: np.random.Generator, base: RGB) -> None:
    draw.rectangle((0, 0, TILE, TILE), fill=shade(base, 96))
    for number in range(26):
        x, y = rng.uniform(0, TILE), TILE * number / 26
        for step in range(4):
            _ellipse(draw, x, y + 60 + step * 5, 210 - step * 22, 58 - step * 5, shade(base, 97 + step + number % 3))
    for x, y, radius in rng.uniform((0, 0, 2), (TILE, TILE, 7), (150, 3)).tolist():
        _ellipse(draw, x, y, radius, radius, shade(base, 107))


_BRUSHES: dict[str, _Brush] = {"sky": _sky, "leaf": _leaf, "water": _water, "sand": _sand, "snow": _snow}
_BLUR = {"sky": 9, "leaf": 1, "water": 1, "sand": 1, "snow": 2}


@cache
def _tile(name: str, variant: int) -> Image.Image:
    number = sorted(_BRUSHES).index(name) * VARIANTS + variant
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([2016, number])))
    tile = Image.new("RGB", (TILE, TILE))
    _BRUSHES[name](ImageDraw.Draw(tile), rng, BACKDROPS[name])
    return tile.filter(ImageFilter.BoxBlur(_BLUR[name]))


def backdrop(name: str, grain: int, size: int) -> Image.Image:
    """A fresh size x size RGB picture of the background, size <= 704; grain, a whole number >= 0, picks the place."""
    spare = TILE - size
    left, top = grain // VARIANTS % (spare + 1), grain // 4099 % (spare + 1)
    return _tile(name, grain % VARIANTS).crop((left, top, left + size, top + size))
