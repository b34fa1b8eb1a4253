"""Python 2 pickles are read, and nothing in them runs."""

import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stackgan.core.errors import UserError
from stackgan.data import pickles
from stackgan.data.pickles import read_pickle


def saved(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def as_python_2(value: Any) -> bytes:
    """Protocol 2 with the names NumPy had then."""
    return pickle.dumps(value, protocol=2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


SCALARS = (
    b"(lp0\ncnumpy.core.multiarray\nscalar\np1\n(cnumpy\ndtype\np2\n(S'i8'\np3\nI0\nI1\ntp4\nRp5\n(I3\nS'<'\np6\nNNNI-1\nI-1\nI0\n"
    b"tp7\nbS'\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00'\np8\ntp9\nRp10\nag10\na."
)
"""[2, 2] as Python 2 wrote the authors' class_info.pickle."""


def test_what_the_authors_wrote(tmp_path: Path) -> None:
    assert read_pickle(saved(tmp_path / "a", SCALARS)) == [2, 2]
    assert read_pickle(saved(tmp_path / "b", b"(lp0\nV002.Laysan/L\\u00e9_1\np1\nag1\na.")) == ["002.Laysan/L\u00e9_1"] * 2


def test_any_byte_in_an_old_string(tmp_path: Path) -> None:
    assert read_pickle(saved(tmp_path / "a", b"S'\\xff\xfe'\n.")) == "\xff\xfe"


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ["<f4", ">f8", "|u1", "<i8", "|b1"])
def test_arrays_of_every_protocol(tmp_path: Path, protocol: int, kind: str) -> None:
    value = [np.arange(6).reshape(2, 3).astype(kind), 7, "x", None, (1.5, True, b"\xff")]
    content = pickle.dumps(value, protocol=protocol)
    if protocol == 5 and b"_frombuffer" in content:
        with pytest.raises(UserError, match="refused"):
            read_pickle(saved(tmp_path / "a", content))
        return
    found = read_pickle(saved(tmp_path / "a", content))
    np.testing.assert_array_equal(found[0], value[0])
    assert found[0].dtype == value[0].dtype
    assert found[1:] == value[1:]


def test_arrays_as_python_2_named_them(tmp_path: Path) -> None:
    value = [np.random.default_rng(0).random((10, 8)).astype(np.float32), np.asfortranarray(np.arange(6).reshape(2, 3))]
    content = as_python_2(value)
    assert b"numpy.core.multiarray" in content
    for one, other in zip(read_pickle(saved(tmp_path / "a", content)), value, strict=True):
        np.testing.assert_array_equal(one, other)


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, marker: Path, call: Any) -> None:
        self.marker, self.call = marker, call

    def __reduce__(self) -> Any:
        return (os.system, (f"touch {self.marker}",)) if self.call is os.system else (self.call, (str(self.marker), "w"))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("call", [os.system, open])
@pytest.mark.parametrize("inside", [False, True])
def test_a_payload_is_refused_and_does_not_run(tmp_path: Path, protocol: int, call: Any, inside: bool) -> None:
    payload: Any = Payload(tmp_path / "marker", call)
    content = pickle.dumps([np.array([payload], dtype=object)] if inside else payload, protocol=protocol)
    with pytest.raises(UserError, match=r"refused, it contains .*a pickle from elsewhere can run any program"):
        read_pickle(saved(tmp_path / "bad.pickle", content))
    assert not (tmp_path / "marker").exists()
    if not inside:  # that it would have run is no illusion
        pickle.load(io.BytesIO(content))
        assert (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"(S'touch marker'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'touch marker'\no.",  # OBJ
        b"\x80\x02cos\nsystem\n)\x81.",  # NEWOBJ
        b"\x80\x02\x82\x01.",  # EXT1
        b"Pmarker\n.",  # PERSID
        b"cnumpy\nndarray\n(I2\ntR.",  # an array made by hand
        b"cnumpy\nndarray\n.",
        b"\x80\x02}K\x01" + b"2\x86" * 50 + b"K\x01s.",  # a key that takes 2 ** 50 steps to hash
        b"cnumpy\ndtype\n.",
        b"cnumpy\nload\n(S'marker'\ntR.",
        b"cnumpy\ndtype\n(S'O'\ntR.",
        b"cnumpy\ndtype\n(S'f4,O'\ntR.",
        b"cnumpy\ndtype\n(I4\ntR.",
        b"cnumpy\ndtype\n(S'f4'\ntR(I3\nS'O'\ntb.",
        b"cnumpy.core.multiarray\nscalar\n(S'f4'\nS'1234'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct\n(S'list'\n(I0\ntS'b'\ntR.",
        b"cnumpy.core.multiarray\nscalar\nN}S'work'\nI1\ns\x86b.",  # a change to one of our own types
        b"c_codecs\nencode\n(S'x'\nS'rot13'\ntR.",
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"c__builtin__\nobject\n.",
    ],
)
def test_other_instructions_and_names(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UserError, match=r"^\S*bad\.pickle: refused, it contains"):
        read_pickle(saved(tmp_path / "bad.pickle", content))


