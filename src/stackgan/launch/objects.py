"""One node of the config to an object, and nothing but what is allowed."""

from collections.abc import Mapping
from typing import Any

from hydra.utils import instantiate

from stackgan.launch import allowed

Config = Mapping[str, Any]


def build(node: Config, path: str, from_checkpoint: bool = False, **given: Any) -> Any:
    """The object that a `_target_` node describes. Raises UserError where the class is not allowed."""
    allowed.check(node, path, from_checkpoint)
    # In two steps: Hydra would make a config of the plain data among what is given.
    return instantiate(dict(node), _convert_="all", _partial_=True)(**given)
