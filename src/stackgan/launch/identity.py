"""What makes two runs the same run: everything that changes the weights, and nothing else."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.launch import allowed, cli
from stackgan.runs.folder import RunFolder
from stackgan.stage.plan import Plan
from stackgan.stage.plans import PLANS

Config = Mapping[str, Any]
BUDGET = {"images", "epochs", "base_images"}
SAID_BY_DATA = {"region"}
NOT_TRAINING = {"epochs", "epsilon_at_test"}
OF_STAGE2 = {"first_trained", "first_lr_factor", "first_norm"}
PLACES = {"root", "cache", "workers", "prepare_workers", "first_resolution", "folder", "file"}


def identity(config: Config) -> dict[str, Any]:
    """Stage, network, recipe, data, text, seed and global batch; not budget, devices, precision, places."""
    stage = {key: value for key, value in config["stage"].items() if key not in BUDGET | SAID_BY_DATA}
    if "base" in stage and (stage["base"] in ("train", "latest", "run://latest") or _means_one_kind(stage)):
        del stage["base"]
    idle = NOT_TRAINING | (OF_STAGE2 if stage["name"] != "stage2" else set())
    stage["recipe"] = {key: value for key, value in stage["recipe"].items() if key not in idle}
    if "network" in stage:
        stage["network"] = _of_this_stage(config["stage"])
    if "image_encoder" in stage:
        stage["image_encoder"] = {key: value for key, value in stage["image_encoder"].items() if key != "weights"}
    if stage.get("classifier", {}).get("start"):
        start = {key: value for key, value in stage["classifier"]["start"].items() if key != "weights"}
        stage["classifier"] = stage["classifier"] | {"start": start}
    parts = {name: {k: v for k, v in config[name].items() if k not in PLACES} for name in ("data", "text")}
    return {"stage": stage, "seed": config["seed"], **parts}


def _means_one_kind(stage: Config) -> bool:
    """Whether `stage.base` says the newest of the only kind that can be meant; otherwise it says which system is underneath."""
    if not str(stage["base"]).endswith("/latest"):
        return False
    below = _plan(stage).below(stage)
    return below is None or below.stage is not None


def _of_this_stage(stage: Config) -> dict[str, Any]:
    """A network file describes both stages of StackGAN; only what this stage is built of changes its weights."""
    built_of = [id(part.settings) for part in _plan(stage).parts(stage, defaultdict(int)).values()]

    def kept(value: Any) -> bool:
        return not isinstance(value, Mapping) or any(id(player) in built_of for player in value.values())

    return {key: value for key, value in stage["network"].items() if kept(value)}


def _plan(stage: Config) -> type[Plan]:
    """Without importing the stage, where its plan can be had alone. Raises UserError for a class that conf/ does not offer."""
    target = str(stage["_target_"])
    allowed.check_target("stage", target)
    return PLANS.get(target) or allowed.resolve("stage", target)


def folder(config: Config) -> RunFolder:
    """The folder of the run that these settings mean. Raises UserError where its name was used under other settings."""
    root = Path(config["paths"]["logs"])
    if cli.multirun():
        root = Path(config["paths"]["sweeps"]) / config["sweep"]["name"]
    name = config["run"]["name"] or fingerprint(identity(config))
    base = root / config["stage"]["name"] / config["data"]["name"]
    found = RunFolder(base / name)
    if config["run"]["fresh"] and found.path.exists():
        number = next(i for i in range(2, 10_000) if not (base / f"{name}-{i}").exists())
        return RunFolder(base / f"{name}-{number}")
    settings = found.settings()
    if settings and (changed := list(differences(identity(settings), identity(config)))):
        raise UserError(
            f"run.name={name}: {found.path} was begun with other settings ({'; '.join(changed[:5])}); "
            "set another run.name, or run.fresh=true for a new folder beside it"
        )
    return found


def check_facts(folder: RunFolder, facts: Mapping[str, Any], source: str) -> None:
    """Raise UserError where the run was begun on other pictures, another split or other embeddings than these.

    facts: all, or those known so far. source: the setting that they come from, with its value.
    """
    if not folder.provenance.exists():
        return
    begun_with = folder.facts()["data"]
    if changed := list(differences({key: begun_with.get(key) for key in facts}, facts)):
        raise UserError(
            f"{source}: not what {folder.path} was begun with ({'; '.join(changed[:3])}); bring that back, "
            "or set run.fresh=true for a new folder beside it"
        )


def differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """'stage.recipe.beta1 was 0.5, is 0.0' for every leaf that differs."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            yield from differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif old != new:
        yield f"{path} was {old}, is {new}"
