"""EfficientNet-Lite0: EfficientNet-B0's stages (Tan and Le 2019) without squeeze-and-excitation, with ReLU6, for 224 px pictures.

Names of weights are those of the PyTorch port that published them, so that its file loads as it is.
"""

import torch
from torch import Tensor, nn

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, kernel, stride of the first, expansion, channels."""

FEATURES = 1280


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class SamePadded(nn.Conv2d):
    """A convolution padded as TensorFlow's "SAME": what is odd goes to the right and the bottom."""

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', ceil(H / stride), ceil(W / stride))."""
        sides = []
        for size, kernel, stride in zip(x_BCHW.shape[:1:-1], self.kernel_size[::-1], self.stride[::-1], strict=True):
            missing = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            sides += [missing // 2, missing - missing // 2]
        return super().forward(nn.functional.pad(x_BCHW, sides))


class Block(nn.Module):
    """Expand, filter each channel, project; added to its input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        if expansion > 1:
            self._expand_conv, self._bn0 = nn.Conv2d(inputs, inner, 1, bias=False), _norm(inner)
        self._depthwise_conv = SamePadded(inner, inner, kernel, stride, groups=inner, bias=False)
        self._bn1 = _norm(inner)
        self._project_conv, self._bn2 = nn.Conv2d(inner, outputs, 1, bias=False), _norm(outputs)
        self.expands, self.adds = expansion > 1, stride == 1 and inputs == outputs

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H / stride, W / stride)."""
        inner_BCHW = nn.functional.relu6(self._bn0(self._expand_conv(x_BCHW))) if self.expands else x_BCHW
        inner_BCHW = nn.functional.relu6(self._bn1(self._depthwise_conv(inner_BCHW)))
        projected_BCHW: Tensor = self._bn2(self._project_conv(inner_BCHW))
        return projected_BCHW + x_BCHW if self.adds else projected_BCHW


class EfficientNetLite0(nn.Module):
    """Pictures (B, 3, 224, 224), (x - 127) / 128 of bytes, to 1,280 features and class logits."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = SamePadded(3, 32, 3, 2, bias=False), _norm(32)
        blocks, inputs = [], 32
        for count, kernel, stride, expansion, outputs in STAGES:
            for place in range(count):
                blocks.append(Block(inputs, outputs, kernel, stride if place == 0 else 1, expansion))
                inputs = outputs
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1 = nn.Conv2d(inputs, FEATURES, 1, bias=False), _norm(FEATURES)
        self._fc = nn.Linear(FEATURES, classes)

    def features(self, x_BCHW: Tensor) -> Tensor:
        """(B, 1280): the last map, averaged over its places."""
        x_BCHW = nn.functional.relu6(self._bn0(self._conv_stem(x_BCHW)))
        for block in self._blocks:
            x_BCHW = block(x_BCHW)
        x_BCHW = nn.functional.relu6(self._bn1(self._conv_head(x_BCHW)))
        return torch.mean(x_BCHW, dim=(2, 3))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        """(B, classes) logits."""
        found: Tensor = self._fc(self.features(x_BCHW))
        return found
