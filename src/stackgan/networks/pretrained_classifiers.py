"""Classifiers whose bodies were trained on ImageNet: their last layer is new, and they take bytes as float32 (0..255)."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from stackgan.core.ranges import Positive
from stackgan.networks.efficientnet import FEATURES, EfficientNetLite0


class EfficientNetLite0Classifier(nn.Module):
    """Pictures (B, 3, H, W) to 1,280 features and class logits; made for 224 pixels."""

    def __init__(self, classes: Positive) -> None:
        super().__init__()
        self.body = EfficientNetLite0(classes=1)
        del self.body._fc
        self.dim, self.head = FEATURES, nn.Linear(FEATURES, classes)

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take the body of a published state dict."""
        self.body.load_state_dict({name: value for name, value in weights.items() if not name.startswith("_fc.")})

    def features(self, x_BCHW: Tensor) -> Tensor:
        """(B, 1280)."""
        return self.body.features((x_BCHW - 127) / 128)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, classes) logits."""
        found: Tensor = self.head(self.features(x_BCHW))
        return found


class InceptionV3Classifier(nn.Module):
    """torchvision's Inception-v3 (Szegedy et al. 2016) to 2,048 features and class logits; made for 299 pixels."""

    def __init__(self, classes: Positive) -> None:
        super().__init__()
        from torchvision.models import inception_v3  # takes a second to import

        self.body = inception_v3(weights=None, init_weights=False, transform_input=False, aux_logits=False)
        self.dim, self.head = int(self.body.fc.in_features), nn.Linear(self.body.fc.in_features, classes)
        self.body.fc = nn.Identity()
        # Of ImageNet's pictures in [0, 1], which torchvision's weights were trained with.
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take the body of a published state dict; its auxiliary head is not used."""
        self.body.load_state_dict({name: value for name, value in weights.items() if not name.startswith(("fc.", "AuxLogits."))})

    def features(self, x_BCHW: Tensor) -> Tensor:
        """(B, 2048): the last pooling, with dropout while it trains."""
        found: Tensor = self.body((x_BCHW / 255 - self.mean) / self.deviation)
        return found

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, classes) logits."""
        found: Tensor = self.head(self.features(x_BCHW))
        return found
