"""torch-fidelity's Inception, the network of published FIDs, from a weight file that the user has; never downloaded."""

import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.metric.judge import Judge
from stackgan.metric.score import Array, Pixels

FILE = "weights-inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d"
"""How the sha256 of the published file begins: all that its name says of it."""

WAY = (
    f"fetch {FILE} of https://github.com/toshas/torch-fidelity/releases/tag/v0.2.0 (saved by others as "
    "pt_inception-2015-12-05-6726825d.pth) and set judge.weights to it, or set judge=auto"
)
CHUNK = 32
NAMES = ("2048", "logits_unbiased")


class FidelityInception(Judge):
    """2,048 features and 1,008 logits without bias, as torch-fidelity computes them from bytes, resized as TensorFlow 1 does.

    weights: the file; None: none is there. sha256: how the file's hash must begin.
    """

    gives = frozenset({"features", "logits"})
    name, dim, classes, frechet_name = "inception", 2048, 1008, "fid"

    def __init__(self, *, weights: str | None, sha256: str = SHA256) -> None:
        self.weights, self.sha256 = weights, sha256
        self.device = torch.device("cpu")

    @cached_property
    def weights_hash(self) -> str:
        """sha256 of the file. Raises UserError where it is missing or another one."""
        if self.weights is None:
            raise UserError(f"judge.weights=null: torch-fidelity's Inception needs its weight file; {WAY}")
        path = Path(self.weights)
        if not path.is_file():
            raise UserError(f"judge.weights={path}: no such file; {WAY}")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not found.startswith(self.sha256):
            raise UserError(f"judge.weights={path}: sha256 begins with {found[:8]}, not with the published {self.sha256}; {WAY}")
        return found

    @property
    def fingerprint(self) -> str:
        """Of the weights."""
        return fingerprint({"judge": self.name, "weights": self.weights_hash})

    def check(self) -> None:
        """Raise UserError where the weights are missing or others."""
        _ = self.weights_hash

    def to(self, device: torch.device | str) -> "FidelityInception":
        """Itself, on another device."""
        self.device = torch.device(device)
        return self

    def card(self) -> dict[str, Any]:
        """See Judge. It never learnt the data set's classes, and has no accuracy on it."""
        return {
            "name": self.name, "network": "torch-fidelity inception-v3-compat", "weights": self.weights_hash,
            "classes": self.classes, "accuracy": None, "data": "ImageNet", "resize": "299 px, TensorFlow 1's bilinear",
            "precision": "float32",
        }  # fmt: skip

    @cached_property
    def _network(self) -> Any:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

        self.check()
        assert self.weights is not None
        try:
            # torch-fidelity reads the file without weights_only: it is opened here first, which runs no code in it.
            torch.load(self.weights, map_location="cpu", weights_only=True)
            network = FeatureExtractorInceptionV3("inception-v3-compat", list(NAMES), self.weights)
        except Exception as error:
            line = str(error).strip().splitlines()[-1].strip()
            raise UserError(f"judge.weights={self.weights}: not weights of torch-fidelity's Inception ({line})") from error
        return network.eval().requires_grad_(False)

    @torch.inference_mode()
    def observe(self, pictures_NHWC: Pixels, sentences: Sequence[str]) -> dict[str, Array]:
        """See Judge."""
        network = self._network.to(self.device)
        features, logits = [np.zeros((0, self.dim), np.float32)], [np.zeros((0, self.classes), np.float32)]
        with torch.autocast(self.device.type, enabled=False):
            for start in range(0, len(pictures_NHWC), CHUNK):
                chunk_NHWC = np.ascontiguousarray(pictures_NHWC[start : start + CHUNK])
                found = network(torch.from_numpy(chunk_NHWC).permute(0, 3, 1, 2).to(self.device))
                features.append(found[0].float().cpu().numpy())
                logits.append(found[1].float().cpu().numpy())
        return {"features": np.concatenate(features), "logits": np.concatenate(logits)}
