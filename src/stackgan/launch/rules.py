"""Rules that cross keys; each names a key, its value and the way out. Checked before data or device is touched."""

from collections.abc import Callable, Mapping
from typing import Any

from stackgan.core.errors import UserError

Config = Mapping[str, Any]


def check(config: Config) -> None:
    """Raise UserError for the first rule that the settings break."""
    for rule in RULES:
        complaint = rule(config)
        if complaint:
            raise UserError(complaint)


def _one_budget(config: Config) -> str | None:
    stage = config["stage"]
    if stage["images"] and stage["epochs"]:
        return f"stage.images={stage['images']}: stage.epochs={stage['epochs']} is set too; give one of them"
    return None


def _base(config: Config) -> str | None:
    stage = config["stage"]
    if stage["name"] == "stage1" and stage["base"]:
        return f"stage.base={stage['base']}: Stage-I stands on no other stage; drop it, or set stage=stage2"
    if stage["name"] == "stage2" and not stage["base"]:
        return "stage.base=null: Stage-II stands on a Stage-I run; set stage.base=latest, train or run://stage1/<data>/<name>"
    if stage["base"] and stage["base"] not in ("latest", "train") and not stage["base"].startswith("run://"):
        return f"stage.base={stage['base']}: not a reference; set latest, train, or run://stage1/<data>/<name>"
    return None


def _resolution(config: Config) -> str | None:
    stage = config["stage"]
    if stage["name"] == "stage2" and stage["resolution"] <= 64:
        return f"stage.resolution={stage['resolution']}: Stage-II draws larger than Stage-I's 64 px; set 128 or 256"
    return None


def _text_twice(config: Config) -> str | None:
    stage = config["stage"]
    if stage["name"] == "stage1" and not stage["text_twice"]:
        return "stage.text_twice=false: Stage-I reads the sentence only once as it is; set it with stage=stage2"
    return None


def _losses(config: Config) -> str | None:
    recipe = config["stage"]["recipe"]
    discriminator, generator = recipe["discriminator_loss"], recipe["generator_loss"]
    if (discriminator == "hinge") != (generator == "hinge"):
        way = "hinge" if discriminator == "hinge" else "non_saturating or saturating"
        return f"stage.recipe.generator_loss={generator}: does not go with discriminator_loss={discriminator}; set {way}"
    return None


def _penalty(config: Config) -> str | None:
    recipe = config["stage"]["recipe"]
    if recipe["r1_weight"] and recipe["discriminator_norm"] == "batch":
        return (
            f"stage.recipe.r1_weight={recipe['r1_weight']}: batch norm in D couples the pictures that R1 looks at one by one; "
            "set stage.recipe.discriminator_norm=none, or r1_weight=0"
        )
    return None


def _roll(config: Config) -> str | None:
    recipe, ranks = config["stage"]["recipe"], config["trainer"]["devices"]
    if recipe["mismatched_pair"] == "roll" and recipe["batch_size"] < 2 * ranks:
        needs = f"needs another picture in the batch; set stage.recipe.batch_size of {2 * ranks} or more"
        return f"stage.recipe.mismatched_pair=roll: {needs}"
    return None


def _lonely(config: Config) -> str | None:
    recipe, first = config["stage"]["recipe"], config["stage"]["name"] == "stage1"
    ranks = config["trainer"]["devices"]
    if recipe["batch_size"] == ranks and (first or recipe["first_norm"] == "batch"):
        way = "" if first else ", or stage.recipe.first_norm=running"
        of_each = " of each device" if ranks > 1 else ""
        needs = f"Stage-I's batch norm{of_each} needs two pictures; set {2 * ranks} or more{way}"
        return f"stage.recipe.batch_size={ranks}: {needs}"
    return None


def _ranks(config: Config) -> str | None:
    batch, devices = config["data"]["batch_size"], config["trainer"]["devices"]
    if batch % devices:
        return f"data.batch_size={batch}: is shared by trainer.devices={devices}, which must divide it"
    return None


def _read_by_both(config: Config) -> str | None:
    """Data and stage must agree on what both read."""
    data, stage, recipe = config["data"], config["stage"], config["stage"]["recipe"]
    pairs = [
        ("batch_size", "stage.recipe.batch_size", recipe["batch_size"]),
        ("captions_averaged", "stage.recipe.captions_averaged", recipe["captions_averaged"]),
        ("mismatched", "stage.recipe.mismatched_pair", recipe["mismatched_pair"]),
        ("resolution", "stage.resolution", stage["resolution"]),
        ("seed", "seed", config["seed"]),
    ]
    for key, source, value in pairs:
        if data[key] != value:
            return f"data.{key}={data[key]}: {source} is {value}; set {source}, which both read"
    return None


RULES: tuple[Callable[[Config], str | None], ...] = (
    _one_budget, _base, _resolution, _text_twice, _losses, _penalty, _roll, _read_by_both, _ranks, _lonely,
)  # fmt: skip
