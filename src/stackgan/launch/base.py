"""`stage.base`: which run a stage stands on. The only place that resolves its references."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from stackgan.core.errors import UserError
from stackgan.launch import allowed, build, cli, identity, schema
from stackgan.launch.encoders import roots
from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder
from stackgan.runs.ledger import runs
from stackgan.stage.plan import Below

Config = Mapping[str, Any]
NOT_FOR_STAGE1 = (
    "stage", "stage.images", "stage.epochs", "stage.base", "stage.base_images", "stage.resolution", "stage.text_twice", "run.fresh",
)  # fmt: skip
SIZE = 64
LABELS = {"network.name": "stage/network", "recipe.name": "stage/recipe"}
"""What settings of a stage are called where choosing a file sets them."""


def foresee(config: Config, text: Mapping[str, Any]) -> None:
    """Raise UserError now, before the data is touched, where no run can fit. text: fingerprint and name of the encoder."""
    if config["stage"]["base"] != "train":
        fitting_run(config, text)


def check_kept(config: Config, folder: RunFolder) -> None:
    """Raise UserError where a run that goes on stands on a Stage-I of fewer images than this command would train there."""
    wanted = config["stage"].get("base_images")
    if config["stage"]["base"] != "train" or not wanted or not folder.provenance.exists():
        return
    seen = (folder.facts().get("base") or {}).get("images_seen", wanted)
    if seen < wanted:
        raise UserError(
            f"stage.base_images={wanted}: {folder.path} stands on a Stage-I of {seen:,} images; set stage.base_images={seen} to go "
            "on with it, or run.fresh=true for a new folder beside it"
        )


def found(config: Config, facts: Mapping[str, Any], train: Callable[[DictConfig], Path]) -> dict[str, Any]:
    """The run that `stage.base` means: its folder (`run`), its newest readable `checkpoint`, and `images_seen`.

    facts: fingerprints of this run's data and encoder. train: called for `train` with the composed Stage-I config, returns its
    folder. Raises UserError with the way out.
    """
    run = RunFolder(train(stage1_config(config))) if config["stage"]["base"] == "train" else fitting_run(config, facts)
    what = "Stage-I" if run.path.parts[-3] == "stage1" else run.path.parts[-3]
    print(f"{what} underneath: {run.path} ({run.images_done():,} images seen)")
    newest = checkpoint.newest_whole(run.checkpoints)
    if newest is None:
        raise UserError(f"{run.path}: holds no checkpoint; train the run again")
    return {"run": str(run.path), "checkpoint": str(newest[0]), "images_seen": newest[1]["images_seen"]}


def stage1_config(config: Config) -> DictConfig:
    """The Stage-I run that belongs to this command: the same words, less those that speak of Stage-II alone."""
    words = [word for word in cli.words() if word.lstrip("+~").split("=")[0] not in NOT_FOR_STAGE1]
    budget = config["stage"]["base_images"]
    words += ["stage=stage1", f"stage.resolution={SIZE}", "stage.text_twice=true", "stage.base=null", "stage.base_images=null"]
    words += ["stage.epochs=null", f"stage.images={budget if budget else 'null'}"]
    return compose(HydraConfig.get().job.config_name, words)


def fitting_run(config: Config, facts: Mapping[str, Any]) -> RunFolder:
    """The named run, or the newest finished one that fits."""
    base, below = config["stage"]["base"], _below(config)
    kind = below.stage or "*"
    if base.endswith("/latest") and base != "run://latest":
        kind = _parts(base, below, config)[0]
    if not base.endswith("latest"):
        run = _referenced(config, base, below)
        if wrong := list(_unlike(run, config, facts, below)):
            way = "name a run that does" + (", or set stage.base=train" if below.stage else "")
            raise UserError(f"stage.base={base}: {run.path} does not fit: {'; '.join(wrong)}; {way}")
        return run
    near, fit = [], []
    for root in roots(config):
        for run in runs(root, kind, config["data"]["name"]):
            if below.stage is None and not _draws_from_noise(run):
                continue
            wrong = list(_unlike(run, config, facts, below)) if run.done.exists() else ["it is not finished"]
            if wrong:
                near.append(f"{run.path}: {wrong[0]}")
            else:
                fit.append(run)
    if not fit:
        raise UserError(_nothing(config, facts, near, below))
    if cli.multirun() and below.stage:
        # In a sweep over a switch of the recipe, each job stands on its own Stage-I rather than on the newest of them all.
        wanted = identity.identity(schema.check(stage1_config(config)))
        return next((run for run in fit if identity.identity(run.settings()) == wanted), fit[0])
    return fit[0]


def _below(config: Config) -> Below:
    found = build.stage_class(config).below(config["stage"])
    assert found is not None
    return found


def _nothing(config: Config, facts: Mapping[str, Any], near: list[str], below: Below) -> str:
    stage, data, text = config["stage"], config["data"]["name"], facts["text_name"]
    seen = f" (nearest: {near[0]})" if near else ""
    if below.stage is None:
        words = f"data={data} text={text}"
        kind = "stage1" if stage["base"].endswith("://latest") or stage["base"] == "latest" else stage["base"].split("/")[2]
        if stage["resolution"] != SIZE:
            words += f" stage.resolution={stage['resolution']}"
        return (
            f"stage.base={stage['base']}: no finished run that draws {stage['resolution']} px from noise with {words} under "
            f"{roots(config)[0]}/{seen}. Train one: python src/train.py stage={kind} {words}"
        )
    network, recipe = stage["network"]["name"], stage["recipe"]["name"]
    words = f"data={data} text={text} stage/network={network} stage/recipe={recipe}"
    if not stage["conditioning_augmentation"]:
        words += " stage.conditioning_augmentation=false"
    return (
        f"stage.base=latest: no finished Stage-I run with {words} under {roots(config)[0]}/{seen}. "
        f"Train one: python src/train.py stage=stage1 {words}, or set stage.base=train"
    )


def _parts(reference: str, below: Below, config: Config) -> list[str]:
    """Stage, data and name. Raises UserError where no such run can be underneath."""
    parts = reference.removeprefix("run://").split("/")
    if len(parts) != 3 or not all(parts) or (below.stage and parts[0] != below.stage):
        what = "a Stage-I run" if below.stage else "a run"
        raise UserError(f"stage.base={reference}: not {what}; {_way(below)}")
    if parts[2] == "latest" and parts[1] != config["data"]["name"]:
        raise UserError(f"stage.base={reference}: this run has data={config['data']['name']}; {_way(below)}")
    return parts


def _way(below: Below) -> str:
    return f"give run://{below.stage or '<stage>'}/<data>/<name> as under logs/"


def _referenced(config: Config, reference: str, below: Below) -> RunFolder:
    parts, way = _parts(reference, below, config), _way(below)
    found = [run for root in roots(config) for run in runs(root, *parts)]
    if not found:
        names = sorted(run.path.name for root in roots(config) for run in runs(root, parts[0], parts[1]))
        raise UserError(f"stage.base={reference}: no such run; {way}" + (f" (there are {', '.join(names[:8])})" if names else ""))
    if not found[0].done.exists():
        raise UserError(f"stage.base={reference}: {found[0].path} is not finished; give its command again to finish it")
    if not _draws_from_noise(found[0]):
        raise UserError(f"stage.base={reference}: stage={parts[0]} draws no pictures from a sentence and noise; {way}")
    return found[0]


def _draws_from_noise(run: RunFolder) -> bool:
    """Whether its stage is a whole generator of pictures, which asks for nothing but a sentence and noise."""
    try:
        of = allowed.resolve("stage", str(run.settings()["stage"]["_target_"]), from_checkpoint=True)
    except (UserError, KeyError, TypeError, ValueError):
        return False
    return "pictures" in getattr(of, "provides", ()) and not getattr(of, "takes", ())


def _unlike(run: RunFolder, config: Config, facts: Mapping[str, Any], below: Below) -> Iterator[str]:
    """In what a run does not fit under this one; facts may know less before the data is read."""
    settings, trained_on = run.settings(), run.facts()["data"]
    ours, theirs = config["stage"], settings["stage"]
    pairs = [
        ("data", settings["data"]["name"], config["data"]["name"]),
        ("data's pictures", trained_on["pictures"], facts.get("pictures", trained_on["pictures"])),
        ("text", _encoder(trained_on), _encoder(facts)),
    ]
    pairs += [(LABELS.get(key, f"stage.{key}"), _setting(theirs, key), _setting(ours, key)) for key in below.same]
    pairs += [(LABELS.get(key, f"stage.{key}"), _setting(theirs, key), value) for key, value in below.needs.items()]
    if cli.multirun():
        pairs.append(("seed", settings["seed"], config["seed"]))
    for name, has, wants in pairs:
        if has != wants:
            yield f"it has {name}={has}, this run needs {wants}"


def _setting(stage: Mapping[str, Any], key: str) -> Any:
    for name in key.split("."):
        stage = stage[name]
    return stage


def _encoder(facts: Mapping[str, Any]) -> str:
    return f"{facts['text_name']} ({facts['text']})"
