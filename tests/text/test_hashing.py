import numpy as np
import pytest

from stackgan.text.hashing import HashingEncoder, weighted_grams


@pytest.fixture
def encoder() -> HashingEncoder:
    return HashingEncoder(name="hashing", dim=256, window=2)


def test_shape_type_and_scale(encoder: HashingEncoder) -> None:
    seen: list[int] = []
    embeddings = encoder.encode(["a red flower", "blue petals with a yellow center"], seen.append)
    assert embeddings.shape == (2, 256)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose((embeddings**2).mean(1), 1.0, rtol=1e-5)
    assert sum(seen) == 2


def test_swapping_two_colours_changes_the_embedding(encoder: HashingEncoder) -> None:
    one, other, again = encoder.encode(
        ["a red crown, a yellow belly", "a yellow crown, a red belly", "A RED crown; the yellow belly!"]
    )
    assert one @ other / 256 < 0.8
    np.testing.assert_array_equal(one, again)


def test_the_pair_can_be_read_back(encoder: HashingEncoder) -> None:
    code = encoder.encode(["red crown"])[0]
    with_pair, without = encoder.encode(["it has a red crown, blue wings", "it has a blue crown, red wings"])
    assert code @ with_pair / 256 > 0.5 > code @ without / 256


def test_pairs_stay_in_their_clause_and_weigh_by_distance() -> None:
    assert weighted_grams("a red crown, light yellow belly", window=2) == {
        "red": 1, "crown": 1, "red crown": 1,
        "light": 1, "yellow": 1, "belly": 1, "light yellow": 1, "light belly": 0.5, "yellow belly": 1,
    }  # fmt: skip


@pytest.mark.parametrize("sentence", ["", "the of a", "?!"])
def test_a_sentence_without_words_is_zero(encoder: HashingEncoder, sentence: str) -> None:
    assert not encoder.encode([sentence]).any()


def test_no_sentences(encoder: HashingEncoder) -> None:
    assert encoder.encode([]).shape == (0, 256)


def test_embeddings_are_frozen() -> None:
    encoder = HashingEncoder(name="hashing", dim=8, window=2)
    signs = np.sign(encoder.encode(["red"])[0]).astype(int).tolist()
    assert signs == [-1, 1, -1, -1, 1, -1, -1, -1], "other embeddings under the same fingerprint: raise VERSION in hashing.py"


def test_fingerprint_follows_what_changes_embeddings() -> None:
    prints = {HashingEncoder(name=n, dim=d, window=w).fingerprint for n in "ab" for d in (8, 12) for w in (1, 2)}
    assert len(prints) == 4


@pytest.mark.parametrize("dim", [1, 7, 256, 1000])
def test_any_width(dim: int) -> None:
    assert HashingEncoder(name="hashing", dim=dim, window=1).encode(["red flower"]).shape == (1, dim)
