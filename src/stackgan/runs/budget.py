"""How long a run trains."""

from collections.abc import Mapping
from typing import Any


def images_to_see(config: Mapping[str, Any], train_size: int) -> int:
    """The budget in images, in whole batches. train_size: training pictures, of which an epoch drops the last odd ones."""
    stage = config["stage"]
    batch = stage["recipe"]["batch_size"]
    epochs = stage["epochs"] or stage["recipe"]["epochs"]
    iterations = -(-stage["images"] // batch) if stage["images"] else epochs * (train_size // batch)
    return int(iterations * batch)
