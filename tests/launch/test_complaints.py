"""Every mistake on the command line: exit code 2, one line with key, value and way out, and nothing left behind.

The program runs from end to end in this process (see conftest); tests/program has some in processes of their own.
"""

import copy
from pathlib import Path
from typing import Any

import pytest
from commands import SMALL, Program
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from stackgan.core.errors import UserError
from stackgan.launch import cli, rules, schema
from stackgan.launch.comparing import compare
from stackgan.launch.evaluating import evaluate
from stackgan.launch.places import CONF
from stackgan.launch.preparing import prepare


def refused(program: Program, desk: Path, *words: str) -> str:
    """The complaint, after making sure that the command has left nothing."""
    complaint = program(*words).complaint
    assert not [path for path in desk.rglob("*") if path.name not in ("logs", "sweeps")]
    return complaint


NAMES = {
    "sed=1": "sed=1: no such setting; did you mean seed?",
    "stage.imges=8": "stage.imges=8: no such setting; did you mean stage.images?",
    "stage.network.stage1.generator.widht=8": "did you mean stage.network.stage1.generator.width?",
    "callbacks.sheets.cont=3": "callbacks.sheets.cont=3: no such setting; did you mean callbacks.sheets.count?",
    "stage=stage3": "stage=stage3: no such choice; did you mean stage2? (stage has ",
    "stage/network=lite": "did you mean light? (stage/network has coco, light, paper, pytorch, simple)",
    "stage/recipe=modren": "stage/recipe=modren: no such choice; did you mean modern?",
    "data=oxfrd": "data=oxfrd: no such choice; did you mean oxford?",
    "text=mimilm": "did you mean minilm?",
    "experiment=quickstrt": "did you mean quickstart?",
    "debug=two_step": "did you mean two_steps?",
    "dta=oxford": "dta=oxford: no such setting; did you mean data?",
    "callbakcs=none": "callbakcs=none: no such setting; did you mean callbacks?",
    "stage/recpe=modern": "stage/recpe=modern: no such setting; did you mean stage/recipe?",
    "+foo=1": "foo=1: no such setting; there are seed, explain, run,",
    "++foo=1": "foo=1: no such setting",
    "+stage.foo=1": "stage.foo=1: no such setting; there are name,",
    "+run.nam=x": "run.nam=x: no such setting; did you mean name?",
    "+trainer.device=2": "trainer.device=2: no such setting; did you mean devices?",
    "stage.recipe=modern": "stage.recipe=modern: stage.recipe is a group; did you mean stage/recipe=modern?",
    "callbacks=null": "callbacks=null: a group takes the name of one of its files, or is left out (callbacks has default, none)",
    "experiment=null": "or is left out (experiment has coco_gan_int_cls,",
    "=3": "=3: write <setting>=<value>",
    "seed": "seed: not a setting; write seed=<value>",
    "~stage.images": "~stage.images: a setting cannot be left out; give it a value",
    "~seed": "seed: a setting refers to it, and it does not exist; give it a value",
    "stage.images=${nope}": "nope: a setting refers to it, and it does not exist",
    "stage.images=???": "stage.images=???: needs a value",
}


@pytest.mark.parametrize("word", NAMES)
def test_wrong_names(word: str, program: Program, desk: Path) -> None:
    assert NAMES[word] in refused(program, desk, word)


@pytest.mark.parametrize("group", ["stage/network", "stage/recipe"])
def test_a_group_of_another_stage(group: str, program: Program, desk: Path) -> None:
    choice = "light" if group.endswith("network") else "modern"
    complaint = refused(program, desk, "stage=text_encoder", f"{group}={choice}")
    assert complaint == f"{group}={choice}: the other choices of this command have no such group; drop it, or them"


def test_several_values_without_m(program: Program, desk: Path) -> None:
    assert refused(program, desk, "seed=1,2") == (
        "seed=1,2: commas part several values, which only -m takes; write 'seed=[1,2]' for a list, "
        "or if it is one text quote it for Hydra too: 'seed=\"1,2\"'"
    )
    complaint = program("runs=a,b", verb=compare, config="compare").complaint
    assert complaint.startswith("runs=a,b: commas part several values; write 'runs=[a,b]' for a list, or if it is one text quote")


@pytest.mark.parametrize(("verb", "config"), [(compare, "compare"), (evaluate, "evaluate"), (prepare, "prepare")])
def test_verbs_that_do_one_thing_a_call(verb: Any, config: str, program: Program, desk: Path) -> None:
    for word in ("-m", "--multirun"):
        complaint = program(word, "seed=1,2", verb=verb, config=config).complaint
        assert complaint == f"{word}: {config}.py does one thing a call; call it once for each, without -m"
    assert list(desk.iterdir()) == []


