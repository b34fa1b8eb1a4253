"""Every file of conf/ composes, fits the signatures and the rules, builds, and trains.

Found by walking, so that a new file needs no test.
"""

import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import wandb
import yaml
from commands import BIRDS, SMALL, Composed, Program
from hydra.utils import instantiate
from omegaconf import DictConfig

from stackgan.core.errors import UserError
from stackgan.draw.mode import Mode
from stackgan.launch import allowed, build, rules, sampling, schema, settings
from stackgan.launch.places import CONF
from stackgan.launch.preparing import prepare
from stackgan.stage.stacked import Stacked

OF_THEIR_OWN = sorted(path.parent.name for path in CONF.glob("*/*.yaml") if path.stem == path.parent.name)
"""Verbs whose config has a folder of its own (see places.home), with its own groups."""

FOLDERS = sorted({str(path.parent.relative_to(CONF)) for path in CONF.rglob("*.yaml")} - {".", *OF_THEIR_OWN})
NOT_TRAIN_S = {"judge", "metric", "paper"}
"""Groups whose choices are walked by tests of their own; tests/metric/test_score_settings.py has those of metric, and
tests/report/test_published.py those of paper."""

GROUPS = [folder for folder in FOLDERS if folder.split("/")[0] not in {*OF_THEIR_OWN, *NOT_TRAIN_S}]
SAMPLE = {"swap": ("mode.old=red", "mode.new=blue"), "edit": ("mode.old=red",)}
"""What a mode needs beside its name."""
WITHOUT_CALLBACKS = (*(word for word in SMALL if not word.startswith("callbacks.")), "callbacks=none")
PLAIN = ("stage.recipe.batch_size=2", "stage.images=4", "callbacks=none", "logger=none", *BIRDS, "trainer.precision=32-true")
LARGER = ("stage.recipe.batch_size=3", "stage.images=6")
"""For stages whose discriminator has batch norm over vectors of mismatched pairs, of which there is one fewer than pictures."""
BASE = ("stage.base=train", "stage.base_images=4", "stage.resolution=128")
"""A Stage-II that stands on two steps of Stage-I."""


