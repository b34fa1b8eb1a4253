"""From a reference, a run's folder or a file to something that draws. The only place that resolves references to draw from."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from stackgan.core.errors import UserError, did_you_mean
from stackgan.draw import export
from stackgan.draw.painter import Origin, Painter
from stackgan.launch import allowed, encoders, restore
from stackgan.launch.settings import Accelerator
from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder
from stackgan.runs.ledger import runs
from stackgan.text.encoder import TextEncoder

Which = Literal["newest", "best"]

WAYS = "give run://latest, run://<stage>/<data>/<name or latest> as under logs/, a run's folder, a checkpoint, or an exported file"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def load(
    reference: str | Path = "run://latest",
    *,
    checkpoint: Which = "newest",
    logs: str | Path = "logs",
    accelerator: Accelerator = "auto",
) -> Painter:
    """The painter of a run, a checkpoint or an exported file, as its own settings rebuild it.

    reference: `run://latest` (the newest finished run that can draw), `run://<stage>/<data>/<name or latest>` under logs, a run's
    folder, a checkpoint's file, or what mode=export wrote. checkpoint: a run's newest, or the one with its best score.
    accelerator: auto takes a GPU where there is one. Nothing in the file is run, and no data set is needed. Raises UserError.
    """
    where = device(accelerator)
    origin, weights = _found(str(reference), checkpoint, Path(logs))
    try:
        encoder = checked_encoder(origin)
        if not hasattr(allowed.resolve("stage", str(origin.config["stage"].get("_target_")), from_checkpoint=True), "sample"):
            raise UserError(f"run={reference}: stage={origin.stage} draws no pictures; {WAYS}")
        sampler = restore.drawing(origin.config, origin.facts, origin.first, weights)
    except UserError:
        raise
    except Exception as error:
        what = str(error).splitlines()[0][:120] if str(error) else ""
        raise UserError(f"{origin.source}: this version cannot rebuild its generator ({type(error).__name__}: {what})") from error
    return Painter(sampler.to(where), encoder, origin)


def device(accelerator: Accelerator) -> torch.device:
    """Where to draw and judge. Raises UserError where it must be a GPU and there is none."""
    if accelerator == "gpu" and not torch.cuda.is_available():
        raise UserError("accelerator=gpu: PyTorch sees no GPU here; set accelerator=auto or cpu")
    return torch.device("cuda" if accelerator != "cpu" and torch.cuda.is_available() else "cpu")


def folder_of(origin: Origin) -> Path:
    """Where pictures of this origin go: its run's folder, or the folder its file lies in."""
    file = Path(origin.source)
    run = RunFolder(file.parent.parent)
    return run.path if file.parent == run.checkpoints and run.config.exists() else file.parent


def _found(reference: str, which: Which, logs: Path) -> tuple[Origin, dict[str, Tensor]]:
    path = Path(reference)
    if reference.startswith("run://"):
        return _of_run(_referenced(reference, logs), which, reference)
    if path.is_dir():
        if not RunFolder(path).config.exists():
            raise UserError(f"run={reference}: not a run's folder (no config.json in it); {WAYS}")
        return _of_run(RunFolder(path), which, reference)
    if not path.is_file():
        raise UserError(f"run={reference}: no such file or folder; {WAYS}")
    if path.suffix == ".safetensors":
        return export.read(path)
    return _of_checkpoint(path, checkpoint.load(path, WAYS))


def _of_run(run: RunFolder, which: Which, reference: str) -> tuple[Origin, dict[str, Tensor]]:
    if which == "best":
        best = checkpoint.best(run.checkpoints)
        if best is None:
            raise UserError(f"checkpoint=best: {run.path} kept none (trainer.best names its score); set checkpoint=newest")
        return _of_checkpoint(best, checkpoint.load(best, "set checkpoint=newest"))
    newest = checkpoint.newest_whole(run.checkpoints)
    if newest is None:
        raise UserError(f"run={reference}: {run.path} holds no checkpoint yet; wait for its first, or name another run")
    return _of_checkpoint(*newest)


def _of_checkpoint(path: Path, state: Mapping[str, Any]) -> tuple[Origin, dict[str, Tensor]]:
    """What draws of a checkpoint: all weights but the discriminator's."""
    run = RunFolder(path.absolute().parent.parent)
    provenance = run.facts() if path.parent.name == run.checkpoints.name and run.provenance.exists() else {}
    try:
        weights = {name: value for name, value in state["weights"].items() if not name.startswith("discriminator.")}
        averaged = any(name.startswith("average.") for name in weights)
        origin = Origin(
            state["config"], state["data"], state["first"], int(state["images_seen"]),
            ("average", "live") if averaged else ("live",), provenance, str(path), state.get("text"),
        )  # fmt: skip
        origin.stage, origin.data  # noqa: B018
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(f"checkpoint {path}: not one of a generator ({type(error).__name__}: {error}); {WAYS}") from error
    return origin, weights


def _referenced(reference: str, logs: Path) -> RunFolder:
    parts = reference.removeprefix("run://").split("/")
    if reference == "run://latest":
        parts = ["*", "*", "latest"]
    elif len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):
        raise UserError(f"run={reference}: not a reference; {WAYS}")
    stage, data, name = parts
    if name == "latest":
        for run in runs(logs, stage, data):
            if run.done.exists() and _can_draw(run):
                return run
        raise UserError(f"run={reference}: no finished run that draws under {logs}/. Train one with python src/train.py, or {WAYS}")
    if found := runs(logs, *parts):
        return found[0]
    there = ["/".join(run.path.parts[-3:]) for run in runs(logs)]
    seen = did_you_mean("/".join(parts), there) or (f" (there are {', '.join(sorted(there)[:6])})" if there else "")
    raise UserError(f"run={reference}: no such run under {logs}/{seen}; {WAYS}")


def _can_draw(run: RunFolder) -> bool:
    """Whether its stage is a Sampler, and a checkpoint is left."""
    try:
        stage = allowed.resolve("stage", str(run.settings()["stage"]["_target_"]), from_checkpoint=True)
    except (UserError, KeyError, TypeError, ValueError):
        return False
    return hasattr(stage, "sample") and checkpoint.newest(run.checkpoints) is not None


def checked_encoder(origin: Origin) -> TextEncoder:
    """The encoder of the settings, which must be the very one that the generator learnt from."""
    encoder = encoders.text_encoder(origin.config, carried=origin.encoder, from_checkpoint=True)
    if not encoder.reads_new:
        return encoder  # it says so itself when it is given a sentence; an export needs none
    encoder.check()
    wanted, here = origin.facts["text"], encoder.fingerprint
    if here != wanted:
        raise UserError(
            f"{origin.source}: learnt from the sentence encoder {origin.facts['text_name']} ({wanted}), but here {encoder.name} is "
            f"{here}, whose numbers mean something else to it; bring back the encoder that it learnt from"
        )
    return encoder
