"""Wrapping keeps to its width and its lines, whatever the text."""

import pytest

from stackgan.plots.lettering import ELLIPSIS, font, wrap

LETTERS = font(14)


def test_short_text_is_untouched() -> None:
    assert wrap("a small  red\nbird", LETTERS, 400, 3) == ["a small red bird"]
    assert wrap("", LETTERS, 400, 3) == []


def test_wraps_between_words() -> None:
    text = "this flower has long white petals with a yellow stamen"
    lines = wrap(text, LETTERS, 160, 10)
    assert len(lines) > 1
    assert " ".join(lines) == text
    assert all(LETTERS.getlength(line) <= 160 for line in lines)


@pytest.mark.parametrize(
    "text", ["very " * 500, "x" * 5000, "花びらは黄色です" * 50, "🌸" * 100, "ا" * 300, "a\u0000b \u200b" * 200]
)
def test_what_does_not_fit_ends_in_an_ellipsis(text: str) -> None:
    lines = wrap(text, LETTERS, 160, 3)
    assert len(lines) == 3
    assert lines[-1].endswith(ELLIPSIS)
    assert all(LETTERS.getlength(line) <= 160 for line in lines)


def test_exactly_full_needs_no_ellipsis() -> None:
    assert wrap("one two", LETTERS, int(LETTERS.getlength("one")) + 1, 2) == ["one", "two"]


def test_too_narrow_for_one_letter_still_ends() -> None:
    assert len(wrap("abc def", LETTERS, 1, 2)) == 2
