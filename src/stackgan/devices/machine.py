"""What this machine is fast at."""

import functools
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from stackgan.core.errors import UserError
from stackgan.devices import crew


def check(settings: dict[str, Any]) -> None:
    """Raise UserError where the machine lacks what `trainer` asks for; `devices: all` becomes their number."""
    gpus = torch.cuda.device_count() if on_gpu(settings) else 0
    if settings["accelerator"] == "gpu" and not gpus:
        raise UserError("trainer.accelerator=gpu: PyTorch sees no GPU here; set trainer=auto or trainer=cpu")
    if (started := crew.here()) is not None:
        _check_crew(settings, started, gpus)
        return
    if settings["devices"] == "all":
        if not gpus:
            raise UserError("trainer.devices=all: there is no GPU here; say how many CPU processes, as trainer.devices=2")
        settings["devices"] = gpus
    if gpus and settings["devices"] > gpus:
        raise UserError(
            f"trainer.devices={settings['devices']}: there are {gpus} GPUs here; set that many or fewer, or trainer=cpu"
        )


def _check_crew(settings: dict[str, Any], started: crew.Crew, gpus: int) -> None:
    """Whoever started the processes says how many there are."""
    if settings["devices"] not in ("all", 1, started.world):
        way = f"leave it out, or set trainer.devices={started.world}"
        raise UserError(f"trainer.devices={settings['devices']}: {started.by} started {started.world} processes; {way}")
    if started.uneven or started.world % started.local_world:
        where = f"{started.uneven} a machine" if started.uneven else f"{started.local_world} of them here"
        uneven = f"{started.by} started {started.world} processes, {where}"
        raise UserError(f"trainer.devices={settings['devices']}: {uneven}; start the same number on each machine")
    if gpus and started.local_world > gpus:
        way = "start that many or fewer, or set trainer=cpu"
        if started.by == "srun" and gpus == 1:  # perhaps one was bound to each
            way = f"let each see all that are here (--gpus-per-node={started.local_world} --gpu-bind=none), or set trainer=cpu"
        seen = f"{started.by} started {started.local_world} processes here, and this one sees {gpus} of the GPUs"
        raise UserError(f"trainer.accelerator={settings['accelerator']}: {seen}; {way}")
    settings["devices"] = started.world


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


def visible() -> list[str]:
    """The GPUs that this process may use, by the names that CUDA_VISIBLE_DEVICES takes."""
    told = os.environ.get("CUDA_VISIBLE_DEVICES")
    return (
        [str(number) for number in range(torch.cuda.device_count())] if told is None else [name for name in told.split(",") if name]
    )


def described(settings: Mapping[str, Any]) -> str:
    """The device that the run will use, for people."""
    return str(torch.cuda.get_device_name()) if on_gpu(settings) else f"{torch.get_num_threads()} CPU threads"


def load() -> float | None:
    """Processes that wanted a core in the last minute, on average; None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def prepare(settings: Mapping[str, Any]) -> None:
    """Process-wide settings that make training fast and change no sample."""
    sensible = threads(settings)
    torch.set_num_threads(settings["threads"] or sensible)
    # Denormal numbers of dying activations slow a CPU many times over.
    torch.set_flush_denormal(True)
    if on_gpu(settings):
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True


def threads(settings: Mapping[str, Any]) -> int:
    """CPU threads of a process where none are set: PyTorch's choice, within the container's share, divided among the ranks."""
    cores = min(_threads_at_first(), _quota())
    started = crew.here()
    # torchrun and srun have given each its threads already; the container they share.
    ranks = int(settings["devices"]) if started is None else 1
    return max(1, min(cores // ranks, cores if started is None else _quota() // started.local_world))


@functools.cache
def _threads_at_first() -> int:
    """Before an earlier job of this process changed it."""
    return torch.get_num_threads()


def _quota() -> int:
    """Cores' worth of time that Linux's control group allows this process; PyTorch looks at the cores alone."""
    try:
        limit, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, math.ceil(int(limit) / int(period)))
    except (OSError, ValueError):
        return sys.maxsize
