"""Rules that cross keys; each names a key, its value and the way out. Checked before data or device is touched."""

from collections.abc import Callable, Mapping
from typing import Any

from stackgan.core.errors import UserError
from stackgan.launch import allowed

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
    if "base" not in stage:
        return None
    below = allowed.resolve("stage", stage["_target_"]).below(stage)
    if below is None:
        complaint = f"stage.base={stage['base']}: stage={stage['name']} stands on no other run; drop it, or set stage=stage2"
        return complaint if stage["base"] else None
    words = ("latest", "train") if below.stage else ()
    ways = ", ".join([*words, f"run://{below.stage or '<stage>'}/<data>/<name or latest>"]).replace("train, run", "train or run")
    if not stage["base"]:
        return f"stage.base=null: stage={stage['name']} stands on a {below.stage or 'finished'} run; set stage.base={ways}"
    if below.stage is None and stage["base"] in ("latest", "run://latest"):
        return f"stage.base={stage['base']}: does not say which system is meant; set stage.base={ways}"
    if stage["base"] not in words and not stage["base"].startswith("run://"):
        return f"stage.base={stage['base']}: not a reference; set {ways}"
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
    if "discriminator_loss" not in recipe:
        return None
    discriminator, generator = recipe["discriminator_loss"], recipe["generator_loss"]
    if (discriminator == "hinge") != (generator == "hinge"):
        way = "hinge" if discriminator == "hinge" else "non_saturating or saturating"
        return f"stage.recipe.generator_loss={generator}: does not go with discriminator_loss={discriminator}; set {way}"
    return None


def _penalty(config: Config) -> str | None:
    recipe = config["stage"]["recipe"]
    if recipe.get("r1_weight") and recipe["discriminator_norm"] == "batch":
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
    recipe, name = config["stage"]["recipe"], config["stage"]["name"]
    first, ranks = name != "stage2", config["trainer"]["devices"]
    if "first_norm" not in recipe and name != "style_encoder":
        return None
    if recipe["batch_size"] == ranks and (first or recipe["first_norm"] == "batch"):
        way = "" if first else ", or stage.recipe.first_norm=running"
        of_each = " of each device" if ranks > 1 else ""
        whose = "Stage-I's " if name in ("stage1", "stage2") else ""
        needs = f"{whose}batch norm{of_each} needs two pictures; set {2 * ranks} or more{way}"
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
    if stage.get("region"):
        pairs.append(("region", "stage.region", stage["region"]))
    for key, source, value in pairs:
        if data[key] != value:
            return f"data.{key}={data[key]}: {source} is {value}; set {source}, which both read"
    return None


def _text_fits(config: Config) -> str | None:
    """What the encoder gives must be what the stage reads: an embedding, or characters."""
    text, stage = config["text"], config["stage"]
    gives = getattr(allowed.resolve("text", text["_target_"]), "gives", "embedding")
    encoder = stage.get("encoder")
    reads = allowed.resolve("stage.encoder", encoder["network"]["_target_"]).reads if encoder else "embedding"
    if gives == reads:
        return None
    if reads == "characters":
        return f"text={text['name']}: stage/encoder={encoder['name']} reads characters; drop it, or set stage/encoder=linear"
    if encoder:
        return "text=characters: stage/encoder=linear maps an embedding; set text=minilm or hashing beside it"
    return f"text=characters: stage={stage['name']} reads embeddings; train stage=text_encoder with it, then set text=char_cnn_rnn"


def _classes_alone(config: Config) -> str | None:
    """One process sees the hinge over the whole batch; shares of it would be another loss."""
    stage, devices = config["stage"], config["trainer"]["devices"]
    if stage["name"] == "text_encoder" and devices != 1:
        return f"trainer.devices={devices}: stage=text_encoder compares all pairs of a batch; set trainer.devices=1"
    return None


def _judges_split(config: Config) -> str | None:
    if config["stage"]["name"] == "judge" and config["data"]["validate"]:
        return "data.validate=true: stage=judge holds out pictures of every class, not whole classes; set data.validate=false"
    return None


def _stages_own(config: Config) -> str | None:
    """What only the stage's class knows of its settings."""
    stage = config["stage"]
    objection: str | None = allowed.resolve("stage", stage["_target_"]).objection(stage, config["trainer"]["devices"])
    return objection


def _test_chooses_nothing(config: Config) -> str | None:
    best = config["trainer"]["best"]
    if best and "test" in best.split("/"):
        way = "name one of held_out or validation (data.validate=true), or null"
        return f"trainer.best={best}: test classes choose nothing, or their scores would flatter; {way}"
    return None


RULES: tuple[Callable[[Config], str | None], ...] = (
    _one_budget, _base, _resolution, _text_twice, _losses, _penalty, _roll, _read_by_both, _ranks, _lonely,
    _text_fits, _classes_alone, _judges_split, _test_chooses_nothing, _stages_own,
)  # fmt: skip