def choices(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml") if not path.stem.startswith("_"))


BESIDE = {
    "ddp": ("trainer.devices=2",),
    "linear": ("text=hashing",),
    "characters": ("stage=text_encoder",),
    "precomputed": ("text.file=${paths.data}/toybirds.npz",),
}
"""What a choice needs beside it, on a machine without a GPU."""


def groups(stage: str) -> dict[str, str]:
    """The groups that a stage's file, or one that it begins with, is made of, with their choices."""
    found: dict[str, str] = {}
    for entry in yaml.safe_load((CONF / "stage" / f"{stage}.yaml").read_text()).get("defaults", []):
        found |= entry if isinstance(entry, dict) else groups(entry) if entry != "_self_" else {}
    return found


STACKS = [choice for choice in choices("stage") if {"network", "recipe"} <= set(groups(choice))]
"""Stages that are made of stage/network and stage/recipe."""


def networks(stage: str) -> list[str]:
    """The choices of stage/network that a stage knows: a rival's own networks are a group that follows it."""
    own = [group for group, choice in groups(stage).items() if choice == "${stage/network}"]
    return choices(f"stage/{own[0]}") if own else choices("stage/network")


MADE_OF = [(stage, network) for stage in STACKS for network in networks(stage)]
FAMILIES = {group: stage for stage in choices("stage") for group, choice in groups(stage).items() if choice == "${stage/network}"}
"""A stage for each group of rivals' networks."""

FACTS = {"text_dim": 512, "train_size": 100}
ENCODER = ("stage=text_encoder", "data=oxford", "stage.recipe.batch_size=5", "callbacks=none", "logger=none")
"""On the small flower set, whose five train classes make a batch."""

ALL = [(group, choice) for group in GROUPS for choice in choices(group)]


@pytest.mark.parametrize(("group", "choice"), ALL, ids=["=".join(pair) for pair in ALL])
def test_composes_and_fits(group: str, choice: str, composed: Composed) -> None:
    words = {"stage/encoder": ENCODER[:1], "stage/image_encoder": ENCODER[:1], "stage/classifier": ("stage=judge",)}.get(group, ())
    if (family := group.removeprefix("stage/")) in FAMILIES:
        words, group = (f"stage={FAMILIES[family]}",), "stage/network"
    if "style_encoder" in f"{choice} {words}":
        words = (*words, "stage.base=run://gan_cls/toybirds/latest")
    config = schema.check(composed(*words, f"{group}={choice}", *BESIDE.get(choice, ())))
    rules.check(config)
    if group in ("stage", "data", "text"):
        assert config[group]["name"] == choice
    if group in ("stage/network", "stage/recipe", "stage/classifier"):
        assert config["stage"][group.removeprefix("stage/")]["name"] == choice


@pytest.mark.parametrize("mode", choices("sample/mode"))
def test_every_mode_of_sampling_composes_and_is_built(mode: str, composed: Composed) -> None:
    config = schema.check(composed(f"mode={mode}", *SAMPLE.get(mode, ()), config="sample"), sampling.Settings)
    built = build.build(config["mode"], "mode")
    assert isinstance(built, Mode)
    assert built.name == mode


def test_every_group_of_sampling_is_walked() -> None:
    assert [folder for folder in FOLDERS if folder not in GROUPS] == [*sorted(NOT_TRAIN_S), "sample/mode"]


@pytest.mark.parametrize("choice", choices("judge"))
def test_every_judge_fits(choice: str, composed: Composed) -> None:
    """Against its signature; what the builder gives may not be set."""
    node = yaml.safe_load((CONF / "judge" / f"{choice}.yaml").read_text())
    assert schema._target(node, "judge") == node
    for key in ("name", "sha256"):
        with pytest.raises(UserError, match=f"judge.{key}=x: no such setting"):
            schema._target(node | {key: "x"}, "judge")


@pytest.mark.parametrize(
    ("words", "classifier"),
    [((), "small"), (("data=oxford",), "efficientnet_lite0"), (("data=oxford", "stage/classifier=small"), "small")],
)
def test_a_judge_s_network_follows_the_data(words: tuple[str, ...], classifier: str, composed: Composed) -> None:
    for verb in ("train", "prepare"):
        stage = composed("stage=judge", *words, config=verb).stage
        assert stage.classifier.name == classifier
        assert stage.resolution == {"small": 64, "efficientnet_lite0": 160}[classifier]


def test_sampling_looks_for_runs_where_training_puts_them(composed: Composed) -> None:
    there, here = schema.check(composed())["paths"], schema.check(composed(config="sample"), sampling.Settings)["paths"]
    assert here == {name: there[name] for name in here}


@pytest.mark.parametrize("verb", ["train", "prepare"])
def test_every_verb_composes(verb: str, composed: Composed) -> None:
    checked = schema.check(composed(config=verb), settings.Preparing if verb == "prepare" else settings.Top)
    if verb == "train":
        rules.check(checked)


def test_every_base_file_lists_what_the_others_set() -> None:
    """One `_base.yaml` a group has every key once; others only change values (data sets may add their own)."""
    for group in ("stage/recipe", "trainer"):
        keys = set(yaml.safe_load((CONF / group / "_base.yaml").read_text()))
        for choice in choices(group):
            own = set(yaml.safe_load((CONF / group / f"{choice}.yaml").read_text()))
            assert own - keys == {"defaults"}, f"{group}/{choice}.yaml"


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "network"), MADE_OF)
@pytest.mark.parametrize("recipe", ["paper", "modern"])
def test_every_network_of_every_stage_is_built(stage: str, network: str, recipe: str, composed: Composed) -> None:
    words = (f"stage/network={network}", f"stage/recipe={recipe}")
    config, below = (schema.check(composed(f"stage={name}", *words)) for name in (stage, "stage1"))
    with torch.device("meta"):
        first = build.generator_network(below, FACTS) if stage == "stage2" else None
        built = build.stage(config, FACTS, first)
    assert built.resolution == config["stage"]["resolution"]
    assert isinstance(built.generator, Stacked) == (stage == "stage2")
    assert (built.average is not None) == (recipe == "modern")


