"""Looks at pictures and reads their sentences, and brings both into one space: what R-precision compares."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from stackgan.core.fingerprint import fingerprint
from stackgan.core.shapes import ImageEncoder
from stackgan.metric import looking
from stackgan.metric.looking import RESIZE
from stackgan.metric.score import Array, Pixels

CHUNK = 32


class JointScorer:
    """Gives "picture_embedding" and "sentence_embedding", both (N, E) float32 of length 1.

    name: the last part of its scores' keys. images: pictures of its size to features (N, F). image_map: features to (N, E).
    read: sentences to (N, E). content: fingerprint of both maps' weights and of what read() rests on. told: what its card says
    beside (its run, its data, its zero-shot accuracy). Embeddings need not have any length; zeros stay zeros.
    """

    gives = frozenset({"picture_embedding", "sentence_embedding"})

    def __init__(
        self,
        name: str,
        images: ImageEncoder,
        image_map: nn.Module,
        read: Callable[[Sequence[str]], Tensor],
        content: str,
        told: Mapping[str, Any],
    ) -> None:
        self.name, self.images, self.read, self.content, self.told = name, images, read, content, told
        self.image_map = image_map.eval().requires_grad_(False)

    @property
    def fingerprint(self) -> str:
        """See Observer."""
        return fingerprint({"joint scorer": self.content, "images": self.images.fingerprint, "resize": RESIZE})

    def check(self) -> None:
        """See Observer."""
        self.images.check()

    def card(self) -> dict[str, Any]:
        """What travels with its scores."""
        return {"name": self.name, "fingerprint": self.fingerprint, "resize": RESIZE, **self.told}

    @torch.no_grad()
    def observe(self, pictures_NHWC: Pixels, sentences: Sequence[str]) -> dict[str, Array]:
        """See Observer. float32 maps, whatever autocast surrounds it; the image encoder has a precision of its own."""
        with torch.autocast("cpu", enabled=False):
            starts = range(0, len(pictures_NHWC), CHUNK)
            features = [self.images.encode(resized(pictures_NHWC[start : start + CHUNK], self.images.size)) for start in starts]
            features_NF = np.concatenate(features) if features else np.zeros((0, self.images.dim), np.float32)
            picture_NE = self.image_map(torch.from_numpy(features_NF))
            sentence_NE = self.read(sentences) if sentences else picture_NE
        pairs = {"picture_embedding": picture_NE, "sentence_embedding": sentence_NE}
        return {name: nn.functional.normalize(found.float(), dim=1).numpy() for name, found in pairs.items()}


def resized(pictures_NHWC: Pixels, size: int) -> Array:
    """looking.resized() as image encoders take it: (N, size, size, 3) float32 in 0..255."""
    return looking.resized(pictures_NHWC, size).permute(0, 2, 3, 1).numpy()
