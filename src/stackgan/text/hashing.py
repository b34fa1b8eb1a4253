"""A text encoder without weights: hashed words and ordered pairs of words."""

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stackgan.core.fingerprint import fingerprint
from stackgan.core.ranges import Positive
from stackgan.text.encoder import Embeddings, Progress, TextEncoder

VERSION = 1
"""Raise it when the same parameters would give other embeddings."""

_CLAUSE = re.compile(r"[,.;:!?()]+")
_WORD = re.compile(r"[^\W_]+")
_EMPTY = frozenset({
    "a", "an", "and", "are", "as", "at", "has", "have", "in", "is", "it", "its", "of", "on", "that", "the", "there", "this",
    "to", "which", "with",
})  # fmt: skip
"""Words without content, which would only stand between those that belong together."""


def clauses(sentence: str) -> list[list[str]]:
    """The lower-case words of each clause, without those that carry no content."""
    parts = _CLAUSE.split(sentence.lower().replace("'", ""))
    return [[word for word in _WORD.findall(part) if word not in _EMPTY] for part in parts]


def weighted_grams(sentence: str, window: int) -> dict[str, float]:
    """Words (weight 1) and ordered pairs of words at most window apart within a clause (weight 1 / distance).

    Pairs bind a colour to its part, so swapping two colours changes the embedding; no pair crosses a comma, so
    "red crown, yellow belly" has no "crown yellow". A gram that occurs twice keeps its larger weight.
    """
    grams: dict[str, float] = {}
    for words in clauses(sentence):
        for place, word in enumerate(words):
            grams[word] = 1.0
            for distance in range(1, min(window, len(words) - 1 - place) + 1):
                pair = f"{word} {words[place + distance]}"
                grams[pair] = max(grams.get(pair, 0.0), 1.0 / distance)
    return grams


class HashingEncoder(TextEncoder):
    """Each gram is a vector of signs taken from its hash; a sentence is their weighted sum.

    The result has length sqrt(dim), so entries have a mean square of 1. Dense signs instead of one hashed position a
    gram: no two grams ever share a whole code, and any gram can be read back linearly with noise of about sqrt(grams /
    dim). dim: width. window: how many words apart a pair may be. A sentence without words is the zero vector.
    """

    def __init__(self, *, name: str, dim: Positive, window: Positive) -> None:
        self.name, self.dim, self.window = name, dim, window
        self._code = lru_cache(maxsize=100_000)(self._signs)

    @property
    def fingerprint(self) -> str:
        """Of the parameters and the version of this file."""
        return fingerprint({"encoder": "hashing", "version": VERSION, "dim": self.dim, "window": self.window})

    def encode(self, sentences: Sequence[str], progress: Progress | None = None) -> Embeddings:
        """(N, dim) float32, each of length sqrt(dim)."""
        out = np.zeros((len(sentences), self.dim), np.float32)
        for row, sentence in enumerate(sentences):
            for gram, weight in weighted_grams(sentence, self.window).items():
                out[row] += np.float32(weight) * self._code(gram)
            if progress is not None:
                progress(1)
        length = np.linalg.norm(out, axis=1, keepdims=True)
        return np.asarray(out * (self.dim**0.5 / np.maximum(length, 1e-6)), np.float32)

    def _signs(self, gram: str) -> NDArray[np.int8]:
        digest = hashlib.shake_256(gram.encode()).digest(-(-self.dim // 8))
        bits = np.unpackbits(np.frombuffer(digest, np.uint8), count=self.dim)
        return (bits.astype(np.int8) * 2 - 1).astype(np.int8)
