"""The classes a config may build: those that conf/ names, no prefix and nothing else.

Hydra calls its own blocklist best effort; a prefix such as `torch.` would be a way to run code.
"""

import functools
import re
from typing import Any

from hydra.utils import get_class

from stackgan.core.errors import UserError, did_you_mean
from stackgan.launch.places import CONF

OURS = ("stackgan.networks.", "stackgan.text.", "stackgan.stage.")
"""What a config that comes out of a checkpoint may build."""

_TARGET = re.compile(r"_target_:\s*([\w.]+)")


@functools.cache
def targets() -> frozenset[str]:
    """Every `_target_` in conf/."""
    return frozenset(target for path in sorted(CONF.rglob("*.yaml")) for target in _TARGET.findall(path.read_text()))


def resolve(path: str, target: str, from_checkpoint: bool = False) -> type[Any]:
    """The class behind a `_target_` at this path of the config. Raises UserError where it is not allowed."""
    check_target(path, target, from_checkpoint)
    return get_class(target)


def check_target(path: str, target: str, from_checkpoint: bool = False) -> None:
    """Raise UserError where this `_target_` at this path is not allowed. Nothing is imported."""
    if target not in targets() or (from_checkpoint and not target.startswith(OURS)):
        raise UserError(f"{path}._target_={target}: not a class that conf/ offers{did_you_mean(target, targets())}")


def check(node: Any, path: str, from_checkpoint: bool = False) -> None:
    """Refuse a config with a `_target_` that is not allowed, anywhere inside.

    So are interpolations, which `instantiate` would resolve after this look: `${oc.decode:...}` can make a `_target_` of a string.
    """
    if isinstance(node, dict):
        if "_target_" in node:
            resolve(path, str(node["_target_"]), from_checkpoint)
        for key, value in node.items():
            check(value, f"{path}.{key}", from_checkpoint)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            check(value, f"{path}.{index}", from_checkpoint)
    elif isinstance(node, str) and "${" in node:
        raise UserError(f"{path}={node}: an interpolation, which is not resolved here; give the value itself")
