"""What is scored: a run's generator, or a folder of pictures, and the data set whose sentences and pictures it stands beside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from omegaconf import OmegaConf
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint, weights_digest
from stackgan.core.pixels import to_bytes_NHWC
from stackgan.core.shapes import Gallery, Sampler
from stackgan.data.elsewhere import drawings
from stackgan.data.module import CaptionedPictures
from stackgan.data.progress import bar
from stackgan.draw.painter import Origin, Painter
from stackgan.launch import allowed, build, identity, loading, restore, schema
from stackgan.launch.places import CONF
from stackgan.metric.score import Pixels
from stackgan.metric.source import Source, drawn
from stackgan.runs.folder import RunFolder

Config = Mapping[str, Any]
Drawn = Callable[[Gallery, int], Source]

NO_GENERATOR = "pictures of a folder have no generator to leave untrained"
OURS = "stackgan.data."
UNDER = "${paths.data}/"


@dataclass(frozen=True)
class System:
    """name: for people. data: prepared. drawn(gallery, n): its drawings. untrained: the same before training, where there is one.

    folder: where results go. about: what cards say of the pictures. text: fingerprint of the encoder that the generator read.
    device: where it draws, and where judges look.
    """

    name: str
    data: CaptionedPictures
    drawn: Drawn
    untrained: Drawn | None
    folder: RunFolder
    about: Mapping[str, Any]
    text: str
    device: torch.device


def of_run(config: Config, foresee: Callable[[str], None]) -> System:
    """The generator that `run` names. foresee: told the data set's name before it is touched. Raises UserError."""
    logs, which = config["paths"]["logs"], config["checkpoint"]
    painter = loading.load(config["run"], checkpoint=which, logs=logs, accelerator=config["accelerator"])
    origin, weights = painter.origin, painter.origin.weights(config["weights"])
    foresee(origin.data)
    data = _data_of(origin, painter, config)
    stage = origin.config["stage"]
    digest = weights_hash(painter, weights)
    by = fingerprint([digest, stage, painter.device.type], digits=16)
    seed, repeats = config["seed"], config["repeats"]
    about = {
        "system": origin.stage, "source": origin.source, "images_seen": origin.images_seen, "weights": weights,
        "weights_sha256": digest, "resolution": painter.resolution,
        "epsilon": stage["recipe"].get("epsilon_at_test", "none"), "truncation": stage["recipe"].get("epsilon_truncated", False),
        "training_seed": origin.config["seed"], "trained_at": origin.provenance.get("commit", "unknown"),
    }  # fmt: skip

    def untrained(gallery: Gallery, n: int) -> Source:
        sampler = _untrained(origin).to(painter.device)
        return drawn(gallery, partial(_drawn_by, sampler), f"untrained {by}", n, seed, repeats)

    folder = RunFolder(loading.folder_of(origin))
    return System(
        name=f"{origin.source}: {origin.caption(weights)}",
        data=data,
        drawn=lambda gallery, n: drawn(
            gallery, lambda text, key, extras: painter.draw(text, key, weights, extras=extras)[0], by, n, seed, repeats
        ),
        untrained=untrained,
        folder=folder if folder.config.exists() else _evaluated(config, Path(origin.source).stem),
        about=about,
        text=str(origin.facts["text"]),
        device=painter.device,
    )


def of_folder(config: Config, foresee: Callable[[str], None]) -> System:
    """The pictures in `images`, beside the data set of `data=`. foresee: as in of_run(). Raises UserError."""
    folder = Path(config["images"])
    captions = Path(config["captions"]) if config["captions"] else None
    with bar("reading", None) as advance:
        found = drawings(folder, captions, advance)
    foresee(config["data"]["name"])
    data = build.data_module(
        {**config, "data": {**config["data"], "resolution": found.size, "mismatched": "none", "batch_size": 1}}
    )
    _prepare(data)

    def everything(gallery: Gallery, n: int) -> Source:
        # The first picture with this caption; sentences that no picture has are clusters of their own.
        said: dict[str, int] = {}
        for picture, captions in zip(gallery.picture_N.tolist(), gallery.captions, strict=True):
            for caption in captions:
                said.setdefault(caption, picture)
        sentences = found.sentences[:n]
        clusters = [said.setdefault(sentence, -1 - row) for row, sentence in enumerate(sentences)]
        by = fingerprint(["folder", found.content, found.sentences], digits=16)
        return Source(by, sentences, np.array(clusters, np.int64), found.show)

    about = {"system": "pictures of a folder", "source": str(folder), "content_sha256": found.content, "resolution": found.size}
    name, device = f"{folder}: {len(found.files):,} pictures", loading.device(config["accelerator"])
    return System(name, data, everything, None, _evaluated(config, folder.name), about, "", device)


def weights_hash(painter: Painter, weights: str) -> str:
    """sha256 over names and bytes of the weights that draw."""
    prefix = "average." if weights == "average" else "generator."
    return weights_digest({name: value for name, value in painter.sampler.state_dict().items() if name.startswith(prefix)})


def _drawn_by(sampler: Sampler, text_BT: Tensor, key_B: Tensor, extras: Mapping[str, Tensor]) -> Pixels:
    return to_bytes_NHWC(sampler.sample(text_BT, key_B, "live", extras=extras).x_BCHW)


def _untrained(origin: Origin) -> Any:
    facts = {"train_size": 1, **origin.facts}
    below = restore.below(origin.config, facts, origin.first)
    return build.stage(origin.config, facts, below, from_checkpoint=True).eval()


def _data_of(origin: Origin, painter: Painter, config: Config) -> CaptionedPictures:
    """The data set that a generator learnt from, found under this call's paths."""
    node = dict(origin.config["data"])
    if not str(node.get("_target_")).startswith(OURS):
        raise UserError(f"{origin.source}: its data set is built by {node.get('_target_')}, which is none of ours")
    node["root"] = _root_of(origin, config)
    node["cache"] = config["paths"]["cache"]
    # Settings that came after the run: what every data set says by default.
    later = set(schema.signature(allowed.resolve("data", node["_target_"]))) & set(config["data"])
    node |= {key: config["data"][key] for key in later - set(node)}
    data = build.data_module({**origin.config, "data": node}, encoder=painter.encoder)
    _prepare(data)
    begun_with = origin.facts.get("pictures")
    if begun_with != data.fingerprint and (changed := list(identity.differences(begun_with, data.fingerprint))):
        what = "; ".join(changed[:3])
        raise UserError(f"data.root={node['root']}: not what {origin.source} learnt from ({what}); bring that back")
    return data


def _root_of(origin: Origin, config: Config) -> str:
    """Where its pictures lie, under this call's paths; an exported file does not say, and means the published folder."""
    here, data = Path(config["paths"]["data"]), origin.config["data"]
    if "root" in data:
        root, trained = Path(data["root"]), Path(origin.config["paths"]["data"])
        return str(here / root.relative_to(trained)) if root.is_relative_to(trained) else str(root)
    published = str(OmegaConf.to_container(OmegaConf.load(CONF / "data" / f"{origin.data}.yaml"), resolve=False)["root"])  # type: ignore[index,call-overload]
    if not published.startswith(UNDER):
        raise UserError(
            f"run={origin.source}: an exported file does not say where its data={origin.data} lies; score its run instead"
        )
    return str(here / published.removeprefix(UNDER))


def _prepare(data: CaptionedPictures) -> None:
    data.bring()
    data.prepare_data()
    data.setup()


def _evaluated(config: Config, name: str) -> RunFolder:
    return RunFolder(Path(config["paths"]["logs"]) / "evaluated" / name)
