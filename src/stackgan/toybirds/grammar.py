"""Scene -> sentences.

Each mentions a random handful of attributes, in varied words and order; reading.py turns them back.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stackgan.toybirds.lexicon import (
    BACKGROUNDS,
    BEAK_SHAPES,
    COLOUR_WORDS,
    EYE_RINGS,
    FACINGS,
    PART_WORDS,
    SIZES,
    TAILS,
    TONE_WORDS,
    WING_BARS,
    Words,
)  # fmt: skip
from stackgan.toybirds.reading import parse
from stackgan.toybirds.scene import ATTRIBUTES, Scene

__all__ = ["captions", "describe", "parse", "phrase"]

_CAPTION_STREAM = 1
_WEIGHTS = {"body": 3, "wing": 3, "crown": 3, "belly": 3, "beak": 2, "background": 2}
"""how much more often than the rest (1) an attribute is mentioned: colours lead, as in CUB's captions"""
_COLOURED = ("body", "wing", "crown", "belly")
Mentions = Mapping[str, str]


class _Voice:
    """Random wording, from one generator."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def pick(self, options: tuple[str, ...]) -> str:
        return options[int(self._rng.integers(len(options)))]

    def word(self, words: Words, value: str) -> str:
        return self.pick(words[value])

    def chance(self, percent: int) -> bool:
        return int(self._rng.integers(100)) < percent

    def shuffled(self, items: list[str]) -> list[str]:
        return [items[place] for place in self._rng.permutation(len(items))]

    def colour(self, part: str, value: str) -> str:
        return self.pick(TONE_WORDS[part]) + self.word(COLOUR_WORDS, value)


def _with_article(phrase: str) -> str:
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def _and(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _beak_words(said: Mentions, voice: _Voice) -> list[str]:
    shape = [voice.word(BEAK_SHAPES, said["beak_shape"])] if "beak_shape" in said else []
    colour = [voice.colour("beak", said["beak"])] if "beak" in said else []
    return shape + colour


def _nouns(said: Mentions, voice: _Voice) -> list[str]:
    """Noun phrases without article where they are singular ("red crown"), ready to stand alone in a list."""
    nouns = [f"{voice.colour(part, said[part])} {voice.word(PART_WORDS, part)}" for part in _COLOURED if part in said]
    if beak := _beak_words(said, voice):
        nouns.append(f"{' '.join(beak)} {voice.word(PART_WORDS, 'beak')}")
    if "tail" in said:
        nouns.append(f"{voice.word(TAILS, said['tail'])} tail")
    return nouns


def _extras(said: Mentions, voice: _Voice) -> list[str]:
    """Noun phrases that bring their own article or number."""
    tables = {"eye_ring": EYE_RINGS, "wing_bars": WING_BARS}
    return [voice.word(words, said[name]) for name, words in tables.items() if name in said]


def _clauses(said: Mentions, voice: _Voice) -> list[str]:
    """Whole statements: its crown is red."""
    clauses = []
    for part in _COLOURED:
        if part in said:
            noun = voice.word(PART_WORDS, part)
            clauses.append(f"its {noun} {'are' if noun.endswith('s') else 'is'} {voice.colour(part, said[part])}")
    if beak := _beak_words(said, voice):
        clauses.append(f"its {voice.word(PART_WORDS, 'beak')} is {' and '.join(beak)}")
    if "tail" in said:
        clauses.append(f"its tail is {voice.word(TAILS, said['tail'])}")
    return clauses + [f"it has {extra}" for extra in _extras(said, voice)]


def _bird(said: dict[str, str], voice: _Voice) -> str:
    """The bird itself; takes size, and sometimes the body's colour, out of said."""
    words = [voice.word(SIZES, said.pop("size"))] if "size" in said else []
    if "body" in said and voice.chance(50):
        words.append(voice.word(COLOUR_WORDS, said.pop("body")))
    return " ".join([*words, "bird"])


def _trailers(said: Mentions, voice: _Voice) -> str:
    tables = {"facing": FACINGS, "background": BACKGROUNDS}
    return " ".join(voice.shuffled([voice.word(words, said[name]) for name, words in tables.items() if name in said]))


def _description(said: dict[str, str], voice: _Voice) -> str:
    """A small red bird with a blue crown and green wings, facing left on the sand."""
    bird, opener = _bird(said, voice), voice.pick(("", "", "this is ", "a picture of "))
    things = [noun if noun.endswith(("wings", "plumage")) else _with_article(noun) for noun in _nouns(said, voice)]
    things = voice.shuffled(things + _extras(said, voice))
    sentence = opener + _with_article(bird)
    if things:
        sentence += f" {voice.pick(('with', 'that has', 'showing'))} {_and(things)}"
    trailers = _trailers(said, voice)
    return sentence + (f"{voice.pick((', ', ' ')) if things else ' '}{trailers}" if trailers else "")


def _statement(said: dict[str, str], voice: _Voice) -> str:
    """This small bird is on the sand: its crown is blue and its tail is long."""
    bird, trailers = _bird(said, voice), _trailers(said, voice)
    clauses = voice.shuffled(_clauses(said, voice))
    if not clauses:
        return f"this {bird} is {trailers}" if trailers else f"this is {_with_article(bird)}"
    if trailers:
        return f"this {bird} is {trailers}, {voice.pick(('', 'and '))}{_and(clauses)}"
    return f"this is {_with_article(bird)}, {_and(clauses)}"


def _telegram(said: dict[str, str], voice: _Voice) -> str:
    """Blue crown, green wings, small bird, facing left."""
    first = [_bird(said, voice)] if "size" in said else []
    parts = voice.shuffled(first + _nouns(said, voice) + _extras(said, voice))
    trailers = _trailers(said, voice)
    return ", ".join([*parts, trailers] if trailers else parts)


def phrase(said: Mentions, rng: np.random.Generator) -> str:
    """One lower-case sentence that mentions exactly said (attribute -> value, at least one); rng picks the wording."""
    voice = _Voice(rng)
    style = (_description, _description, _statement, _telegram)[int(rng.integers(4))]
    return style(dict(said), voice) + "."


def describe(scene: Scene, seed: int, index: int, n: int = 10) -> list[tuple[str, dict[str, str]]]:
    """n different sentences about scene, each with the 3 to 6 attributes it mentions.

    A pure function of its arguments; seed and index as in draw_scene.
    """
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, index, _CAPTION_STREAM])))
    everything, names = scene.attributes(), list(ATTRIBUTES)
    weights = np.array([_WEIGHTS.get(name, 1) for name in names], dtype=np.float64)
    told: dict[str, dict[str, str]] = {}
    while len(told) < n:
        chosen = rng.choice(len(names), int(rng.integers(3, 7)), replace=False, p=weights / weights.sum())
        said = {names[place]: everything[names[place]] for place in sorted(chosen)}
        told[phrase(said, rng)] = said
    return list(told.items())


def captions(scene: Scene, seed: int, index: int, n: int = 10) -> list[str]:
    """n different sentences about scene; see describe."""
    return [sentence for sentence, _ in describe(scene, seed, index, n)]
