"""Sentences as numbers of Reed's alphabet."""

import numpy as np
import pytest

from stackgan.text.characters import ALPHABET, LENGTH, CharacterEncoder, places


def test_the_alphabet_is_the_published_one() -> None:
    assert len(ALPHABET) == 70
    assert (ALPHABET.index("-"), ALPHABET.rindex("-")) == (36, 59)
    assert set(ALPHABET) >= set("abcdefghijklmnopqrstuvwxyz0123456789 ")


@pytest.mark.parametrize(
    ("symbol", "number"),
    [("a", 1), ("z", 26), ("0", 27), ("9", 36), ("-", 60), (",", 38), ("`", 58), (" ", 70), ("é", 0), ("花", 0)],
)
def test_numbers(symbol: str, number: int) -> None:
    assert places([symbol], lower_case=True)[0].tolist() == [number] + [0] * (LENGTH - 1)


def test_capitals_are_small_letters_or_unknown() -> None:
    assert places(["Red"], True)[0, :3].tolist() == [18, 5, 4]
    assert places(["Red"], False)[0, :3].tolist() == [0, 5, 4]


def test_long_and_empty_sentences() -> None:
    found = places(["a" * 10_000, ""], True)
    assert found[0].tolist() == [1] * LENGTH
    assert not found[1].any()


def test_the_encoder_gives_them_as_floats() -> None:
    encoder = CharacterEncoder(name="characters", lower_case=True)
    found = encoder.encode(["a bee", "Bee"])
    assert (found.dtype, found.shape, encoder.gives) == (np.float32, (2, 201), "characters")
    assert found[1, :3].tolist() == [2, 5, 5]
    assert encoder.fingerprint != CharacterEncoder(name="characters", lower_case=False).fingerprint
    assert encoder.carried() is None
