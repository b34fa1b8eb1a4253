"""Embeddings from a file: looked up, never computed; whatever does not fit is refused."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stackgan.core.errors import UserError
from stackgan.text.embedding_file import EmbeddingFile, write_embeddings
from stackgan.text.precomputed import PrecomputedEncoder

KEYS = ("a", "b/c")
VECTORS = np.arange(1, 13, dtype=np.float32).reshape(2, 2, 3)
VECTORS[1, 1] = 0
CAPTIONS = {"b/c": ("it sings",), "a": ("a red bird", "it sits")}


class Birds:
    """A data set as an encoder sees it."""

    name = "birds"

    def __init__(self, own: Path | None = None) -> None:
        self.own = own

    def embeddings(self) -> Path | None:
        return self.own

    def captions(self) -> Mapping[str, Sequence[str]]:
        return CAPTIONS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_embeddings(tmp_path / "x.npz", KEYS, 2, 3, [VECTORS[0], VECTORS[1, :1]])
    return tmp_path / "x.npz"


def encoder(path: Path | None, own: Path | None = None) -> PrecomputedEncoder:
    made = PrecomputedEncoder(name="precomputed", file=None if path is None else str(path))
    made.attach(Birds(own))
    return made


def encoded(path: Path, keys: Sequence[str] = ("b/c", "a"), captions: Any = None) -> tuple[Any, dict[int, str]]:
    captions = [CAPTIONS[key] for key in keys] if captions is None else captions
    out = np.zeros((len(keys), 3, 3), np.float32)
    return out, encoder(path).encode_records(keys, captions, out)


def test_it_is_a_plain_npz(path: Path) -> None:
    with np.load(path, allow_pickle=False) as file:
        assert file["keys"].tolist() == list(KEYS)
        np.testing.assert_array_equal(file["embeddings"], VECTORS)


def test_lookup_by_key_and_place(path: Path) -> None:
    out, bad = encoded(path)
    assert not bad
    np.testing.assert_array_equal(out[1, :2], VECTORS[0])
    np.testing.assert_array_equal(out[0, 0], VECTORS[1, 0])
    assert not out[0, 1:].any()


def test_sentences_of_the_data_set_are_known_and_others_are_not(path: Path) -> None:
    made = encoder(path)
    np.testing.assert_array_equal(made.encode(["it sits", "it sings", "it sits"]), VECTORS[[0, 1, 0], [1, 0, 1]])
    assert made.encode([]).shape == (0, 3)
    with pytest.raises(UserError, match=r"^text=precomputed: cannot read new sentences \('a blue bird'\).*text=minilm"):
        made.encode(["it sits", "a blue bird"])


def test_the_data_sets_own_file(path: Path) -> None:
    assert encoder(None, own=path).dim == 3
    assert encoder(None, own=path).fingerprint == encoder(path).fingerprint
    with pytest.raises(UserError, match=r"^text\.file=null: data=birds brings no embeddings; set text\.file=<file>\.npz"):
        _ = encoder(None).dim
    with pytest.raises(UserError, match=r"^text\.file=.*no such file"):
        encoder(path.with_name("y.npz")).check()


def test_the_fingerprint_is_of_the_content(path: Path, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "packed.npz", keys=np.array(KEYS), embeddings=VECTORS)
    assert encoder(tmp_path / "packed.npz").fingerprint == encoder(path).fingerprint
    np.savez(tmp_path / "other.npz", keys=np.array(KEYS), embeddings=VECTORS + 1)
    np.savez(tmp_path / "names.npz", keys=np.array(["a", "b/d"]), embeddings=VECTORS)
    prints = {encoder(tmp_path / f"{name}.npz").fingerprint for name in ("packed", "other", "names")}
    assert len(prints) == 3


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_any_float(tmp_path: Path, kind: Any) -> None:
    np.savez(tmp_path / "y.npz", keys=np.array(KEYS), embeddings=VECTORS.astype(kind))
    out, _ = encoded(tmp_path / "y.npz")
    np.testing.assert_array_equal(out[1, :2], VECTORS[0])


def test_pictures_that_do_not_fit(tmp_path: Path, path: Path) -> None:
    out, bad = encoded(path, ("a", "z"), [CAPTIONS["a"], ("x",)])
    assert bad == {1: "has no embeddings in x.npz"}
    assert out[0].any()
    assert encoded(path, ("a", "b/c"), [("one",), ("x",)])[1] == {0: "has 1 captions and 2 embeddings in x.npz"}
    assert encoded(path, ("a", "b/c"), [("1", "2", "3"), ("x",)])[1] == {0: "has 3 captions and 2 embeddings in x.npz"}


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite(tmp_path: Path, value: float) -> None:
    vectors = VECTORS.copy()
    vectors[0, 1, 2] = value
    np.savez(tmp_path / "y.npz", keys=np.array(KEYS), embeddings=vectors)
    _, bad = encoded(tmp_path / "y.npz", ("a", "b/c"))
    assert bad == {0: "has embeddings that are not finite (NaN or infinity)"}


def replaced(**changed: Any) -> Callable[[Path], None]:
    return lambda path: np.savez(path, **{"keys": np.array(KEYS), "embeddings": VECTORS, **changed})


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"PK\x03\x04 no archive"),
        lambda path: path.write_bytes(path.read_bytes()[:-200]),
        lambda path: np.savez(path, keys=np.array(KEYS)),
        lambda path: np.savez(path, embeddings=VECTORS),
        replaced(keys=np.array(["a"])),
        replaced(keys=np.array(["a", "a"])),
        replaced(keys=np.array([1, 2])),
        replaced(keys=np.array(["a", "b"], object)),
        replaced(embeddings=VECTORS[0]),
        replaced(embeddings=VECTORS.astype(np.int64)),
        replaced(embeddings=VECTORS.astype(object)),
        replaced(embeddings=VECTORS[:, :0]),
    ],
)
def test_files_that_are_none(tmp_path: Path, path: Path, damage: Callable[[Path], None]) -> None:
    damage(path)
    with pytest.raises(UserError, match=r"^text\.file=.*no file of embeddings \(.*; bring an \.npz with keys"):
        encoder(path).check()


def test_a_file_that_ends_early(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        write_embeddings(tmp_path / "y.npz", KEYS, 2, 3, (_fails(i) for i in range(2)))
    assert not list(tmp_path.iterdir())
    write_embeddings(tmp_path / "y.npz", KEYS, 2, 3, [VECTORS[0]])
    with pytest.raises(UserError, match="cut short"):
        list(EmbeddingFile(tmp_path / "y.npz").rows())


def _fails(row: int) -> Any:
    if row:
        raise RuntimeError
    return VECTORS[0]