def narrow(node: Any, path: str = "stage", width: int = 8) -> Iterator[str]:
    """The words that make every network of a stage as narrow as its smallest is in tests."""
    for key, value in node.items():
        if key == "width" and isinstance(value, int):
            yield f"{path}.width={min(width, value)}"
        elif isinstance(value, DictConfig):
            yield from narrow(value, f"{path}.{key}", width)


def trained(program: Program, desk: Path, stage: str, *words: str) -> None:
    """Two steps, with Stage-I under them where the stage needs one."""
    if stage == "stage2":
        words += BASE
    ended = program(f"stage={stage}", *words)
    assert ended.code == 0, ended.err
    results = [json.loads(path.read_text()) for path in (desk / "logs").glob(f"**/{stage}/*/*/results.json")]
    assert len(results) == 1
    assert results[0]["images_seen"] > 0


@pytest.mark.parametrize("recipe", choices("stage/recipe"))
@pytest.mark.parametrize(
    "stage", [s if s in ("stage1", *FAMILIES.values()) else pytest.param(s, marks=pytest.mark.slow) for s in STACKS]
)
def test_every_recipe_trains_or_is_refused(stage: str, recipe: str, composed: Composed, program: Program, desk: Path) -> None:
    words = (*WITHOUT_CALLBACKS, f"stage/recipe={recipe}", "stage.images=8")
    node = schema.check(composed(f"stage={stage}", *words))["stage"]
    if objection := allowed.resolve("stage", node["_target_"]).objection(node, 1):
        assert recipe not in (stage.partition("_")[0], "modern")
        assert program(f"stage={stage}", *words).complaint == objection
        return
    trained(program, desk, stage, *words, *narrow(composed(f"stage={stage}", *words).stage))


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "network"), MADE_OF)
def test_every_network_trains(stage: str, network: str, composed: Composed, program: Program, desk: Path) -> None:
    words = (*PLAIN, *(LARGER if stage.startswith("gawwn") else ()), f"stage/network={network}")
    trained(program, desk, stage, *words, *narrow(composed(f"stage={stage}", *words).stage))


@pytest.mark.slow
@pytest.mark.parametrize("stage", STACKS)
def test_the_paper_s_networks_train_at_their_own_width(stage: str, program: Program, desk: Path) -> None:
    trained(program, desk, stage, *PLAIN, *(LARGER if stage.startswith("gawwn") else ()))


@pytest.mark.parametrize("data", choices("data"))
def test_every_data_set_is_prepared_and_trains(data: str, program: Program, desk: Path) -> None:
    words = [word for word in WITHOUT_CALLBACKS if data == "toybirds" or not word.startswith(("data.train", "data.test"))]
    prepared = program(*words, f"data={data}", verb=prepare, config="prepare")
    assert "contact sheet:" in prepared.out, prepared.err
    trained(program, desk, "stage1", *words, f"data={data}", "stage.images=8")


@pytest.mark.parametrize("text", [pytest.param(t, marks=pytest.mark.slow) if t == "minilm" else t for t in choices("text")])
def test_every_encoder_trains(text: str, program: Program, desk: Path) -> None:
    if text in ("characters", "char_cnn_rnn", "sentence_transformer", "clip"):
        pytest.skip("needs a run or a model of its own; see tests/program/test_text_encoder.py and tests/text")
    if text == "minilm" and importlib.util.find_spec("transformers") is None:
        pytest.skip("the extra stackgan[text] is not installed")
    trained(program, desk, "stage1", *WITHOUT_CALLBACKS, f"text={text}", *BESIDE.get(text, ()), "stage.images=8")


