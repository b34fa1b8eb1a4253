"""A joint scorer of small parts: lengths, sizes, fingerprints, and pictures one by one or together."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from stackgan.metric.joint_scorer import JointScorer, resized
from stackgan.metric.score import Array

PICTURES = np.random.default_rng(0).integers(0, 256, (70, 8, 8, 3), dtype=np.uint8)
SENTENCES = tuple(f"sentence {row}" for row in range(70))


class Corners:
    """An image encoder: the colours of a picture's four corners."""

    size, dim, fingerprint = 4, 12, "corners"

    def check(self) -> None:
        return

    def encode(self, pictures_NHWC: Array) -> Array:
        assert pictures_NHWC.shape[1:] == (4, 4, 3)
        return pictures_NHWC[:, ::3, ::3].reshape(len(pictures_NHWC), 12).astype(np.float32)


def lengths(sentences: Sequence[str]) -> Tensor:
    return torch.tensor([[len(sentence), 1.0, 0, 0, 0] for sentence in sentences], dtype=torch.float64)


def scorer(content: str = "a") -> JointScorer:
    torch.manual_seed(0)
    return JointScorer("lengths", Corners(), nn.Linear(12, 5), lengths, content, {"data": "none"})


def test_both_embeddings_have_length_one() -> None:
    found = scorer().observe(PICTURES, SENTENCES)
    assert set(found) == scorer().gives
    for array in found.values():
        assert (array.shape, array.dtype) == ((70, 5), np.float32)
        np.testing.assert_allclose(np.linalg.norm(array, axis=1), 1, atol=1e-6)
    raw = scorer().image_map(torch.from_numpy(Corners().encode(resized(PICTURES[:1], 4)))).detach().numpy()
    np.testing.assert_allclose(found["picture_embedding"][:1], raw / np.linalg.norm(raw), atol=1e-6)


def test_each_picture_stands_alone_whatever_autocast_surrounds_it() -> None:
    together = scorer().observe(PICTURES, SENTENCES)
    with torch.autocast("cpu", torch.bfloat16):
        alone = scorer().observe(PICTURES[64:65], SENTENCES[64:65])
    for name, array in together.items():
        np.testing.assert_allclose(alone[name], array[64:65], atol=1e-6)


def test_no_pictures_are_none() -> None:
    assert {array.shape for array in scorer().observe(PICTURES[:0], ()).values()} == {(0, 5)}


def test_pictures_are_brought_to_size_in_float_and_antialiased() -> None:
    assert np.array_equal(resized(PICTURES, 8), PICTURES.astype(np.float32))
    board = np.zeros((1, 64, 64, 3), np.uint8)
    board[:, ::2] = 255
    # Stripes one pixel wide become grey, not black or white as single points would be.
    assert np.abs(resized(board, 8) - 127.5).max() < 5
    assert resized(board, 4).dtype == np.float32
    steps = np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1).repeat(3, axis=3)
    assert len(np.unique(resized(steps, 5))) > 4


def test_the_fingerprint_follows_the_content() -> None:
    assert scorer().fingerprint == scorer().fingerprint != scorer("b").fingerprint
    assert scorer().card() == {
        "name": "lengths", "fingerprint": scorer().fingerprint, "resize": "bilinear, antialiased, in float32", "data": "none"
    }  # fmt: skip
