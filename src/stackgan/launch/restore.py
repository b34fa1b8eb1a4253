"""A checkpoint or a run back to a stage, from its own config alone."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from stackgan.launch import build
from stackgan.stage.base import Stage
from stackgan.stage.conditional import Conditional
from stackgan.stage.stacked import Alone
from stackgan.stage.stackgan import StackGAN


def stage(state: Mapping[str, Any]) -> Stage:
    """The stage that wrote this checkpoint, with its weights; a Stage-II brings its Stage-I along."""
    first = build.generator_network(state["first"]["config"], state["data"], True) if state["first"] else None
    built = build.stage(state["config"], state["data"], first, from_checkpoint=True)
    built.load_run_state(state, optimizers=False)
    return built


def drawing(
    config: Mapping[str, Any], facts: Mapping[str, Any], first: Mapping[str, Any] | None, weights: Mapping[str, Tensor]
) -> Conditional:
    """The stage without its discriminator, to draw with: `generator.*` of weights, and `average.*` where they are among them.

    Takes no time to initialise, since the networks are built without memory and take the weights over. Raises ValueError or
    RuntimeError where the weights do not fit the settings.
    """
    with torch.device("meta"):
        below = build.generator_network(first["config"], facts, True) if first else None
        built = build.stage(config, facts, below, from_checkpoint=True)
    assert isinstance(built, Conditional)
    built.discriminator = nn.Identity()
    if not any(name.startswith("average.") for name in weights):
        built.average = None
    for name, value in built.state_dict().items():
        if name in weights and weights[name].dtype != value.dtype:
            raise ValueError(f"{name} is {weights[name].dtype}, not {value.dtype}")
    built.load_state_dict(weights, assign=True)
    return built.eval().to(memory_format=torch.channels_last)


def generator_to_stand_on(state: Mapping[str, Any]) -> nn.Module:
    """A Stage-I run's generator network for Stage-II: averaged weights where the run kept them."""
    built = stage(state)
    assert isinstance(built, StackGAN)
    owner = built.average if built.average is not None else built.generator
    assert isinstance(owner, Alone)
    return owner.network.requires_grad_(True)
