"""What turns pictures into features: pretrained networks from weight files, never downloaded."""

import hashlib
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint

BATCH = 32


class PretrainedImageEncoder(ABC):
    """Features of square pictures from a frozen network.

    name: as in `stage/image_encoder=`. size: pixels a side that the network wants. dim: F. weights: a file, or None for what a
    package carries. precision: float32 is the reference; bfloat16 is several times as fast where the processor has it.
    setting: where these settings lie, for complaints.
    """

    name: str
    size: int
    dim: int

    def __init__(self, name: str, weights: str | None, precision: Literal["float32", "bfloat16"], setting: str) -> None:
        self.name, self.weights, self.precision, self.setting = name, weights, precision, setting

    @property
    def group(self) -> str:
        """The group that this was chosen from, for complaints."""
        return self.setting.removesuffix(".start").replace(".", "/")

    @property
    def fingerprint(self) -> str:
        """Of the weights' content and the precision."""
        return fingerprint({"image encoder": self.name, "weights": self.weights_hash, "precision": self.precision})

    @cached_property
    def weights_hash(self) -> str:
        """sha256 of the weight file. Raises UserError where it is missing or not what it must be."""
        path = self.file()
        if not path.is_file():
            raise UserError(f"{self.setting}.weights={path}: no such file; {self.way_out()}")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        self.check_hash(found)
        return found

    @abstractmethod
    def file(self) -> Path:
        """Where the weights are. Raises UserError where no package carries them."""

    @abstractmethod
    def way_out(self) -> str:
        """How to get the weights."""

    def check_hash(self, found: str) -> None:
        """Raise UserError where only one file will do and this is another."""
        return

    @abstractmethod
    def network(self) -> nn.Module:
        """The untrained network, to be filled from the file."""

    @abstractmethod
    def features(self, network: nn.Module, x_BCHW: Tensor) -> Tensor:
        """(B, F) of bytes as float32 (0..255)."""

    def check(self) -> None:
        """Raise UserError where encode() could not work; cheap."""
        _ = self.weights_hash

    def encode(self, pictures_NHWC: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, size, size, 3) bytes, or floats in their range, to (N, F) float32."""
        pieces = []
        for start in range(0, len(pictures_NHWC), BATCH):
            x_BCHW = torch.from_numpy(pictures_NHWC[start : start + BATCH]).permute(0, 3, 1, 2).float()
            half = self.precision == "bfloat16"
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                pieces.append(self.features(self.network_loaded, x_BCHW).float().numpy())
        return np.concatenate(pieces) if pieces else np.zeros((0, self.dim), np.float32)

    @cached_property
    def network_loaded(self) -> nn.Module:
        """The network with its weights, frozen. Raises UserError where the file is not what it must be."""
        self.check()
        network = self.network()
        try:
            state = torch.load(self.file(), map_location="cpu", weights_only=True)
            network.load_state_dict(state)
        except Exception as error:
            line = str(error).strip().splitlines()[-1].strip()
            raise UserError(f"{self.setting}.weights={self.file()}: not weights of {self.name} ({line})") from error
        return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)
