"""One call of sample.py, from settings to a folder of pictures."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import torch
from omegaconf import DictConfig
from pydantic import BeforeValidator

from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.core.shapes import Weights
from stackgan.devices import machine
from stackgan.draw import sentences
from stackgan.draw.mode import Comparison, Mode, Request
from stackgan.draw.painter import Painter
from stackgan.launch import loading, objects, pictures, placing, schema, settings

Sentence = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) in (int, float) else value)]
"""Hydra reads text=12 as a number."""


Config = Mapping[str, Any]


class Places(settings.Part):
    """Where runs are looked for, and where Hydra lists the jobs of -m."""

    logs: str
    sweeps: str


class Settings(settings.Part):
    """conf/sample/sample.yaml."""

    run: str
    runs: list[str] | None
    checkpoint: loading.Which
    text: Sentence | list[Sentence] | None
    file: str | None
    image: str | list[str] | None
    image_whole: bool
    box: list[float] | None
    parts: dict[str, list[float]] | None
    part_run: str | None
    n: Positive
    seed: Natural
    weights: Weights
    same_noise: bool
    accelerator: settings.Accelerator
    out: str | None
    paths: Places
    mode: dict[str, Any]


def sample(composed: DictConfig) -> Path:
    """Draw what the settings ask for; returns the new folder. Raises UserError before anything is written."""
    config = schema.check(composed, Settings)
    mode: Mode = objects.build(config["mode"], "mode")
    images = pictures.files(config["image"])
    shared = {key: config[key] for key in ("n", "seed", "same_noise", "weights")}
    request = Request(_sentences(config), images=images, **shared)
    mode.check(request)
    placing.check(config)
    references = _references(config, mode)
    torch.set_num_threads(machine.threads({"devices": 1}))
    where = {"checkpoint": config["checkpoint"], "logs": config["paths"]["logs"], "accelerator": config["accelerator"]}
    painters = [loading.load(reference, **where) for reference in references]
    placing.check_used(painters, config)
    if request.sentences:
        painters = [placing.placed(painter, config, request.sentences[0]) for painter in painters]
    for painter in painters:
        print(f"{painter.origin.source}: {painter.origin.caption(request.weights)}", flush=True)
    request = replace(request, pixels_NHWC=_pixels(config, painters[0], images))

    def fill(folder: Path) -> None:
        if isinstance(mode, Comparison):
            mode.compare(painters, request, folder)
        else:
            mode.draw(painters[0], request, folder)
        atomic.write_json(folder / "about.json", _about(config, request, painters, mode.sentences(request)))

    parent = _parent(config, painters)
    try:
        folder = atomic.write_folder(parent, mode.name, fill)
    except OSError as error:
        raise UserError(f"out={parent}: cannot be written ({error.strerror}); set out to a folder you can write") from error
    _tell(folder)
    return folder


def _references(config: Config, mode: Mode) -> list[str]:
    """Whose generators draw. Raises UserError for several where the mode compares none."""
    runs = config["runs"]
    if runs is None:
        return [config["run"]]
    if not isinstance(mode, Comparison):
        raise UserError(f"runs=[{','.join(runs)}]: mode={mode.name} draws with one; set run=..., or mode=versus")
    if not runs:
        raise UserError("runs=[]: needs systems to compare; give runs=[run://<stage>/<data>/<name or latest>,...]")
    return list(runs)


def _pixels(config: Config, painter: Painter, images: tuple[Path, ...]) -> pictures.Pixels | None:
    """The named pictures as this generator would have drawn them."""
    if not images:
        return None
    painter.check_inverts()
    stretch = bool(painter.origin.config["data"]["contrast_stretch"])
    return pictures.read(images, painter.resolution, stretch, config["image_whole"])


def _parent(config: Config, painters: list[Painter]) -> Path:
    """Where the new folder goes: what several systems drew belongs to none of their runs."""
    if config["out"]:
        return Path(config["out"])
    home = Path(config["paths"]["logs"]) if config["runs"] is not None else loading.folder_of(painters[0].origin)
    return home / "samples"


def _sentences(config: Config) -> tuple[str, ...]:
    text, file = config["text"], config["file"]
    if text is not None and file is not None:
        raise UserError(f"file={file}: text is given too; give one of them")
    if file is not None:
        return tuple(sentences.read(Path(file)))
    given = [] if text is None else [text] if isinstance(text, str) else text
    return tuple(sentences.cleaned(sentence) for sentence in given)


def _about(config: Config, request: Request, painters: list[Painter], drawn: tuple[str, ...]) -> dict[str, Any]:
    """What the pictures are: the settings, whose they are, and which sentence each file name begins with."""
    by = [
        {
            "source": origin.source, "images_seen": origin.images_seen, "weights": origin.weights(request.weights),
            "provenance": origin.provenance,
        }
        for origin in (painter.origin for painter in painters)
    ]  # fmt: skip
    names = {sentences.name(sentence, request.seed, 0).split("-")[0]: sentence for sentence in drawn}
    about = {"settings": config, "drawn_by": by[0] if config["runs"] is None else by, "sentences": names}
    return about | ({"images": [str(path) for path in request.images]} if request.images else {})


def _tell(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        print(f"{path} ({sum(1 for _ in path.iterdir())} files)" if path.is_dir() else path)
    sys.stdout.flush()
