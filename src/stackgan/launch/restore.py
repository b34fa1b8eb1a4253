"""A checkpoint or a run back to a stage, from its own config alone."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from stackgan.launch import build
from stackgan.stage.base import Stage
from stackgan.stage.conditional import Conditional
from stackgan.stage.stacked import Alone
from stackgan.stage.style_encoder import StyleEncoderStage

Config = Mapping[str, Any]
Drawing = Conditional | StyleEncoderStage
"""Stages that are Samplers."""


def stage(state: Config) -> Stage:
    """The stage that wrote this checkpoint, with its weights; what it stands on comes along."""
    built = build.stage(state["config"], state["data"], below(state["config"], state["data"], state["first"]), from_checkpoint=True)
    built.load_run_state(state, optimizers=False)
    return built


def below(config: Config, facts: Config, first: Config | None) -> nn.Module | None:
    """What a stage of this config stands on, weights still to come; None where it stands on nothing.

    first: see kept(). facts: of the stage's data.
    """
    if first is None:
        return None
    standing = build.stage_class(config, from_checkpoint=True).below(config["stage"])
    if standing is None or not standing.whole:
        return build.generator_network(first["config"], facts, True)
    under = below(first["config"], facts, first.get("first"))
    return _drawing_alone(build.stage(first["config"], facts, under, from_checkpoint=True))


def kept(state: Config) -> dict[str, Any]:
    """What a stage's checkpoints hold of the run that it stands on, beside its weights; a Stage-II has a run of its own below."""
    return {"config": state["config"]} | ({"first": kept_first} if (kept_first := state["first"]) else {})


def drawing(config: Config, facts: Config, first: Config | None, weights: Mapping[str, Tensor]) -> Drawing:
    """The stage without its discriminator, to draw with; without the averaged generator where `average.*` are not among weights.

    Takes no time to initialise, since the networks are built without memory and take the weights over. Raises ValueError or
    RuntimeError where the weights do not fit the settings.
    """
    with torch.device("meta"):
        built = build.stage(config, facts, below(config, facts, first), from_checkpoint=True)
    assert isinstance(built, Drawing)
    if isinstance(built, Conditional):
        built.discriminator = nn.Identity()
        if not any(name.startswith("average.") for name in weights):
            built.average = None
    for name, value in built.state_dict().items():
        if name in weights and weights[name].dtype != value.dtype:
            raise ValueError(f"{name} is {weights[name].dtype}, not {value.dtype}")
    built.load_state_dict(weights, assign=True)
    return built.eval().to(memory_format=torch.channels_last)


def to_stand_on(config: Config, state: Config) -> nn.Module:
    """What a new stage of this config takes of a finished run's checkpoint: averaged weights where the run kept them."""
    built, standing = stage(state), build.stage_class(config).below(config["stage"])
    assert isinstance(built, Conditional)
    assert standing is not None
    if standing.whole:
        return _drawing_alone(built)
    owner = built.average if built.average is not None else built.generator
    assert isinstance(owner, Alone)
    return owner.network.requires_grad_(True)


def _drawing_alone(built: Stage) -> Conditional:
    """A system with the generator that draws for people, and nothing else."""
    assert isinstance(built, Conditional)
    built.generator, built.average = built.average if built.average is not None else built.generator, None
    built.discriminator = nn.Identity()
    return built
