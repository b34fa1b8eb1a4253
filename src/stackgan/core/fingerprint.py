"""Short, stable names for settings and data."""

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def fingerprint(value: Any, digits: int = 8) -> str:
    """The first hexadecimal digits of the hash of value's canonical JSON. Raises TypeError for what JSON cannot hold."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


def weights_digest(weights: Mapping[str, "Tensor"]) -> str:
    """sha256 of names and values of a state dict; in which file it lies makes no difference."""
    digest = hashlib.sha256()
    for key, value in sorted(weights.items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