@pytest.mark.parametrize("given", ["+stage.seed=1", "+stage.epoch_images=5", "+stage.network.stage1.generator.text_dim=5"])
def test_what_the_builder_gives_cannot_be_set(given: str, program: Program, desk: Path) -> None:
    assert f"{given[1:]}: no such setting" in refused(program, desk, given)


@pytest.mark.parametrize("choice", ["callbacks=none", "callbacks.agreement=null"])
def test_a_setting_of_what_was_left_out(choice: str, program: Program, desk: Path) -> None:
    complaint = refused(program, desk, choice, "callbacks.agreement.count=6")
    assert complaint == "callbacks.agreement.count=6: the other choices of this command leave no such setting; drop it, or them"


VALUES = {
    "seed=abc": "seed=abc: input should be a valid integer",
    "seed=": "seed=: input should be a valid integer",
    "seed=true": "seed=true: input should be a number",
    "seed=-1": "seed=-1: input should be greater than or equal to 0",
    "stage.conditioning_augmentation=maybe": "stage.conditioning_augmentation=maybe: input should be a valid boolean",
    "stage.recipe.batch_size=1.5": "stage.recipe.batch_size=1.5: input should be a valid integer",
    "stage.recipe.batch_size=0": "stage.recipe.batch_size=0: input should be greater than 0",
    "stage.recipe.beta1=1.5": "stage.recipe.beta1=1.5: input should be less than 1",
    "stage.recipe.beta1=-0.1": "stage.recipe.beta1=-0.1: input should be greater than or equal to 0",
    "stage.recipe.generator_lr=inf": "stage.recipe.generator_lr=inf: input should be a finite number",
    "stage.recipe.generator_lr=nan": "stage.recipe.generator_lr=nan: input should be a finite number",
    "stage.recipe.augment_cutout=1.1": "stage.recipe.augment_cutout=1.1: input should be less than or equal to 1",
    "stage.recipe.discriminator_loss=hing":
        "stage.recipe.discriminator_loss=hing: input should be 'bce' or 'hinge'; did you mean hinge?",
    "stage.resolution=100": "stage.resolution=100: input should be 64, 128 or 256",
    "stage.images=0": "stage.images=0: input should be greater than 0",
    "stage.images=true": "stage.images=true: input should be a number",
    "stage.images=[1,2]": "stage.images=[1, 2]: input should be a valid integer",
    "stage.network.stage1.generator.width=7": "stage.network.stage1.generator.width=7: input should be a multiple of 4",
    "text.dim=0": "text.dim=0: input should be greater than 0",
    "data.train=0": "data.train=0: input should be greater than 0",
    "trainer.precision=16": "trainer.precision=16: input should be 'auto', '32-true' or 'bf16-mixed'",
    "trainer.devices=auto": "trainer.devices=auto: input should be a valid integer",
    "trainer.threads=0": "trainer.threads=0: input should be greater than 0",
    "run.name=a/b": "run.name=a/b: letters, digits, '.', '_' and '-' only",
    "run.name=..": "run.name=..: letters, digits",
    "sweep.name=../x": "sweep.name=../x: letters, digits",
    "paths.logs=null": "paths.logs=null: input should be a valid string",
    "callbacks.sheets=3": "callbacks.sheets=3: input should be a valid dictionary",
    "callbacks.sheets.count=3.5": "callbacks.sheets.count=3.5: input should be a valid integer",
    "callbacks.sheets.splits=[tset]":
        "callbacks.sheets.splits=tset: input should be 'train', 'validation', 'held_out' or 'test'; did you mean test?",
    "stage._target_=os.system": "stage._target_=os.system: not a class that conf/ offers",
    "callbacks.sheets._target_=os.system": "callbacks.sheets._target_=os.system: not a class that conf/ offers",
    "+stage.network.stage2._target_=os.system": "stage.network.stage2._target_=os.system: not a class that conf/ offers",
    "+callbacks.mine={_target_: subprocess.Popen}": "callbacks.mine._target_=subprocess.Popen: not a class that conf/ offers",
}  # fmt: skip


@pytest.fixture(scope="module")
def defaults() -> DictConfig:
    cli.register()
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        return compose("train")


