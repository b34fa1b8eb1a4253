"""Sentence -> what it claims: the exact inverse of the grammar, and forgiving with sentences that people type."""

from __future__ import annotations

import re

from stackgan.toybirds.lexicon import BEAK_SHAPES, COLOUR_WORDS, PART_WORDS, SIZES, TAILS, Words
from stackgan.toybirds.palette import BEAK_COLOURS

_TONE = r"(?:soft|dark|deep|bright|vivid|pale|light)"
_NUMBERS = {"no": "0", "a": "1", "one": "1", "two": "2", "three": "3", "1": "1", "2": "2", "3": "3"}
_PLACES = {
    "sky": "sky",
    "leaves": "leaf",
    "foliage": "leaf",
    "water": "water",
    "sand": "sand",
    "dunes": "sand",
    "beach": "sand",
    "snow": "snow",
    "snowy": "snow",
}


def _any(words: Words) -> str:
    every = sorted((re.escape(word) for options in words.values() for word in options), key=len, reverse=True)
    return f"(?:{'|'.join(every)})"


def _meaning(words: Words) -> dict[str, str]:
    return {word: value for value, options in words.items() for word in options}


_COLOUR = _any(COLOUR_WORDS)
_COLOUR_OF = _meaning(COLOUR_WORDS)


def _part_pattern(part: str) -> re.Pattern[str]:
    nouns = r"wings?(?! bars?\b)" if part == "wing" else "(?:" + "|".join(PART_WORDS[part]) + ")"
    shape = rf"(?:(?:{_any(BEAK_SHAPES)}) )?" if part == "beak" else ""
    also = rf"(?:(?:{_any(BEAK_SHAPES)}) and )?" if part == "beak" else ""
    before = rf"({_COLOUR}),? {shape}{nouns}" if part != "body" else rf"({_COLOUR}) (?:{nouns}|bird)"
    after = rf"{nouns} (?:is|are) {also}(?:{_TONE} )?({_COLOUR})"
    return re.compile(rf"\b(?:{before}|{after})\b")


_PARTS = {part: _part_pattern(part) for part in PART_WORDS}
_SHAPE = _any(BEAK_SHAPES)
_BEAK_SHAPE = re.compile(rf"\b(?:({_SHAPE}),? (?:{_COLOUR} )?(?:beak|bill)|(?:beak|bill) is (?:{_COLOUR} and )?({_SHAPE}))\b")
_TAIL = re.compile(rf"\b(?:({_any(TAILS)}) tail|tail is ({_any(TAILS)}))\b")
_SIZE = re.compile(rf"\b({_any(SIZES)}),? (?:(?:{_TONE} )?{_COLOUR} )?bird\b")
_FACING = re.compile(r"\b(?:facing|faces|looking|looks|turned)(?: to)?(?: the)? (left|right)\b")
_EYE_RING = re.compile(r"\b(?:(no|without an?) )?(?:white )?(?:eye ring|ring around (?:its|the) eye)\b")
_COUNT = "(no|one|an?|two|three|[123])(?: single)?(?: white)?"
_WING_BARS = re.compile(rf"\b{_COUNT} (?:wing bars?|bars? on (?:its|the) wings?)\b")
_BACKGROUND = re.compile(rf"\b({'|'.join(_PLACES)})\b")


def _first(match: re.Match[str] | None) -> str | None:
    return next((group for group in match.groups() if group), "") if match else None


def parse(caption: str) -> dict[str, str]:
    """Attribute -> value for what caption mentions, and nothing else; {} for a sentence about something else.

    Upper case and extra blanks do not matter. Where a sentence contradicts itself, the first mention counts.
    """
    text = " ".join(caption.lower().split())
    found: dict[str, str | None] = {}
    for part, pattern in _PARTS.items():
        colour = _COLOUR_OF.get(_first(pattern.search(text)) or "")
        found[part] = colour if (colour in BEAK_COLOURS if part == "beak" else colour != "black") else None
    tables = (("beak_shape", _BEAK_SHAPE, BEAK_SHAPES), ("tail", _TAIL, TAILS), ("size", _SIZE, SIZES))
    for name, pattern, words in tables:
        found[name] = _meaning(words).get(_first(pattern.search(text)) or "")
    found["facing"] = _first(_FACING.search(text))
    ring, bars, place = _EYE_RING.search(text), _WING_BARS.search(text), _first(_BACKGROUND.search(text))
    found["eye_ring"] = None if ring is None else "no" if ring[1] else "yes"
    found["wing_bars"] = _NUMBERS[bars[1]] if bars else None
    found["background"] = _PLACES[place] if place else None
    return {name: value for name, value in found.items() if value is not None}
