"""One call of sample.py, from settings to a folder of pictures."""

import sys
from pathlib import Path
from typing import Annotated, Any

import torch
from omegaconf import DictConfig
from pydantic import BeforeValidator

from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.core.shapes import Weights
from stackgan.draw import sentences
from stackgan.draw.mode import Mode, Request
from stackgan.draw.painter import Painter
from stackgan.launch import loading, machine, objects, schema, settings

Sentence = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) in (int, float) else value)]
"""Hydra reads text=12 as a number."""


class Places(settings.Part):
    """Where runs are looked for, and where Hydra lists the jobs of -m."""

    logs: str
    sweeps: str


class Settings(settings.Part):
    """conf/sample/sample.yaml."""

    run: str
    checkpoint: loading.Which
    text: Sentence | list[Sentence] | None
    file: str | None
    n: Positive
    seed: Natural
    weights: Weights
    same_noise: bool
    accelerator: loading.Accelerator
    out: str | None
    paths: Places
    mode: dict[str, Any]


def sample(composed: DictConfig) -> Path:
    """Draw what the settings ask for; returns the new folder. Raises UserError before anything is written."""
    config = schema.check(composed, Settings)
    mode: Mode = objects.build(config["mode"], "mode")
    request = Request(_sentences(config), *(config[key] for key in ("n", "seed", "same_noise", "weights")))
    mode.check(request)
    torch.set_num_threads(machine.threads({"devices": 1}))
    where = {"checkpoint": config["checkpoint"], "logs": config["paths"]["logs"], "accelerator": config["accelerator"]}
    painter = loading.load(config["run"], **where)
    print(f"{painter.origin.source}: {painter.origin.caption(request.weights)}", flush=True)
    parent = Path(config["out"]) if config["out"] else loading.folder_of(painter.origin) / "samples"

    def fill(folder: Path) -> None:
        mode.draw(painter, request, folder)
        atomic.write_json(folder / "about.json", _about(config, request, painter, mode.sentences(request)))

    try:
        folder = atomic.write_folder(parent, mode.name, fill)
    except OSError as error:
        raise UserError(f"out={parent}: cannot be written ({error.strerror}); set out to a folder you can write") from error
    _tell(folder)
    return folder


def _sentences(config: dict[str, Any]) -> tuple[str, ...]:
    text, file = config["text"], config["file"]
    if text is not None and file is not None:
        raise UserError(f"file={file}: text is given too; give one of them")
    if file is not None:
        return tuple(sentences.read(Path(file)))
    given = [] if text is None else [text] if isinstance(text, str) else text
    return tuple(sentences.cleaned(sentence) for sentence in given)


def _about(config: dict[str, Any], request: Request, painter: Painter, drawn: tuple[str, ...]) -> dict[str, Any]:
    """What the pictures are: the settings, whose they are, and which sentence each file name begins with."""
    origin = painter.origin
    by = {"source": origin.source, "images_seen": origin.images_seen, "weights": origin.weights(request.weights)}
    names = {sentences.name(sentence, request.seed, 0).split("-")[0]: sentence for sentence in drawn}
    return {"settings": config, "drawn_by": {**by, "provenance": origin.provenance}, "sentences": names}


def _tell(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        print(f"{path} ({sum(1 for _ in path.iterdir())} files)" if path.is_dir() else path)
    sys.stdout.flush()
