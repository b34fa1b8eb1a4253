"""Which commands mean the same run."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import SMALL, Composed

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.launch import identity, schema

TWO = ("stage=stage2", "stage.resolution=128")


def name(composed: Composed, *words: str) -> str:
    return fingerprint(identity.identity(schema.check(composed(*SMALL, *words))))


@pytest.mark.parametrize(
    "word",
    ["stage.images=8", "stage.epochs=3", "trainer.precision=bf16-mixed", "trainer.threads=1", "trainer.log_every=7", "paths.logs=x",
     "data.root=elsewhere", "data.cache=elsewhere", "data.workers=2", "callbacks.agreement.every_images=9", "run.name=mine",
     "stage.network.stage2.generator.width=8", "stage.recipe.epochs=3", "stage.recipe.epsilon_at_test=zero",
     "stage.recipe.first_norm=batch"],
)  # fmt: skip
def test_what_changes_no_weight(word: str, composed: Composed) -> None:
    assert name(composed, word) == name(composed)


@pytest.mark.parametrize(
    "word",
    ["seed=1", "stage.recipe.batch_size=8", "stage.recipe.beta1=0.1", "stage.conditioning_augmentation=false", "text.dim=64",
     "data.train=61", "data.mirror=false", "stage.network.stage1.generator.width=12", "stage.resolution=128"],
)  # fmt: skip
def test_what_changes_the_weights(word: str, composed: Composed) -> None:
    assert name(composed, word) != name(composed)


@pytest.mark.parametrize(
    ("word", "same"),
    [("stage.network.stage1.generator.width=12", True), ("stage.network.stage2.generator.width=12", True),
     ("stage.recipe.first_norm=batch", True), ("stage.images=8", True), ("stage.reed.generator.width=12", False),
     ("stage.network.noise_dim=12", False), ("stage.interpolation_beta=0.4", False)],
)  # fmt: skip
def test_a_rival_counts_its_own_networks(word: str, same: bool, composed: Composed) -> None:
    assert (name(composed, "stage=gan_int", word) == name(composed, "stage=gan_int")) == same


def test_vanilla_is_made_of_stage_one_s_networks(composed: Composed) -> None:
    plain = name(composed, "stage=vanilla")
    assert name(composed, "stage=vanilla", "stage.network.stage1.generator.width=12") != plain
    assert name(composed, "stage=vanilla", "stage.network.stage2.generator.width=12") == plain


def test_a_region_counts_whoever_asks_for_it(composed: Composed) -> None:
    birds = [word for word in SMALL if not word.startswith(("data.train", "data.test"))]

    def cub(*words: str) -> dict[str, Any]:
        return identity.identity(schema.check(composed(*birds, "data=cub", *words)))

    assert cub()["data"]["region"] == "box"
    assert cub("stage.region=whole") == cub("data.region=whole") != cub()
    assert cub("stage.region=box") == cub()


def test_which_stage_one_is_named_counts_and_how_it_was_found_does_not(composed: Composed) -> None:
    latest = name(composed, *TWO)
    assert name(composed, *TWO, "stage.base=train", "stage.base_images=8") == latest
    assert name(composed, *TWO, "stage.base=run://stage1/toybirds/x") != latest


@pytest.mark.parametrize("stage", ["stage1", "stage2", "gan_cls", "vanilla"])
def test_a_stage_without_a_plan_of_its_own_is_asked_itself(stage: str, composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    known = name(composed, f"stage={stage}")
    monkeypatch.setattr(identity, "PLANS", {})
    assert name(composed, f"stage={stage}") == known


def test_a_class_that_conf_does_not_offer_is_no_stage(composed: Composed) -> None:
    config = schema.check(composed(*SMALL))
    config["stage"]["_target_"] = "stackgan.stage.stackgan.StackGan"
    with pytest.raises(UserError, match=r"not a class that conf/ offers; did you mean stackgan\.stage\.stackgan\.StackGAN"):
        identity.identity(config)


def test_which_system_a_style_encoder_reads_counts(composed: Composed) -> None:
    def named(*words: str) -> str:
        return fingerprint(identity.identity(schema.check(composed("stage=style_encoder", *words))))

    several = [named(f"stage.base=run://{kind}/toybirds/latest") for kind in ("stage1", "stage2", "gan_cls")]
    assert len(set(several)) == 3


def test_what_speaks_of_stage_two_counts_there(composed: Composed) -> None:
    assert name(composed, *TWO, "stage.recipe.first_norm=batch") != name(composed, *TWO)
    assert name(composed, *TWO, "stage.recipe.epsilon_at_test=zero") == name(composed, *TWO)


def begun(composed: Composed, *words: str) -> tuple[Path, dict[str, Any]]:
    config = schema.check(composed(*SMALL, *words))
    folder = identity.folder(config)
    folder.path.mkdir(parents=True)
    folder.config.write_text(json.dumps(config))
    return folder.path, config


def test_a_name_belongs_to_its_settings(composed: Composed) -> None:
    path, config = begun(composed, "run.name=mine")
    assert path == Path("logs/stage1/toybirds/mine")
    assert identity.folder(config).path == path
    other = schema.check(composed(*SMALL, "run.name=mine", "seed=3", "stage.recipe.beta1=0.5"))
    with pytest.raises(UserError) as caught:
        identity.folder(other)
    assert str(caught.value) == (
        "run.name=mine: logs/stage1/toybirds/mine was begun with other settings (stage.recipe.beta1 was 0.0, is 0.5; "
        "seed was 0, is 3; data.seed was 0, is 3); set another run.name, or run.fresh=true for a new folder beside it"
    )


def test_fresh_counts_on(composed: Composed) -> None:
    path, config = begun(composed, "run.name=mine")
    config["run"]["fresh"] = True
    assert identity.folder(config).path == path.with_name("mine-2")
    path.with_name("mine-2").mkdir()
    assert identity.folder(config).path == path.with_name("mine-3")
    config["run"]["name"] = "new"
    assert identity.folder(config).path == path.with_name("new")


def test_differences_name_leaves_and_see_missing_ones() -> None:
    old, new = {"a": {"b": 1, "c": [1]}, "d": None}, {"a": {"b": 2, "c": [1]}, "e": 3}
    assert list(identity.differences(old, new)) == ["a.b was 1, is 2", "e was None, is 3"]
    assert list(identity.differences(old, old)) == []
