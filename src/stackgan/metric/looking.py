"""How a judge looks at pictures: bytes of any size to a network's features and logits, the same way in training and in scoring."""

from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from stackgan.metric.score import Array, Pixels

Precision = Literal["float32", "bfloat16"]
CHUNK = 32
RESIZE = "bilinear, antialiased, in float32"


class Classifier(Protocol):
    """dim: width of the features. head: the last layer, features to logits."""

    dim: int
    head: nn.Linear

    def features(self, x_BCHW: Tensor) -> Tensor:
        """Bytes as float32 (0..255) to (B, dim)."""
        ...


def resized(pictures_NHWC: Pixels, size: int) -> Tensor:
    """uint8 pictures of any size to float32 (N, 3, size, size) in 0..255; see RESIZE. Not rounded to bytes again."""
    return scaled(torch.from_numpy(np.ascontiguousarray(pictures_NHWC)).permute(0, 3, 1, 2), size)


def scaled(x_BCHW: Tensor, size: int) -> Tensor:
    """The same of a tensor of bytes."""
    x_BCHW = x_BCHW.float()
    if x_BCHW.shape[-2:] == (size, size):
        return x_BCHW
    return nn.functional.interpolate(x_BCHW, (size, size), mode="bilinear", align_corners=False, antialias=True)


def quantised(x_BCHW: Tensor) -> Pixels:
    """float32 in 0..255 to uint8 (N, H, W, 3), rounded."""
    pixels: Pixels = x_BCHW.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
    return pixels


@torch.inference_mode()
def look(
    network: Classifier, pictures_NHWC: Pixels, size: int, device: torch.device, precision: Precision = "float32"
) -> dict[str, Array]:
    """{"features": (N, dim), "logits": (N, classes)} float32 of a network in evaluation mode; no autocast around it matters."""
    pieces: list[tuple[Array, Array]] = []
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        for start in range(0, len(pictures_NHWC), CHUNK):
            x_BCHW = resized(pictures_NHWC[start : start + CHUNK], size)
            features_BF = network.features(x_BCHW.to(device).contiguous(memory_format=torch.channels_last))
            logits_BC = network.head(features_BF)
            pieces.append((features_BF.float().cpu().numpy(), logits_BC.float().cpu().numpy()))
    if not pieces:
        return {
            "features": np.zeros((0, network.dim), np.float32),
            "logits": np.zeros((0, network.head.out_features), np.float32),
        }
    features, logits = zip(*pieces, strict=True)
    return {"features": np.concatenate(features), "logits": np.concatenate(logits)}
