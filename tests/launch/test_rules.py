"""Each rule from both sides: what it refuses, and the nearest that it lets pass."""

from pathlib import Path

import pytest
from commands import SMALL, Composed

from stackgan.core.errors import UserError
from stackgan.devices import machine
from stackgan.launch import rules, schema

BIG = ("stage=stage2", "stage.base=latest")
STYLE = ("stage=style_encoder", "stage.base=run://gan_cls/toybirds/x")
CASES: list[tuple[list[str], str, list[list[str]]]] = [
    (["stage.images=8", "stage.epochs=2"], "stage.images=8: stage.epochs=2 is set too; give one of them",
     [["stage.images=8"], ["stage.epochs=2"]]),
    (["stage.base=latest"], "stage.base=latest: stage=stage1 stands on no other run; drop it, or set stage=stage2", [[], [*BIG]]),
    (["stage=stage2", "stage.base=null"], "stage.base=null: stage=stage2 stands on a stage1 run; set", [[*BIG]]),
    (["stage=style_encoder", "stage.base=train"], "stage.base=train: not a reference; set run://<stage>/<data>/<name or latest>",
     [[*STYLE]]),
    (["stage=stage2", "stage.base=newest"], "stage.base=newest: not a reference; set latest, train or run://",
     [[*BIG], ["stage=stage2", "stage.base=train"], ["stage=stage2", "stage.base=run://stage1/toybirds/x"]]),
    (["stage=stage2", "stage.resolution=64"], "stage.resolution=64: Stage-II draws larger than Stage-I's 64 px; set 128 or 256",
     [["stage=stage2", "stage.resolution=128"], ["stage.resolution=64"]]),
    (["stage.text_twice=false"], "stage.text_twice=false: Stage-I reads the sentence only once",
     [[*BIG, "stage.text_twice=false"]]),
    (["stage.recipe.generator_loss=hinge"], "stage.recipe.generator_loss=hinge: does not go with discriminator_loss=bce; set non",
     [["stage.recipe.generator_loss=hinge", "stage.recipe.discriminator_loss=hinge"], ["stage.recipe.generator_loss=saturating"]]),
    (["stage.recipe.discriminator_loss=hinge"], "generator_loss=non_saturating: does not go with discriminator_loss=hinge; set",
     [["stage/recipe=modern"]]),
    (["stage.recipe.r1_weight=1"], "stage.recipe.r1_weight=1.0: batch norm in D couples the pictures",
     [["stage.recipe.r1_weight=1", "stage.recipe.discriminator_norm=none"], ["stage.recipe.r1_weight=0"]]),
    (["stage.recipe.mismatched_pair=roll", "stage.recipe.batch_size=1"], "stage.recipe.mismatched_pair=roll: needs another picture",
     [["stage.recipe.mismatched_pair=roll", "stage.recipe.batch_size=2"]]),
    (["stage.recipe.batch_size=1"], "stage.recipe.batch_size=1: Stage-I's batch norm needs two pictures; set 2 or more",
     [["stage.recipe.batch_size=2"], [*BIG, "stage.recipe.batch_size=1", "stage.recipe.first_norm=running"]]),
    ([*BIG, "stage.recipe.batch_size=1"], "set 2 or more, or stage.recipe.first_norm=running",
     [[*BIG, "stage.recipe.batch_size=2"]]),
    (["data.batch_size=3"], "data.batch_size=3: stage.recipe.batch_size is 64; set stage.recipe.batch_size, which both read",
     [["data.batch_size=64"], ["stage.recipe.batch_size=3"]]),
    (["data=cub", "stage.region=whole", "data.region=box"], "data.region=box: stage.region is whole; set stage.region, which",
     [["data=cub", "stage.region=whole"], ["data=cub", "data.region=whole"]]),
    (["data.mismatched=none"], "data.mismatched=none: stage.recipe.mismatched_pair is image; set stage.recipe.mismatched_pair",
     [["stage.recipe.mismatched_pair=none"]]),
    (["data.resolution=128"], "data.resolution=128: stage.resolution is 64; set stage.resolution, which both read",
     [["stage.resolution=128"]]),
    (["stage=gan_int", "stage.recipe.batch_size=6", "trainer.devices=2"],
     "stage.recipe.batch_size=6: interpolation pairs the sentences of each device; set a multiple of 4, or stage.interpolation",
     [["stage=gan_int", "stage.recipe.batch_size=8", "trainer.devices=2"], ["stage=gan_int", "stage.recipe.batch_size=6"],
      ["stage=gan_cls", "stage.recipe.batch_size=6", "trainer.devices=2"]]),
    (["stage=gan_cls", "stage.recipe.batch_size=1"], "stage.recipe.batch_size=1: batch norm needs two pictures; set 2 or more",
     [["stage=gan_cls", "stage.recipe.batch_size=2"]]),
    ([*STYLE, "stage.recipe.batch_size=1"], "stage.recipe.batch_size=1: batch norm needs two pictures; set 2 or more",
     [[*STYLE, "stage.recipe.batch_size=2"]]),
    ([*STYLE, "stage.recipe.batch_size=2", "trainer.devices=2"],
     "stage.recipe.batch_size=2: batch norm of each device needs two pictures; set 4 or more",
     [[*STYLE, "stage.recipe.batch_size=4", "trainer.devices=2"]]),
    (["trainer.devices=3"], "data.batch_size=64: is shared by trainer.devices=3, which must divide it",
     [["trainer.devices=2"], ["trainer.devices=3", "stage.recipe.batch_size=66"]]),
    (["trainer.best=inception_score/small-toybirds/test"], "/test: test classes choose nothing",
     [["trainer.best=inception_score/small-toybirds"], ["trainer.best=null"]]),
]  # fmt: skip


