"""Where a run's numbers come from: code, packages, machine, data."""

import importlib.metadata
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("torch", "torchvision", "lightning", "hydra-core", "omegaconf", "numpy", "pillow")


def provenance(data: Mapping[str, Any], on_gpu: bool) -> dict[str, Any]:
    """Plain data for provenance.json. data: fingerprints of data set and text encoder. on_gpu: whether the run uses one."""
    device = torch.cuda.get_device_name() if on_gpu else platform.processor() or platform.machine()
    return {
        "commit": _commit(),
        "python": sys.version.split()[0],
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "device": device,
        "threads": torch.get_num_threads(),
        "data": dict(data),
    }


def _commit() -> str:
    """The code's commit, with + behind it where files differ from it; '' outside a checkout."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""
