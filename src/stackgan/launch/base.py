"""`stage.base`: which Stage-I run a Stage-II stands on. The only place that resolves references."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from stackgan.core.errors import UserError
from stackgan.launch import cli, identity, schema
from stackgan.launch.encoders import roots
from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder
from stackgan.runs.ledger import runs

Config = Mapping[str, Any]
NOT_FOR_STAGE1 = (
    "stage", "stage.images", "stage.epochs", "stage.base", "stage.base_images", "stage.resolution", "stage.text_twice", "run.fresh",
)  # fmt: skip
SIZE = 64


def foresee(config: Config, text: Mapping[str, Any]) -> None:
    """Raise UserError now, before the data is touched, where no Stage-I run can fit. text: fingerprint and name of the encoder."""
    if config["stage"]["base"] != "train":
        _fitting(config, text)


def found(config: Config, facts: Mapping[str, Any], train: Callable[[DictConfig], Path]) -> dict[str, Any]:
    """The Stage-I run that `stage.base` means: its folder (`run`), its newest readable `checkpoint`, and `images_seen`.

    facts: fingerprints of this run's data and encoder. train: called for `train` with the composed Stage-I config, returns its
    folder. Raises UserError with the way out.
    """
    run = RunFolder(train(stage1_config(config))) if config["stage"]["base"] == "train" else _fitting(config, facts)
    print(f"Stage-I underneath: {run.path} ({run.images_done():,} images seen)")
    newest = checkpoint.newest_whole(run.checkpoints)
    if newest is None:
        raise UserError(f"{run.path}: holds no checkpoint; train the run again")
    return {"run": str(run.path), "checkpoint": str(newest[0]), "images_seen": newest[1]["images_seen"]}


def stage1_config(config: Config) -> DictConfig:
    """The Stage-I run that belongs to this command: the same words, less those that speak of Stage-II alone."""
    words = [word for word in HydraConfig.get().overrides.task if word.lstrip("+~").split("=")[0] not in NOT_FOR_STAGE1]
    budget = config["stage"]["base_images"]
    words += ["stage=stage1", f"stage.resolution={SIZE}", "stage.text_twice=true", "stage.base=null", "stage.base_images=null"]
    words += ["stage.epochs=null", f"stage.images={budget if budget else 'null'}"]
    return compose(HydraConfig.get().job.config_name, words)


def _fitting(config: Config, facts: Mapping[str, Any]) -> RunFolder:
    """The named run, or the newest finished one that fits."""
    base = config["stage"]["base"]
    if base not in ("latest", "run://latest", f"run://stage1/{config['data']['name']}/latest"):
        run = _referenced(config, base)
        if wrong := list(_unlike(run, config, facts)):
            way = "name a run that does, or set stage.base=train"
            raise UserError(f"stage.base={base}: {run.path} does not fit: {'; '.join(wrong)}; {way}")
        return run
    near, fit = [], []
    for root in roots(config):
        for run in runs(root, "stage1", config["data"]["name"]):
            wrong = list(_unlike(run, config, facts)) if run.done.exists() else ["it is not finished"]
            if wrong:
                near.append(f"{run.path}: {wrong[0]}")
            else:
                fit.append(run)
    if not fit:
        raise UserError(_nothing(config, facts, near))
    if cli.multirun():
        # In a sweep over a switch of the recipe, each job stands on its own Stage-I rather than on the newest of them all.
        wanted = identity.identity(schema.check(stage1_config(config)))
        return next((run for run in fit if identity.identity(run.settings()) == wanted), fit[0])
    return fit[0]


def _nothing(config: Config, facts: Mapping[str, Any], near: list[str]) -> str:
    stage, data, text = config["stage"], config["data"]["name"], facts["text_name"]
    network, recipe = stage["network"]["name"], stage["recipe"]["name"]
    words = f"data={data} text={text} stage/network={network} stage/recipe={recipe}"
    if not stage["conditioning_augmentation"]:
        words += " stage.conditioning_augmentation=false"
    seen = f" (nearest: {near[0]})" if near else ""
    return (
        f"stage.base=latest: no finished Stage-I run with {words} under {roots(config)[0]}/{seen}. "
        f"Train one: python src/train.py stage=stage1 {words}, or set stage.base=train"
    )


def _referenced(config: Config, reference: str) -> RunFolder:
    parts = reference.removeprefix("run://").split("/")
    way = "give run://stage1/<data>/<name> as under logs/"
    if len(parts) != 3 or parts[0] != "stage1":
        raise UserError(f"stage.base={reference}: not a Stage-I run; {way}")
    found = [run for root in roots(config) for run in runs(root, *parts)]
    if not found:
        names = sorted(run.path.name for root in roots(config) for run in runs(root, parts[0], parts[1]))
        raise UserError(f"stage.base={reference}: no such run; {way}" + (f" (there are {', '.join(names[:8])})" if names else ""))
    if not found[0].done.exists():
        raise UserError(f"stage.base={reference}: {found[0].path} is not finished; give its command again to finish it")
    return found[0]


def _unlike(run: RunFolder, config: Config, facts: Mapping[str, Any]) -> Iterator[str]:
    """In what a Stage-I run does not fit this Stage-II run; facts may know less before the data is read."""
    settings, trained_on = run.settings(), run.facts()["data"]
    ours, theirs = config["stage"], settings["stage"]
    pairs = [
        ("data", settings["data"]["name"], config["data"]["name"]),
        ("data's pictures", trained_on["pictures"], facts.get("pictures", trained_on["pictures"])),
        ("text", _encoder(trained_on), _encoder(facts)),
        ("stage/network", theirs["network"]["name"], ours["network"]["name"]),
        ("stage/recipe", theirs["recipe"]["name"], ours["recipe"]["name"]),
        ("stage.resolution", theirs["resolution"], SIZE),
        ("stage.conditioning_augmentation", theirs["conditioning_augmentation"], ours["conditioning_augmentation"]),
    ]
    if cli.multirun():
        pairs.append(("seed", settings["seed"], config["seed"]))
    for name, has, wants in pairs:
        if has != wants:
            yield f"it has {name}={has}, this run needs {wants}"


def _encoder(facts: Mapping[str, Any]) -> str:
    return f"{facts['text_name']} ({facts['text']})"
