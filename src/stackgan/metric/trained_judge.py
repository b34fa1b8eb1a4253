"""The judge that `stage=judge` leaves behind."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import nn

from stackgan.core.fingerprint import fingerprint, weights_digest
from stackgan.metric.judge import Judge
from stackgan.metric.looking import RESIZE, Precision, look
from stackgan.metric.score import Array, Pixels


class TrainedJudge(Judge):
    """A classifier of a data set's own classes.

    run: where it came from, in words. any_data: whether it may judge another data set. precision: float32 is the reference. The
    rest comes out of the run: name, network (in evaluation mode, with its weights), size: pixels a side that it judges at, and
    told: its classes by id, its data's fingerprint, its accuracy, for card().
    """

    gives = frozenset({"features", "logits"})
    frechet_name = "frechet"

    def __init__(
        self, *, run: str, any_data: bool, precision: Precision, name: str, network: nn.Module, size: int, told: Mapping[str, Any]
    ) -> None:
        self.run, self.any_data, self.precision = run, any_data, precision
        self.name, self.size, self.told = name, size, told
        of: Any = network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self.network = of
        self.dim, self.classes = int(self.network.dim), int(self.network.head.out_features)
        self.device = torch.device("cpu")

    @cached_property
    def weights(self) -> str:
        """sha256 of its weights."""
        return weights_digest(self.network.state_dict())

    @property
    def fingerprint(self) -> str:
        """Of weights, size and precision."""
        return fingerprint({"judge": self.name, "weights": self.weights, "size": self.size, "precision": self.precision})

    def check(self) -> None:
        """It is loaded already."""

    def to(self, device: torch.device | str) -> "TrainedJudge":
        """Itself, on another device."""
        self.device = torch.device(device)
        self.network.to(self.device)
        return self

    def card(self) -> dict[str, Any]:
        """See Judge."""
        return {
            "name": self.name, "network": type(self.network).__name__, "weights": self.weights, "classes": self.classes,
            "resize": f"{self.size} px, {RESIZE}", "precision": self.precision, **self.told,
        }  # fmt: skip

    def observe(self, pictures_NHWC: Pixels, sentences: Sequence[str]) -> dict[str, Array]:
        """See Judge."""
        return look(self.network, pictures_NHWC, self.size, self.device, self.precision)
