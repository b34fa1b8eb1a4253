"""Reads a bird's attributes back from any picture, by a program without weights: agreement is measured, not judged.

Every pixel takes the nearest colour of the palette or none; a part has the colour that most of its pixels name.
"Unreadable" (None) is an outcome of its own: too few pixels, or no colour with a clear lead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from stackgan.toybirds import details, places
from stackgan.toybirds.palette import ANCHORS, INK, LEG, STONE, TWIG, WHITE, shade
from stackgan.toybirds.reading import parse

COLOUR_ATTRIBUTES: tuple[str, ...] = ("body", "wing", "belly", "background")
DECODABLE: tuple[str, ...] = (
    *COLOUR_ATTRIBUTES,
    "crown",
    "beak",
    "size",
    "facing",
    "tail",
    "beak_shape",
    "wing_bars",
    "eye_ring",
)

READER_VERSION = 2
"""goes up with any change to what decode() or parse() finds; scores of two versions do not compare"""
SMALLEST = 32
"""pixels of the shorter side below which nothing is read"""

_NAMES = tuple(ANCHORS)
_OTHER = len(_NAMES)
_NONE = _OTHER + 1
_BITS = 5
_REACH = {"body": 56, "wing": 50, "belly": 56, "crown": 60, "beak": 36, "background": 34, "other": 40}
"""how far (RGB distance, 0..441) a pixel may be from its nearest palette colour"""
_LEAST = {"body": 0.010, "wing": 0.010, "belly": 0.008, "crown": 0.003, "beak": 0.0004, "background": 0.15}
"""the share of the picture a part must cover, counting only pixels whose neighbours agree"""
_LEAD = 0.55
"""the share of its part's pixels that the winning colour must have"""

Image8 = NDArray[np.uint8]


@cache
def _table() -> NDArray[np.uint8]:
    """(32768,) palette number of every RGB at 5 bits a channel; whole-number arithmetic, so equal on every machine."""
    others = (WHITE, INK, LEG, TWIG, shade(TWIG, 84), STONE, shade(STONE, 84))
    colours = np.array([*ANCHORS.values(), *others], dtype=np.int32)
    reach = np.array([_REACH[part] for part, _ in _NAMES] + [_REACH["other"]] * len(others), dtype=np.int32)
    axis = np.arange(1 << _BITS, dtype=np.int32) * (256 >> _BITS) + (128 >> _BITS)
    cube = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    distance = np.stack([((cube - colour) ** 2).sum(1) for colour in colours], axis=1)
    nearest = distance.argmin(1)
    far = distance.min(1) > reach[nearest] ** 2
    return np.where(far, _NONE, np.minimum(nearest, _OTHER)).astype(np.uint8)


def _label(image: Image8) -> NDArray[np.uint8]:
    """(H, W) palette number per pixel."""
    high = (image >> (8 - _BITS)).astype(np.int32)
    labels: NDArray[np.uint8] = _table()[(high[..., 0] << 2 * _BITS) | (high[..., 1] << _BITS) | high[..., 2]]
    return labels


def _support(labels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(H, W) in 0..1:

    how many of the four neighbours agree. Edges, where two colours mix into a third, weigh next to nothing.
    """
    across, down = labels[:, 1:] == labels[:, :-1], labels[1:] == labels[:-1]
    support = np.zeros(labels.shape, dtype=np.float64)
    support[:, 1:] += across
    support[:, :-1] += across
    support[1:] += down
    support[:-1] += down
    return support / 4


def _colour(part: str, weights: NDArray[np.float64], pixels: int) -> str | None:
    """The part's winning colour, from the weight of every palette number; None when unreadable."""
    numbers = [number for number, (owner, _) in enumerate(_NAMES) if owner == part]
    votes = weights[numbers]
    best = int(votes.argmax())
    if votes.sum() < _LEAST[part] * pixels or votes[best] < _LEAD * votes.sum():
        return None
    return _NAMES[numbers[best]][1]


def readable(side: int) -> tuple[str, ...]:
    """What decode() finds in drawn birds of so many pixels: all of DECODABLE, or all but the details that need finer pictures."""
    return tuple(name for name in DECODABLE if side >= details.FINE or name not in details.DETAILS)


@dataclass(frozen=True)
class Found:
    """What read() finds. attributes: see decode. box: x, y, width, height in pixels, or None. parts: (15, 3), see places.parts."""

    attributes: dict[str, str | None]
    box: places.Box | None
    parts: NDArray[np.float64]


def decode(image: Image8, zoom: float = 1.0) -> dict[str, str | None]:
    """Attribute -> value or None (unreadable), for every attribute in DECODABLE; see read."""
    return read(image, zoom).attributes


def read(image: Image8, zoom: float = 1.0) -> Found:
    """Everything that can be read.

    image: (H, W, 3) uint8, at least 32 x 32; a photograph or a GAN's output will do. Wing bars, eye rings and beak
    shapes are only read where the picture is fine enough to show them (see details.py). zoom: how much larger than
    drawn the bird is, 76 / 64 for training crops; only size needs it. ValueError for another shape or type.
    """
    if image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < SMALLEST or image.dtype != np.uint8:
        raise ValueError(f"image of shape {image.shape} and type {image.dtype}: decode reads (H, W, 3) uint8, at least 32 x 32")
    labels = _label(image)
    support = _support(labels)
    weights = np.bincount(labels.ravel(), support.ravel(), _NONE + 1).astype(np.float64)
    found: dict[str, str | None] = {
        part: _colour(part, weights, labels.size) for part in ("body", "wing", "belly", "background", "crown", "beak")
    }
    if found["body"] is None or found["crown"] is None:
        found["beak"] = None  # a beak is so small that without a bird around it some stray pixels would do
    masks = {part: labels == _NAMES.index((part, value)) for part, value in found.items() if value is not None}
    attributes = found | details.read(image, masks, zoom)
    return Found(attributes, places.box(masks, support), places.parts(masks, attributes["facing"]))


def agreement(sentences: Sequence[str], images: Sequence[Image8]) -> dict[str, float]:
    """How far pictures show the colours their sentences name: compare(), each image read by decode()."""
    return compare(sentences, [decode(image) for image in images])


def compare(sentences: Sequence[str], readings: Sequence[Mapping[str, str | None]]) -> dict[str, float]:
    """How far what decode() read from pictures is what sentences say.

    sentences, readings: equally long. Returns, for body, wing, belly and background, the share of mentions that the picture
    shows as said, "mean" over all these mentions, and "unreadable", the share of mentions that could not be read (they count as
    not shown). All in 0..1; nan where nothing is mentioned. By chance body, wing and belly reach 1/8 and background 1/5.
    ValueError for unequal lengths.
    """
    said = dict.fromkeys(COLOUR_ATTRIBUTES, 0)
    shown, unreadable = dict(said), 0
    for sentence, found in zip(sentences, readings, strict=True):
        for name, value in parse(sentence).items():
            if name in said:
                said[name] += 1
                shown[name] += found[name] == value
                unreadable += found[name] is None
    total = sum(said.values())
    shares = {name: shown[name] / said[name] if said[name] else float("nan") for name in COLOUR_ATTRIBUTES}
    over_all = {"mean": sum(shown.values()), "unreadable": unreadable}
    return shares | {name: count / total if total else float("nan") for name, count in over_all.items()}
