"""StackGAN experiment platform: text-to-image GANs on PyTorch Lightning and Hydra.

`stackgan.load("run://latest").sample(["a red bird"])` draws in Python what `src/sample.py` draws from the command line.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stackgan.launch.loading import load as load

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`load`, imported when it is asked for: it needs PyTorch Lightning, which takes seconds."""
    if name != "load":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from stackgan.launch.loading import load

    return load
