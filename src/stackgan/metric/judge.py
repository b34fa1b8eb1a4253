"""A judge: the network through whose eyes pictures are scored, and what must be said of it beside every score."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol

import torch

from stackgan.metric.score import Array, Observer, Pixels


class Judge(Observer, Protocol):
    """Gives "features" (N, F) float32 and "logits" (N, C) float32.

    name: the last part of its scores' keys, `inception_score/<name>`. dim: F. classes: C.
    """

    name: str
    dim: int
    classes: int
    frechet_name: str
    """What a Frechet distance of its features is called: "fid" for torch-fidelity's Inception alone, else "frechet"."""

    @abstractmethod
    def to(self, device: torch.device | str) -> "Judge":
        """Itself, on another device."""

    @abstractmethod
    def card(self) -> dict[str, Any]:
        """What travels with its scores: name, network, weights (sha256), classes, its accuracy, its data, resize."""

    def observe(self, pictures_NHWC: Pixels, sentences: Sequence[str]) -> dict[str, Array]:
        """See Observer; float32 whatever autocast surrounds it, pictures brought to the judge's size as card() says."""
        ...