@pytest.mark.parametrize("word", VALUES)
def test_wrong_values(word: str, defaults: DictConfig) -> None:
    """Set as Hydra would, which composes once for all of these; test_a_wrong_value_in_a_command goes the whole way."""
    config = copy.deepcopy(defaults)
    override = OverridesParser.create().parse_override(word)
    OmegaConf.update(config, override.key_or_group, override.value(), force_add=True)
    with pytest.raises(UserError) as caught:
        rules.check(schema.check(config))
    assert str(caught.value).startswith(VALUES[word])


@pytest.mark.parametrize("word", ["seed=abc", "stage.recipe.batch_size=1.5", "callbacks.sheets._target_=os.system"])
def test_a_wrong_value_in_a_command(word: str, program: Program, desk: Path) -> None:
    assert refused(program, desk, word).startswith(VALUES[word])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["data=oxford", "data.root={desk}/none"], "data.root={desk}/none: no such folder. Expected: jpg/ and imagelabels.mat of"),
        (["data=oxford", "data.root={desk}/../empty"], "empty: no jpg, no imagelabels.mat, no text_c10 in it. Expected:"),
        (["data=oxford", "data.root={desk}/../half"], "half: no text_c10 in it. Expected:"),
        (["data=oxford", "paths.data={desk}/nowhere"], "data.root={desk}/nowhere/oxford102: no such folder"),
        (["data=oxford"], "data.batch_size=64: there are only 25 training pictures in"),
        ([*SMALL, "stage.recipe.batch_size=61"], "data.batch_size=61: there are only 60 training pictures in"),
        ([*SMALL, "text=minilm", "text.folder={desk}/none"],
         'text.folder={desk}/none: no file config.json in it. Set text.folder=null'),
        ([*SMALL, "data.validate=true", "data.validation_classes=30"], "data.validation_classes=30: there are 30 train classes"),
        ([*SMALL, "stage.recipe.mismatched_pair=image", "data.validate=true", "data.validation_classes=29",
          "stage.recipe.batch_size=2"], "data.mismatched=image: needs two train classes"),
    ],
)  # fmt: skip
def test_data_that_cannot_serve(words: list[str], complaint: str, program: Program, desk: Path) -> None:
    (desk.parent / "empty").mkdir()
    (desk.parent / "half" / "jpg").mkdir(parents=True)
    (desk.parent / "half" / "imagelabels.mat").touch()
    assert complaint.format(desk=desk) in refused(program, desk, *(word.format(desk=desk) for word in words))


def test_a_gpu_that_is_not_there(program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    complaint = refused(program, desk, *SMALL, "trainer=gpu")
    assert complaint == "trainer.accelerator=gpu: PyTorch sees no GPU here; set trainer=auto or trainer=cpu"


@pytest.mark.parametrize(
    ("base", "complaint"),
    [
        ("latest", "no finished Stage-I run with data=toybirds text=hashing stage/network=light stage/recipe=modern under logs/"),
        ("latest", "Train one: python src/train.py stage=stage1 data=toybirds text=hashing stage/network=light"),
        ("latest", "or set stage.base=train"),
        ("latests", "not a reference; set latest, train or run://stage1/<data>/<name or latest>"),
        ("run://", "not a Stage-I run; give run://stage1/<data>/<name> as under logs/"),
        ("run://stage1/toybirds", "not a Stage-I run; give"),
        ("run://stage2/toybirds/x", "not a Stage-I run; give"),
        ("run://../../etc", "not a Stage-I run; give"),
        ("run://stage1/toybirds/none", "no such run; give run://stage1/<data>/<name> as under logs/"),
    ],
)
def test_no_stage_one_to_stand_on(base: str, complaint: str, program: Program, desk: Path) -> None:
    found = refused(program, desk, *SMALL, "stage=stage2", "stage.resolution=128", f"stage.base={base}")
    assert found.startswith(f"stage.base={base}: ")
    assert complaint in found


def test_a_multirun_goes_on_after_a_mistake_and_fails_at_its_end(program: Program, desk: Path) -> None:
    small = [word for word in SMALL if not word.startswith("callbacks.")]
    ended = program("-m", *small, "callbacks=none", "stage.images=4", "seed=abc,1")
    assert ended.code == 1
    told = ended.err.splitlines()[-2:]
    assert told[0].startswith("failed: as it is, seed abc: seed=abc: input should be a valid integer")
    assert told[1] == "error: 1 of 2 jobs of sweeps/default failed; the same command tries them again"
    assert "Traceback" not in ended.err
    assert len(list((desk / "sweeps" / "default" / "stage1" / "toybirds").glob("*/DONE"))) == 1
