"""Sentences as users give them, made fit to be drawn, and the names and keys of their pictures."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint


def cleaned(sentence: str) -> str:
    """The sentence with every run of white space, newlines and tabs included, as one space.

    Of any length and in any script. Raises UserError where nothing is left, or where it is not text (bytes that are not UTF-8).
    """
    found = " ".join(sentence.split())
    if not found:
        raise UserError('text="": an empty sentence; say what should be drawn')
    try:
        found.encode()
    except UnicodeEncodeError:
        raise UserError(f"text={found.encode(errors='replace').decode()[:80]}: not valid UTF-8; give it as UTF-8") from None
    return found


def read(path: Path) -> list[str]:
    """The sentences of a UTF-8 file, one a line; blank lines are left out. Raises UserError where there are none."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UserError(f"file={path}: cannot be read ({error.strerror}); name a text file with a sentence a line") from None
    except UnicodeDecodeError as error:
        raise UserError(f"file={path}: not UTF-8 at byte {error.start}; save it as UTF-8, a sentence a line") from None
    if found := [cleaned(line) for line in lines if line.strip()]:
        return found
    raise UserError(f"file={path}: no sentence in it; write one a line")


def keys(sentences: Sequence[str], n: int, seed: int, same_noise: bool) -> Tensor:
    """(N, n) int64 noise keys: functions of (sentence, seed, index), with same_noise of (seed, index) alone.

    They know nothing of the system that draws, so two systems' pictures of the same sentence, seed and index pair up.
    """
    places = [() if same_noise else (int(fingerprint(sentence, 16), 16),) for sentence in sentences]
    rows = [[chance.key(seed, "picture", *place, index) for index in range(n)] for place in places]
    return torch.tensor(rows, dtype=torch.int64).reshape(len(sentences), n)


def name(sentence: str, seed: int, index: int) -> str:
    """What a picture's file is called: `<8 hexadecimal digits of the sentence's hash>-<seed>-<index>`, however long it is."""
    return f"{fingerprint(sentence)}-{seed}-{index}"
