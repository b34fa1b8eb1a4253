"""Text encoders from settings; a trained one from its run, or from what a checkpoint carried along."""

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


def text_encoder(config: Config, carried: Config | None = None, from_checkpoint: bool = False) -> TextEncoder:
    """The encoder of `text=`. carried: the trained network of one that a checkpoint brought; else `text.run` is looked up.

    Raises UserError where there is no such run.
    """
    node, given = config["text"], {}
    if "run" in node:
        trained = carried if carried is not None else _trained(config)
        given = {"trained": trained, "network": build(trained["network"], "text.network", from_checkpoint=True)}
    encoder: TextEncoder = build(node, "text", from_checkpoint, **given)
    return encoder


def roots(config: Config) -> list[Path]:
    """Where runs are looked for: in a multirun its own folder first."""
    sweep = [Path(config["paths"]["sweeps"]) / config["sweep"]["name"]] if cli.multirun() else []
    return [*sweep, Path(config["paths"]["logs"])]


def _trained(config: Config) -> dict[str, Any]:
    """What CharCnnRnnEncoder wants, out of the newest checkpoint of the run that `text.run` names."""
    run = _run(config)
    found = checkpoint.newest_whole(run.checkpoints)
    if found is None:
        raise UserError(f"text.run={config['text']['run']}: {run.path} holds no checkpoint; train it again")
    state = found[1]
    if state["config"]["text"]["name"] != "characters":
        reads = state["config"]["text"]["name"]
        way = "name a run with stage/encoder=char_cnn_rnn or char_cnn_gru"
        raise UserError(f"text.run={config['text']['run']}: {run.path} reads text={reads}, no characters; {way}")
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


def _run(config: Config) -> RunFolder:
    reference, data = config["text"]["run"], config["data"]["name"]
    train = f"train one: python src/train.py stage={STAGE} data={data}"
    parts = str(reference).removeprefix("run://").split("/")
    if not str(reference).startswith("run://") or parts not in ([STAGE, *parts[1:3]], ["latest"]):
        raise UserError(f"text.run={reference}: not a text encoder's run; give run://{STAGE}/<data>/<name|latest>, or {train}")
    if parts == ["latest"]:
        parts = [STAGE, data, "latest"]
    found = list(_candidates(config, parts[1], parts[2]))
    if not found:
        where = roots(config)[0] / STAGE / parts[1]
        raise UserError(f"text.run={reference}: no finished run of a text encoder under {where}; {train}")
    return found[0]


def _candidates(config: Config, data: str, name: str) -> Iterator[RunFolder]:
    for root in roots(config):
        for run in runs(root, STAGE, data, "*" if name == "latest" else name):
            readable = name != "latest" or run.settings()["text"]["name"] == "characters"
            if run.done.exists() and readable:
                yield run
