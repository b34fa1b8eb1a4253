"""Judges from settings: `judge=auto` (a run of stage=judge) or `judge=inception`. The only place that resolves `judge.run`."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from stackgan.core.errors import UserError
from stackgan.launch import allowed, build, encoders, objects
from stackgan.metric.judge import Judge
from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder
from stackgan.runs.ledger import runs

Config = Mapping[str, Any]
STAGE = "judge"
GIVES = frozenset({"features", "logits"})
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def judge(node: Config, data_name: str, roots: Sequence[Path], run: str | None = None) -> Judge:
    """The judge of a `judge` node for this data set. roots: where runs lie. run: a folder that found() gave; None looks for it.

    Raises UserError, in one line that says how to get one, where there is none, or none of this data set.
    """
    if "run" not in node:
        other: Judge = objects.build(node, STAGE)
        other.check()
        return other
    folder = RunFolder(Path(run)) if run is not None else found(node, data_name, roots)
    state = _state(folder, node)
    try:
        given = _given(state)
    except UserError:
        raise
    except Exception as error:
        what = str(error).splitlines()[0][:120] if str(error) else ""
        raise UserError(f"{folder.path}: this version cannot rebuild its judge ({type(error).__name__}: {what})") from error
    if (learnt := state["data"]["pictures"]["name"]) != data_name and not node["any_data"]:
        way = f"train one of its own: {_train(data_name)}; or set judge.any_data=true"
        raise UserError(
            f"judge.run={node['run']}: {folder.path} knows the classes of data={learnt}, not of data={data_name}; {way}"
        )
    built: Judge = objects.build(node, STAGE, **given)
    return built


def found(node: Config, data_name: str, roots: Sequence[Path]) -> RunFolder:
    """The finished run that `judge.run` means, the newest where it says latest. Raises UserError where there is none."""
    reference = str(node["run"])
    parts = [STAGE, data_name, "latest"] if reference == "latest" else reference.removeprefix("run://").split("/")
    sound = len(parts) == 3 and parts[0] == STAGE and all(_PART.fullmatch(part) for part in parts)
    if not sound or not (reference == "latest" or reference.startswith("run://")):
        raise UserError(f"judge.run={reference}: not a judge's run; give latest, or run://{STAGE}/<data>/<name|latest>")
    for root in roots:
        for run in runs(root, STAGE, parts[1], "*" if parts[2] == "latest" else parts[2]):
            if run.done.exists():
                return run
    where = roots[0] / STAGE / parts[1]
    raise UserError(f"judge.run={reference}: no finished judge under {where}; train one: {_train(parts[1])}")


def of_training(config: Config) -> str | None:
    """The folder of the judge that scores while training, None where there is none yet or nothing would ask it.

    Raises UserError where one was named (`judge.run=run://...`) and is not there.
    """
    node = config["judge"]
    if config["stage"]["name"] == STAGE or "run" not in node or "scores" not in config["callbacks"]:
        return None
    try:
        return str(found(node, config["data"]["name"], encoders.roots(config)).path)
    except UserError:
        if node["run"] == "latest":
            return None
        raise


def _train(data_name: str) -> str:
    return f"python src/train.py stage={STAGE} data={data_name}"


def _state(run: RunFolder, node: Config) -> dict[str, Any]:
    newest = checkpoint.newest_whole(run.checkpoints)
    if newest is None:
        raise UserError(f"judge.run={node['run']}: {run.path} holds no checkpoint; train it again")
    return newest[1]


def _given(state: Config) -> dict[str, Any]:
    """What TrainedJudge wants, out of a checkpoint: the average of the weights where one was kept."""
    config, facts, weights = state["config"], state["data"], state["weights"]
    of = allowed.resolve("stage", str(config["stage"]["_target_"]), from_checkpoint=True)
    part = of.parts(config["stage"], facts)["classifier"]
    with torch.device("meta"):
        network = build.network(part, config["seed"], from_checkpoint=True)
    prefix = "average." if any(name.startswith("average.") for name in weights) else "classifier."
    own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
    network.load_state_dict(own, assign=True)
    results = state["callbacks"].get("Keeper", {}).get("results", {})
    classifier, data = config["stage"]["classifier"]["name"], facts["pictures"]
    told = {
        "class_names": facts["classes"],
        "accuracy": results.get("accuracy/held_out"),
        "accuracy_pictures": results.get("accuracy/held_out/pictures"),
        "coarse_resolution": (coarse := config["stage"]["recipe"].get("coarse_resolution")),
        "accuracy_coarse": results.get(f"accuracy/held_out/at_{coarse}_px"),
        "data": data,
        "which_classes": config["stage"]["classes"],
        "images_seen": state["images_seen"],
    }
    return {"name": f"{classifier}-{data['name']}", "network": network, "size": config["stage"]["resolution"], "told": told}