@pytest.mark.parametrize(("words", "complaint", "fine"), CASES, ids=[" ".join(case[0]) for case in CASES])
def test_both_sides(words: list[str], complaint: str, fine: list[list[str]], composed: Composed) -> None:
    with pytest.raises(UserError) as caught:
        rules.check(schema.check(composed(*words)))
    assert complaint in str(caught.value)
    for others in fine:
        rules.check(schema.check(composed(*others)))


def test_every_rule_has_a_case() -> None:
    complaints = {case[1] for case in CASES}
    assert len(complaints) >= len(rules.RULES)


def test_what_the_machine_lacks(composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    trainer = schema.check(composed("trainer=gpu"))["trainer"]
    with pytest.raises(UserError, match="PyTorch sees no GPU here"):
        machine.check(trainer)
    for choice in ("auto", "cpu"):
        machine.check(schema.check(composed(f"trainer={choice}"))["trainer"])
    with pytest.raises(UserError, match=r"^trainer.devices=all: there is no GPU here; say how many CPU processes"):
        machine.check(schema.check(composed("trainer=ddp"))["trainer"])
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    machine.check(trainer)
    everything = schema.check(composed("trainer=ddp"))["trainer"]
    machine.check(everything)
    assert everything["devices"] == 2
    with pytest.raises(UserError, match=r"^trainer.devices=4: there are 2 GPUs here"):
        machine.check(schema.check(composed("trainer=gpu", "trainer.devices=4"))["trainer"])
    started = {"TORCHELASTIC_RUN_ID": "1", "RANK": "0", "WORLD_SIZE": "3", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "3"}
    for key, value in {**started, "MASTER_ADDR": "here", "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(UserError, match="torchrun started 3 processes here, and this one sees 2 of the GPUs"):
        machine.check(schema.check(composed("trainer=gpu"))["trainer"])


@pytest.mark.parametrize(
    ("amx", "avx", "auto"), [(True, False, "bf16-mixed"), (False, True, "bf16-mixed"), (False, False, "32-true")]
)
def test_precision_follows_the_processor_unless_told(amx: bool, avx: bool, auto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cpu._is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: avx)
    settings = {"accelerator": "cpu", "precision": "auto"}
    assert machine.precision(settings) == auto
    assert machine.precision(settings | {"precision": "32-true"}) == "32-true"
    assert machine.precision(settings | {"precision": "bf16-mixed"}) == "bf16-mixed"


def test_values_arrive_as_the_signature_declares_them(composed: Composed) -> None:
    config = schema.check(
        composed(*SMALL, "seed=1.0", "stage.images=1e3", "run.name=12", "stage.recipe.kl_weight=1", "data.mirror=no")
    )
    assert (config["seed"], config["stage"]["images"], config["run"]["name"]) == (1, 1000, "12")
    assert type(config["stage"]["images"]) is int
    assert type(config["stage"]["recipe"]["kl_weight"]) is float
    assert config["data"]["mirror"] is False


@pytest.mark.parametrize(
    ("devices", "quota", "on_gpu", "threads"),
    [(1, "max 100000", False, 8), (2, "max 100000", False, 4), (16, "max 100000", False, 1), (1, "250000 100000", False, 3),
     (2, "250000 100000", False, 1), (2, "max 100000", True, 4), (1, "nonsense", False, 8)],
)  # fmt: skip
def test_threads_are_shared_and_within_the_containers_quota(
    devices: int, quota: str, on_gpu: bool, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_threads_at_first", lambda: 8)
    monkeypatch.setattr("torch.cuda.is_available", lambda: on_gpu)
    read = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path, *words: quota if path.name == "cpu.max" else read(path, *words))
    assert machine.threads({"accelerator": "auto", "devices": devices}) == threads
