"""The errors that a user, not a developer, has to act on."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in settings or data: one line with the key, its value and the way out. The program prints it and exits with 2."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class RunError(Exception):
    """A run that cannot go on, whatever its settings (a rank died, the disk is full): one line; the program exits with 1."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """'; did you mean X?' for the choice nearest to word, or '' where none is near."""
    near = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
