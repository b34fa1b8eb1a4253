"""The words: every synonym names exactly one value, so that a sentence can be read back without guessing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

Words = Mapping[str, tuple[str, ...]]


def _frozen(**words: tuple[str, ...]) -> Words:
    return MappingProxyType(words)


COLOUR_WORDS: Words = _frozen(
    red=("red", "scarlet"),
    orange=("orange", "tangerine"),
    yellow=("yellow", "golden"),
    green=("green", "emerald"),
    teal=("teal", "turquoise"),
    blue=("blue", "cobalt"),
    purple=("purple", "violet"),
    pink=("pink", "magenta"),
    black=("black", "jet-black"),
)
PART_WORDS: Words = _frozen(
    body=("body", "plumage"),
    wing=("wings",),
    crown=("crown", "cap", "crest"),
    belly=("belly", "underside", "stomach"),
    beak=("beak", "bill"),
)
TONE_WORDS: Words = _frozen(
    body=("", "", "soft "),
    wing=("", "", "dark ", "deep "),
    crown=("", "", "bright ", "vivid "),
    belly=("", "", "pale ", "light "),
    beak=("",),
)
"""Words that sound natural before a part's colour and mean nothing:

the part already decides how dark or vivid it is.
"""

BEAK_SHAPES: Words = _frozen(short=("short", "stubby"), long=("long", "slender"), hooked=("hooked", "curved"))
TAILS: Words = _frozen(short=("short", "stubby"), long=("long", "trailing"), forked=("forked", "notched"))
SIZES: Words = _frozen(small=("small", "little", "tiny"), medium=("medium", "medium-sized", "mid-sized"), large=("large", "big"))
EYE_RINGS: Words = _frozen(
    yes=("a white eye ring", "an eye ring", "a white ring around its eye"), no=("no eye ring", "no ring around its eye")
)
WING_BARS: Words = MappingProxyType(
    {
        "0": ("no wing bars", "no bars on its wings"),
        "1": ("one wing bar", "a single white wing bar", "one white bar on its wings"),
        "2": ("two wing bars", "two white wing bars", "two white bars on its wings"),
        "3": ("three wing bars", "three white wing bars", "three white bars on its wings"),
    }
)
FACINGS: Words = _frozen(
    left=("facing left", "looking left", "turned to the left"),
    right=("facing right", "looking right", "turned to the right"),
)
BACKGROUNDS: Words = _frozen(
    sky=("against the sky", "in front of a clear sky", "under the open sky"),
    leaf=("in front of green leaves", "among green leaves", "in the foliage"),
    water=("by the water", "in front of rippled water", "out on the water"),
    sand=("on the sand", "in front of sand dunes", "on a sandy beach"),
    snow=("in the snow", "on white snow", "in a snowy field"),
)
