"""Sentences as they are given, and what keys and file names they get."""

from pathlib import Path

import pytest
import torch

from stackgan.core.errors import UserError
from stackgan.draw import sentences


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("a red\n bird", "a red bird"), ("\ta\u00a0bird \r\n", "a bird"), ("赤い鳥", "赤い鳥"), ("x" * 10_000, "x" * 10_000),
        ("a, b=c (d)", "a, b=c (d)"),
    ],
)  # fmt: skip
def test_white_space_is_one_space_and_all_else_is_kept(given: str, read: str) -> None:
    assert sentences.cleaned(given) == read


@pytest.mark.parametrize("given", ["", "  ", "\n\t"])
def test_empty_is_refused(given: str) -> None:
    with pytest.raises(UserError, match="an empty sentence; say what should be drawn"):
        sentences.cleaned(given)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(UserError, match="not valid UTF-8"):
        sentences.cleaned("a bird \udcff")


def test_a_file_has_a_sentence_a_line(tmp_path: Path) -> None:
    path = tmp_path / "s.txt"
    path.write_bytes("\ufeffa red bird\r\n\n  鳥  \nlast".encode())
    assert sentences.read(path) == ["a red bird", "鳥", "last"]


@pytest.mark.parametrize(("content", "complaint"), [(b"\n \n", "no sentence in it"), (b"ok\n\xff", "not UTF-8 at byte 3")])
def test_files_that_are_refused(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "s.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=complaint):
        sentences.read(path)
    with pytest.raises(UserError, match="cannot be read"):
        sentences.read(tmp_path / "none.txt")


def test_keys_depend_on_sentence_seed_and_index_alone() -> None:
    alone, both = sentences.keys(["a"], 3, 0, False), sentences.keys(["b", "a"], 5, 0, False)
    assert alone.dtype == torch.int64
    assert alone.shape == (1, 3)
    assert torch.equal(alone[0], both[1, :3])
    assert len(both.unique()) == 10
    assert not torch.isin(sentences.keys(["a"], 3, 1, False), alone).any()
    assert both.min() >= 0


def test_the_same_noise_for_all_sentences() -> None:
    key_NK = sentences.keys(["a", "b"], 3, 0, True)
    assert torch.equal(key_NK[0], key_NK[1])
    assert len(key_NK[0].unique()) == 3


def test_file_names_are_short_and_say_what_they_are() -> None:
    name = sentences.name("x" * 10_000, 7, 12)
    assert len(name) == len("12345678-7-12")
    assert name.endswith("-7-12")
    assert sentences.name("y", 7, 12) != name
