"""torchvision's Inception-v3 from a weight file that the user has."""

from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from stackgan.core.errors import UserError
from stackgan.metric.image_encoder import PretrainedImageEncoder

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pictures in [0, 1], which torchvision's weights were trained with."""


class InceptionV3Encoder(PretrainedImageEncoder):
    """2,048 features (the last pooling) of 299 px pictures. weights: a state dict of torchvision.models.inception_v3."""

    size, dim = 299, 2048

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
        if self.weights is None:
            raise UserError(f"{self.setting}.weights=null: {self.group}={self.name} needs a file; {self.way_out()}")
        return Path(self.weights)

    def way_out(self) -> str:
        """See PretrainedImageEncoder."""
        return f"bring inception_v3_google-0cc3c7bd.pth of torchvision, or set {self.group}=efficientnet_lite0"

    def network(self) -> nn.Module:
        """See PretrainedImageEncoder."""
        from torchvision.models import inception_v3

        network: nn.Module = inception_v3(weights=None, init_weights=False, transform_input=False, aux_logits=True)
        return network

    def features(self, network: nn.Module, x_BCHW: Tensor) -> Tensor:
        """See PretrainedImageEncoder."""
        mean, deviation = (torch.tensor(value).view(1, 3, 1, 1) for value in (MEAN, DEVIATION))
        found: list[Tensor] = []
        handle = network.get_submodule("avgpool").register_forward_hook(lambda _module, _given, out: found.append(out))
        try:
            network((x_BCHW / 255 - mean) / deviation)
        finally:
            handle.remove()
        return found[0].flatten(1)