@pytest.mark.parametrize("content", [b"", b"(lp0\n", b"no pickle", b"]a.", b"\x80\x04\x95\xff", b"S'x\n.", b"I1x\n.", b"g7\n."])
def test_what_is_no_pickle(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UserError, match=r"^\S*bad\.pickle: (not a whole pickle|refused)"):
        read_pickle(saved(tmp_path / "bad.pickle", content))
    with pytest.raises(UserError, match="cannot be read"):
        read_pickle(tmp_path / "missing.pickle")


def test_arrays_that_lie_about_their_size(tmp_path: Path) -> None:
    content = as_python_2(np.zeros((2, 3), np.uint8)).replace(b"K\x02K\x03\x86", b"K\x09K\x03\x86")
    with pytest.raises(UserError, match="not a whole pickle"):
        read_pickle(saved(tmp_path / "bad.pickle", content))


def test_files_that_are_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "LIMIT", 10)
    with pytest.raises(UserError, match="11 bytes, more than 10 are not read"):
        read_pickle(saved(tmp_path / "bad.pickle", b"S'1234567'."))


def test_tuples_of_each_other_end(tmp_path: Path) -> None:
    """Fifty levels, each of two times the one below: 2 ** 50 if each were looked at."""
    found = read_pickle(saved(tmp_path / "a", b"\x80\x02K\x01" + b"2\x86" * 50 + b"."))
    for _ in range(50):
        assert found[0] is found[1]
        found = found[0]
    assert found == 1


def test_tuples_of_each_other_in_a_types_place(tmp_path: Path) -> None:
    content = b"\x80\x02cnumpy\ndtype\n(K\x01" + b"2\x86" * 50 + b"tR."
    with pytest.raises(UserError, match="refused, it contains an array of tuple"):
        read_pickle(saved(tmp_path / "bad.pickle", content))


def test_tuples_with_arrays_keep_their_own(tmp_path: Path) -> None:
    value = [(np.full(2, i), (str(i), i)) for i in range(500)]
    for i, (array, rest) in enumerate(read_pickle(saved(tmp_path / "a", as_python_2(value)))):
        assert (array.tolist(), rest) == ([i, i], (str(i), i))


@pytest.mark.parametrize("put", [b"r\xff\xff\xff\x7f", b"r\x00\x00\x00\x01", b"q\xff", b"p999999999\n"])
def test_a_place_far_beyond_those_in_use(tmp_path: Path, put: bytes) -> None:
    with pytest.raises(UserError, match=r"refused, it contains the place \d+ for a value"):
        read_pickle(saved(tmp_path / "bad.pickle", b"\x80\x02]" + put + b"."))


def test_too_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(pickles._Reader, "load", load)
    with pytest.raises(UserError, match=r"bad\.pickle: refused, it asks for more memory than there is"):
        read_pickle(saved(tmp_path / "bad.pickle", b"I1\n."))


def test_a_list_that_holds_itself_ends(tmp_path: Path) -> None:
    value: list[Any] = [1]
    value.append(value)
    found = read_pickle(saved(tmp_path / "a", pickle.dumps(value, protocol=0)))
    assert found[1] is found
