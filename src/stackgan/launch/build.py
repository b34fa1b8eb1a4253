"""Config to objects. What depends on the data (text width, training pictures) comes from the data, never by hand."""

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.data.module import CaptionedPictures
from stackgan.launch import allowed, encoders
from stackgan.launch.objects import build
from stackgan.metric.image_encoder import PretrainedImageEncoder
from stackgan.stage.base import Stage
from stackgan.stage.plan import Part
from stackgan.text.encoder import TextEncoder

Config = Mapping[str, Any]


def data_module(config: Config, text_run: str | None = None, encoder: TextEncoder | None = None) -> CaptionedPictures:
    """The data set of `data=`, with the encoder of `text=` and, where the stage reads features of pictures, its image encoder.

    text_run: see encoders.found; None looks for it. encoder: one that is there already, instead.
    """
    given: dict[str, Any] = {"text": encoder or encoders.text_encoder(config, text_run)}
    if "image_encoder" in config["stage"]:
        given["image_encoder"] = build(config["stage"]["image_encoder"], "stage.image_encoder")
    if "classes" in config["stage"]:
        given["classes"] = config["stage"]["classes"]
    module: CaptionedPictures = build(config["data"], "data", **given)
    return module


def start(config: Config) -> PretrainedImageEncoder | None:
    """Whose weights a new stage begins with, None where it begins from chance."""
    node = config["stage"].get("classifier", {}).get("start")
    if node is None:
        return None
    found: PretrainedImageEncoder = build(node, "stage.classifier.start", setting="stage.classifier.start", precision="float32")
    return found


class Lacking(UserError):
    """The data set is whole, and is not of the kind that the stage requires."""


def check_provided(config: Config, data: CaptionedPictures) -> None:
    """Raise UserError where the data set lacks what the stage requires, Lacking where none of its kind could have it."""
    of = stage_class(config)
    if missing := sorted(of.requires - data.provides):
        lacks = f"has no {' and no '.join(missing)}"
        raise Lacking(f"data={data.name}: {lacks}, which stage={config['stage']['name']} needs; take another data set")
    name = config["stage"]["name"]
    wanted = config["stage"].get(name, {}).get("generator", {}).get("parts")
    if wanted is not None and wanted != (there := len(data.source.part_names)):
        key = f"stage.{name}.generator.parts"
        raise UserError(f"{key}={wanted}: data={data.name} has {there} parts a picture; set {key}={there}")


def generator_network(config: Config, facts: Config, from_checkpoint: bool = False) -> nn.Module:
    """The stage's own generator network, weights drawn from the seed. facts: text_dim of the sentences."""
    return network(stage_class(config, from_checkpoint).parts(config["stage"], facts)["network"], config["seed"], from_checkpoint)


def stage(config: Config, facts: Config, base: nn.Module | None = None, from_checkpoint: bool = False) -> Stage:
    """The stage with its networks. facts: text_dim, train_size, feature_dim where pictures are read as features, a judge's classes.

    base: what it stands on (see stage.plan.Below).
    """
    node, of = config["stage"], stage_class(config, from_checkpoint)
    below = of.below(node)
    sizes = facts if below is None else {**facts, "noise_dim": getattr(base, "noise_dim", None)}
    parts = {name: network(part, config["seed"], from_checkpoint) for name, part in of.parts(node, sizes).items()}
    given: dict[str, Any] = {**parts, "seed": config["seed"], "epoch_images": facts["train_size"]}
    takes = inspect.signature(of).parameters
    if below is not None:
        given[below.argument] = base
    if "class_names" in takes:
        given["class_names"] = facts["classes"]
    own = {key: value for key, value in node.items() if key == "_target_" or (key in takes and key not in given)}
    built: Stage = build(own, "stage", from_checkpoint, **given)
    return built.to(memory_format=torch.channels_last)


def stage_class(config: Config, from_checkpoint: bool = False) -> type[Stage]:
    """The class of `stage=`. Raises UserError where it is not allowed."""
    return allowed.resolve("stage", str(config["stage"]["_target_"]), from_checkpoint)


def network(part: Part, seed: int, from_checkpoint: bool) -> nn.Module:
    """A part of a stage, weights drawn from the seed."""
    with seeded(seed, part.stream):
        built: nn.Module = build(part.settings, part.path, from_checkpoint, **part.sizes)
    return built


@contextmanager
def seeded(seed: int, stream: str) -> Iterator[None]:
    """Within it PyTorch's global generator is keyed by (seed, stream); afterwards it is as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chance.key(seed, f"weights/{stream}"))
        yield
