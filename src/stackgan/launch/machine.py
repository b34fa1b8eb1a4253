"""What this machine is fast at."""

from collections.abc import Mapping
from typing import Any

import torch

from stackgan.core.errors import UserError


def check(settings: Mapping[str, Any]) -> None:
    """Raise UserError where the machine lacks what `trainer` asks for."""
    if settings["accelerator"] == "gpu" and not torch.cuda.is_available():
        raise UserError("trainer.accelerator=gpu: PyTorch sees no GPU here; set trainer=auto or trainer=cpu")
    if settings["devices"] > 1:
        raise UserError(
            f"trainer.devices={settings['devices']}: training on several devices is not built yet; set trainer.devices=1"
        )


def precision(settings: Mapping[str, Any]) -> str:
    """`trainer.precision`, with auto decided: bf16-mixed where the device has instructions for it."""
    if settings["precision"] != "auto":
        return str(settings["precision"])
    if on_gpu(settings):
        return "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
    fast = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16-mixed" if fast else "32-true"


def on_gpu(settings: Mapping[str, Any]) -> bool:
    """Whether the run will use a GPU."""
    return settings["accelerator"] != "cpu" and torch.cuda.is_available()


def prepare(settings: Mapping[str, Any]) -> None:
    """Process-wide settings that make training fast and change no sample."""
    if settings["threads"]:
        torch.set_num_threads(settings["threads"])
    # Denormal numbers of dying activations slow a CPU many times over.
    torch.set_flush_denormal(True)
    if on_gpu(settings):
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
