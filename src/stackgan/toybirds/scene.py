"""One picture before it is drawn: bird, colours, pose. A scene is a pure function of (seed, index)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

import numpy as np

from stackgan.toybirds.palette import BACKGROUNDS, BEAK_COLOURS, COLOURS
from stackgan.toybirds.species import SPECIES, TEST_SPECIES, TRAIN_SPECIES, Species

ATTRIBUTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "body": COLOURS,
        "wing": COLOURS,
        "crown": COLOURS,
        "belly": COLOURS,
        "beak": BEAK_COLOURS,
        "beak_shape": ("short", "long", "hooked"),
        "tail": ("short", "long", "forked"),
        "wing_bars": ("0", "1", "2", "3"),
        "eye_ring": ("yes", "no"),
        "size": ("small", "medium", "large"),
        "facing": ("left", "right"),
        "background": BACKGROUNDS,
    }
)

# The index alone says which of the three sets a picture belongs to, so drawing more of one never changes another.
TRAIN_START = 0
HELD_START = 1_000_000
TEST_START = 2_000_000
_END = 3_000_000


@dataclass(frozen=True)
class Scene:
    """Everything the renderer needs.

    Values are words of ATTRIBUTES; jitters are whole numbers, so that no platform can round them otherwise.
    """

    species: int
    """1..40"""
    body: str
    wing: str
    crown: str
    belly: str
    beak: str
    beak_shape: str
    tail: str
    wing_bars: str
    eye_ring: str
    size: str
    facing: str
    background: str
    tilt: int = 0
    """whole bird, tenths of a degree, -60..60; positive lifts the beak"""
    shift_x: int = 0
    """thousandths of the picture's width, -16..16: a long tail stays inside"""
    shift_y: int = 0
    """thousandths of the picture's height, -25..25"""
    head: int = 0
    """head about the neck, tenths of a degree, -120..120; positive lifts the beak"""
    grain: int = 0
    """0..2**31-1: which feathers, which part of which background"""

    def attributes(self) -> dict[str, str]:
        """attribute -> value, in the order of ATTRIBUTES."""
        everything = asdict(self)
        return {name: everything[name] for name in ATTRIBUTES}

    def kind(self) -> Species:
        """The species this bird belongs to."""
        return SPECIES[self.species - 1]


def split_of(index: int) -> str:
    """The set that picture number index belongs to; ValueError outside 0..2,999,999.

    train: 0 to 999,999, train species. held: from 1,000,000, train species, pictures never trained on.
    test: from 2,000,000, test species.
    """
    if not 0 <= index < _END:
        raise ValueError(f"index={index}: toybirds has pictures 0..{_END - 1}")
    return ("train", "held", "test")[index // HELD_START]


def draw_scene(seed: int, index: int) -> Scene:
    """The scene number index under seed.

    Species take turns within each of the three ranges (see split_of); seed >= 0.
    """
    kinds = TEST_SPECIES if split_of(index) == "test" else TRAIN_SPECIES
    kind = kinds[index % HELD_START % len(kinds)]
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, index])))
    # One draw per attribute, used or not: fixing another attribute of a species must not move the draws after it.
    free = {name: values[int(rng.integers(len(values)))] for name, values in ATTRIBUTES.items()}
    return Scene(
        species=kind.number,
        **(free | dict(kind.fixed)),
        tilt=int(rng.integers(-60, 61)),
        shift_x=int(rng.integers(-16, 17)),
        shift_y=int(rng.integers(-25, 26)),
        head=int(rng.integers(-120, 121)),
        grain=int(rng.integers(2**31)),
    )
