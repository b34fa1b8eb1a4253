"""A small classifier from scratch, for pictures that need no more: drawn birds at 64 pixels."""

import itertools

import torch
from torch import Tensor, nn

from stackgan.core.ranges import Positive


def _block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class SmallClassifier(nn.Module):
    """Pictures (B, 3, H, W), bytes as float32 (0..255), to 8 * width features and class logits.

    Four halvings, each followed by a layer that keeps the size; then the mean over all places.
    """

    def __init__(self, classes: Positive, width: Positive = 32) -> None:
        super().__init__()
        widths = (3, width, 2 * width, 4 * width, 8 * width)
        pairs = itertools.pairwise(widths)
        self.body = nn.Sequential(*(layer for a, b in pairs for layer in (_block(a, b, 2), _block(b, b, 1))))
        self.dim, self.head = widths[-1], nn.Linear(widths[-1], classes)

    def features(self, x_BCHW: Tensor) -> Tensor:
        """(B, 8 * width)."""
        return torch.mean(self.body(x_BCHW / 127.5 - 1), dim=(2, 3))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, classes) logits."""
        found: Tensor = self.head(self.features(x_BCHW))
        return found
