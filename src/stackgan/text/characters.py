"""Sentences as places in Reed's alphabet: what the character CNN-RNN reads (Reed et al., CVPR 2016)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stackgan.core.fingerprint import fingerprint
from stackgan.text.encoder import Embeddings, Progress, TextEncoder

LENGTH = 201
"""Characters read of a sentence; the rest is cut off."""

ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-,;.!?:'\"/\\|_@#$%^&*~`+-=<>()[]{} "
"""70 symbols, numbered from 1. The hyphen stands in it twice, and the later number is its own, as in the published code."""

PLACES = {symbol: place for place, symbol in enumerate(ALPHABET, start=1)}


def places(sentences: Sequence[str], lower_case: bool) -> NDArray[np.uint8]:
    """(N, LENGTH): each character's number; 0 for characters outside the alphabet and beyond the end."""
    out = np.zeros((len(sentences), LENGTH), np.uint8)
    for row, sentence in enumerate(sentences):
        read = (sentence.lower() if lower_case else sentence)[:LENGTH]
        out[row, : len(read)] = [PLACES.get(symbol, 0) for symbol in read]
    return out


class CharacterEncoder(TextEncoder):
    """The characters themselves, 201 numbers a sentence, as `stage=text_encoder` trains on them; no embedding for a generator.

    lower_case: read capitals as small letters; the published code does not, so that a capital is an unknown character.
    """

    gives = "characters"
    dim = LENGTH

    def __init__(self, *, name: str, lower_case: bool) -> None:
        self.name, self.lower_case = name, lower_case

    @property
    def fingerprint(self) -> str:
        """Of the alphabet and the setting."""
        return fingerprint({"encoder": "characters", "alphabet": ALPHABET, "length": LENGTH, "lower_case": self.lower_case})

    def encode(self, sentences: Sequence[str], progress: Progress | None = None) -> Embeddings:
        """(N, 201) float32 numbers of the alphabet, 0 for none."""
        found = places(sentences, self.lower_case).astype(np.float32)
        if progress is not None:
            progress(len(sentences))
        return found