@pytest.mark.parametrize("callbacks", choices("callbacks"))
def test_every_set_of_callbacks_trains(callbacks: str, program: Program, desk: Path) -> None:
    words = SMALL if callbacks == "default" else WITHOUT_CALLBACKS
    trained(program, desk, "stage1", *words, f"callbacks={callbacks}", "stage.images=8")


@pytest.mark.parametrize("trainer", [choice for choice in choices("trainer") if choice != "gpu"])
def test_every_trainer_trains(trainer: str, program: Program, desk: Path) -> None:
    words = (f"trainer={trainer}", "trainer.accelerator=cpu", "stage.images=8", *BESIDE.get(trainer, ()))
    trained(program, desk, "stage1", *WITHOUT_CALLBACKS, *words)


@pytest.fixture
def nobody_left() -> Iterator[None]:
    """W&B's own process would outlive the test, and other tests' programs would find it and write through it, in another folder."""
    before = set(os.environ)
    yield
    wandb.teardown()
    for name in set(os.environ) - before:
        del os.environ[name]


@pytest.mark.parametrize("logger", choices("logger"))
def test_every_logger_trains(logger: str, program: Program, desk: Path, nobody_left: None, monkeypatch: pytest.MonkeyPatch) -> None:
    if logger == "trackio" and importlib.util.find_spec("trackio") is None:
        pytest.skip("the extra stackgan[trackio], which wants Pillow < 13, is not installed")
    monkeypatch.delenv("TRACKIO_DIR", raising=False)
    trained(program, desk, "stage1", *WITHOUT_CALLBACKS, f"logger={logger}", "stage.images=8")
    (done,) = (desk / "logs").glob("stage1/*/*/DONE")
    # Trackio has one place for all runs.
    place = desk / "logs" / "trackio" if logger == "trackio" else done.parent / logger
    assert place.is_dir() == (logger != "none")


@pytest.mark.slow
@pytest.mark.parametrize("experiment", [choice for choice in choices("experiment") if "_" not in choice])
def test_every_experiment_trains(experiment: str, program: Program, desk: Path) -> None:
    """On toybirds; tests/launch/test_experiments.py has the published rows, `<data>_<system>`."""
    ended = program(f"experiment={experiment}", *SMALL, "stage.images=8", "stage.base_images=8")
    assert ended.code == 0, ended.err
    assert len(list(desk.glob("logs/*/*/*/DONE"))) == 2


@pytest.mark.slow
@pytest.mark.parametrize("debug", choices("debug"))
def test_every_debug_overlay_trains(debug: str, program: Program, desk: Path) -> None:
    trained(program, desk, "stage1", *BIRDS, "stage/network=light", "stage/recipe=modern", f"debug={debug}")


def test_only_our_own_networks_come_out_of_a_checkpoint() -> None:
    ours = [target for target in allowed.targets() if target.startswith(allowed.OURS)]
    others = sorted(allowed.targets() - set(ours))
    assert ours
    assert others
    for target in ours:
        assert allowed.resolve("x", target, from_checkpoint=True).__name__ == target.rpartition(".")[2]
    for target in (others[0], "os.system", "torch.load", "stackgan.networks.pytorch.nn.Linear"):
        with pytest.raises(Exception, match="not a class that conf/ offers"):
            allowed.check({"inside": [{"_target_": target}]}, "x", from_checkpoint=True)


def test_an_interpolation_cannot_bring_a_class_in(tmp_path: Path) -> None:
    """Hydra resolves interpolations while it instantiates, after any look at the config; this one would make a file."""
    made = tmp_path / "made"
    call = f"{{_target_: os.mkdir, _args_: ['{made}']}}"
    node = {
        "_target_": "stackgan.text.hashing.HashingEncoder",
        "name": f'${{oc.create:${{oc.decode:"{call}"}}}}',
        "dim": 8,
        "window": 2,
    }
    with pytest.raises(Exception, match=r"text.name=.*: an interpolation, which is not resolved here"):
        build.build(node, "text", from_checkpoint=True)
    assert not made.exists()
    instantiate(node)
    assert made.exists(), "without the check it runs"
