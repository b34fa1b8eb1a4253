"""A checkpoint or a run back to a stage, from its own config alone."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from stackgan.launch import build
from stackgan.stage.base import Stage
from stackgan.stage.stacked import Alone
from stackgan.stage.stackgan import StackGAN


def stage(state: Mapping[str, Any]) -> Stage:
    """The stage that wrote this checkpoint, with its weights; a Stage-II brings its Stage-I along."""
    first = build.generator_network(state["first"]["config"], state["data"], True) if state["first"] else None
    built = build.stage(state["config"], state["data"], first, from_checkpoint=True)
    built.load_run_state(state, optimizers=False)
    return built


def generator_to_stand_on(state: Mapping[str, Any]) -> nn.Module:
    """A Stage-I run's generator network for Stage-II: averaged weights where the run kept them."""
    built = stage(state)
    assert isinstance(built, StackGAN)
    owner = built.average if built.average is not None else built.generator
    assert isinstance(owner, Alone)
    return owner.network.requires_grad_(True)
