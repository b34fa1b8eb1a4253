"""Short, stable names for settings and data."""

import hashlib
import json
from typing import Any


def fingerprint(value: Any, digits: int = 8) -> str:
    """The first hexadecimal digits of the hash of value's canonical JSON. Raises TypeError for what JSON cannot hold."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
