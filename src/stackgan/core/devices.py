"""Getting numbers to a device without waiting for it."""

import torch
from torch import Tensor


def moved(value: Tensor, device: torch.device) -> Tensor:
    """value on the device. To a GPU from page-locked memory: from any other kind the host waits for the copy."""
    return value.pin_memory().to(device, non_blocking=True) if device.type == "cuda" and not value.is_cuda else value.to(device)
