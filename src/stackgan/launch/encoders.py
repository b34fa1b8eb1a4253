"""Text encoders from settings; a trained one from its run, or from what a checkpoint carried along."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stackgan.core.errors import UserError
from stackgan.launch import cli
from stackgan.launch.objects import build
from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder
from stackgan.runs.ledger import runs
from stackgan.text.encoder import TextEncoder

Config = Mapping[str, Any]
STAGE = "text_encoder"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def text_encoder(
    config: Config, run: str | None = None, carried: Config | None = None, from_checkpoint: bool = False
) -> TextEncoder:
    """The encoder of `text=`. run: the folder that found() gave. carried: the trained network that a checkpoint brought instead."""
    node, given = config["text"], {}
    if "run" in node:
        parts = carried if carried is not None else _trained(config, RunFolder(Path(run or str(found(config)))))
        given = {"trained": parts, "network": build(parts["network"], "text.network", from_checkpoint=True)}
    encoder: TextEncoder = build(node, "text", from_checkpoint, **given)
    return encoder


def roots(config: Config) -> list[Path]:
    """Where runs are looked for: in a multirun its own folder first."""
    sweep = [Path(config["paths"]["sweeps"]) / config["sweep"]["name"]] if cli.multirun() else []
    return [*sweep, Path(config["paths"]["logs"])]


def _trained(config: Config, run: RunFolder) -> dict[str, Any]:
    """What CharCnnRnnEncoder wants, out of the newest checkpoint of the run."""
    newest = checkpoint.newest_whole(run.checkpoints)
    if newest is None:
        raise UserError(f"text.run={config['text']['run']}: {run.path} holds no checkpoint; train it again")
    state = newest[1]
    if state["config"]["text"]["name"] != "characters":
        reads = state["config"]["text"]["name"]
        way = "name a run with stage/encoder=char_cnn_rnn or char_cnn_gru"
        raise UserError(f"text.run={config['text']['run']}: {run.path} reads text={reads}, no characters; {way}")
    return trained(state)


def trained(state: Mapping[str, Any]) -> dict[str, Any]:
    """What CharCnnRnnEncoder wants, out of a checkpoint of a run that read characters."""
    prefix = "text."
    weights = {key.removeprefix(prefix): value for key, value in state["weights"].items() if key.startswith(prefix)}
    return {
        "network": state["config"]["stage"]["encoder"]["network"],
        "weights": weights,
        "lower_case": state["config"]["text"]["lower_case"],
        "scale": float(state["weights"]["mean_square"]) ** -0.5,
        "images_seen": state["images_seen"],
        "trained_on": state["data"]["pictures"],
    }


def found(config: Config) -> str | None:
    """The folder of the run that `text.run` names, None for encoders that need no run. Raises UserError where there is none."""
    if "run" not in config["text"]:
        return None
    reference, data = config["text"]["run"], config["data"]["name"]
    train = f"train one: python src/train.py stage={STAGE} data={data}"
    parts = [STAGE, data, "latest"] if reference == "run://latest" else str(reference).removeprefix("run://").split("/")
    sound = len(parts) == 3 and parts[0] == STAGE and all(_PART.fullmatch(part) for part in parts)
    if not str(reference).startswith("run://") or not sound:
        raise UserError(f"text.run={reference}: not a text encoder's run; give run://{STAGE}/<data>/<name|latest>, or {train}")
    fit = next(_candidates(config, parts[1], parts[2]), None)
    if fit is None:
        where = roots(config)[0] / STAGE / parts[1]
        raise UserError(f"text.run={reference}: no finished run of a text encoder under {where}; {train}")
    return str(fit.path)


def _candidates(config: Config, data: str, name: str) -> Iterator[RunFolder]:
    for root in roots(config):
        for run in runs(root, STAGE, data, "*" if name == "latest" else name):
            readable = name != "latest" or run.settings()["text"]["name"] == "characters"
            if run.done.exists() and readable:
                yield run
