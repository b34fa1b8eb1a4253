"""Config to objects. What depends on the data (text width, training pictures) comes from the data, never by hand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from hydra.utils import instantiate
from torch import nn

from stackgan.core import chance
from stackgan.data.module import CaptionedPictures
from stackgan.launch import allowed
from stackgan.stage.stackgan import StackGAN

Config = Mapping[str, Any]


def build(node: Config, path: str, from_checkpoint: bool = False, **given: Any) -> Any:
    """The object that a `_target_` node describes. Raises UserError where the class is not allowed."""
    allowed.check(node, path, from_checkpoint)
    return instantiate(dict(node), **given, _convert_="all")


def data_module(config: Config) -> CaptionedPictures:
    """The data set of `data=`, with the encoder of `text=`."""
    text = build(config["text"], "text")
    module: CaptionedPictures = build(config["data"], "data", text=text)
    return module


def generator_network(config: Config, text_dim: int, from_checkpoint: bool = False) -> nn.Module:
    """The stage's own generator network, weights drawn from the seed."""
    stage = config["stage"]
    sizes = {"text_dim": text_dim, "resolution": stage["resolution"]}
    sizes["conditioning_augmentation"] = stage["conditioning_augmentation"]
    if stage["name"] == "stage2":
        sizes |= {"text_twice": stage["text_twice"], "first_resolution": 64}
    node = stage["network"][stage["name"]]["generator"]
    with seeded(config["seed"], "generator"):
        network: nn.Module = build(node, "stage.network.generator", from_checkpoint, **sizes)
    return network


def stage(
    config: Config, text_dim: int, epoch_images: int, first: nn.Module | None = None, from_checkpoint: bool = False
) -> StackGAN:
    """The stage with its networks. first: Stage-II's Stage-I generator network."""
    node = config["stage"]
    sizes = {"text_dim": text_dim, "resolution": node["resolution"]}
    network = generator_network(config, text_dim, from_checkpoint)
    with seeded(config["seed"], "discriminator"):
        judge = node["network"][node["name"]]["discriminator"]
        discriminator = build(judge, "stage.network.discriminator", from_checkpoint, **sizes)
    for_launch = {"network", "images", "epochs", "base", "base_images"}
    own = {key: value for key, value in node.items() if key not in for_launch}
    built: StackGAN = build(
        own, "stage", from_checkpoint,
        network=network, discriminator=discriminator, first=first, seed=config["seed"], epoch_images=epoch_images,
    )  # fmt: skip
    return built.to(memory_format=torch.channels_last)


@contextmanager
def seeded(seed: int, stream: str) -> Iterator[None]:
    """Within it PyTorch's global generator is keyed by (seed, stream); afterwards it is as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(chance.key(seed, f"weights/{stream}"))
        yield
