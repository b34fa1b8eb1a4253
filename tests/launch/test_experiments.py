"""The published rows: what each experiment means, and that it trains under its name, on tiny sets in the published layouts."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import Composed, Program
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from stackgan.launch import base, build, identity, rules, schema
from stackgan.launch.layers import count
from stackgan.launch.places import CONF

ROWS = sorted(path.stem for path in (CONF / "experiment").glob("*_*.yaml"))
ENCODERS = [row for row in ROWS if row.endswith("text_encoder")]
TABLE_2 = [
    # file, Stage-I's or the whole's side, conditioning augmentation, text twice: StackGAN's Table 2 row by row
    ("cub_stackgan_stage1_no_ca", 64, False, True),
    ("cub_stackgan_stage1", 64, True, True),
    ("cub_stackgan_stage1_256_no_ca", 256, False, True),
    ("cub_stackgan_stage1_256", 256, True, True),
    ("cub_stackgan_stage2_128_text_once", 128, True, False),
    ("cub_stackgan_stage2_128_no_ca", 128, False, True),
    ("cub_stackgan_stage2_128", 128, True, True),
    ("cub_stackgan_stage2_text_once", 256, True, False),
    ("cub_stackgan_stage2_no_ca", 256, False, True),
    ("cub_stackgan_stage2", 256, True, True),
]
TABLE_1 = {
    "cub": {"cub_gan_int_cls", "cub_gawwn_box", "cub_gawwn_parts", "cub_stackgan_stage1", "cub_stackgan_stage2"},
    "oxford": {"oxford_gan_int_cls", "oxford_stackgan_stage1", "oxford_stackgan_stage2"},
    "coco": {"coco_gan_int_cls", "coco_stackgan_stage1", "coco_stackgan_stage2"},
}
SCHEDULE = {
    # batch, epochs, rates halved every
    "oxford_stackgan_stage1": (64, 600, 50),
    "oxford_stackgan_stage2": (64, 606, 100),
    "cub_stackgan_stage1": (64, 600, 50),
    "cub_stackgan_stage2": (64, 606, 100),
    "coco_stackgan_stage1": (128, 120, 20),
    "coco_stackgan_stage2": (40, 100, 20),
    "oxford_gan_int_cls": (64, 600, 100),
    "cub_gan_int_cls": (64, 600, 100),
    "coco_gan_int_cls": (64, 200, 40),
    "cub_gawwn_box": (16, 600, 100),
    "cub_gawwn_parts": (16, 600, 100),
    "cub_gawwn_part_generator": (64, 200, 100),
}
COUNTS = {
    "oxford_stackgan_stage1": (14_264_192, 4_029_824),
    "cub_stackgan_stage1": (14_264_192, 4_029_824),
    "cub_stackgan_stage1_256": (71_034_752, 4_152_704),
    "cub_stackgan_stage2": (26_290_080, 48_603_520),
    "coco_stackgan_stage1": (20_020_832, 12_407_425),
    "coco_stackgan_stage2": (37_130_480, 159_889_538),
    "cub_gan_int_cls": (18_909_699, 4_032_321),
    # The COCO script's D, 36,190,301, has no batch norm on the sentence's 128 numbers.
    "coco_gan_int_cls": (41_107_551, 36_190_301 + 2 * 128),
    "cub_gawwn_box": (73_545_699, 16_763_137),
    "cub_gawwn_parts": (26_471_043, 14_667_905),
    "cub_gawwn_part_generator": (2_715_949, 946_177),
}


def test_every_row_of_the_tables_is_there() -> None:
    assert {row for rows in TABLE_1.values() for row in rows} | {row for row, *_ in TABLE_2} <= set(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_says_where_it_is_from_and_passes_the_rules(row: str, composed: Composed) -> None:
    comment = " ".join(line for line in (CONF / "experiment" / f"{row}.yaml").read_text().splitlines() if line.startswith("#"))
    assert "Table" in comment
    assert "arXiv:" in comment
    config = schema.check(composed(f"experiment={row}"))
    rules.check(config)
    assert config["data"]["name"] == row.partition("_")[0]
    assert config["stage"]["images"] is None or row in ENCODERS
    assert config["run"]["name"] is None


@pytest.mark.parametrize(("row", "side", "augmented", "twice"), TABLE_2)
def test_the_ablation_s_rows(row: str, side: int, augmented: bool, twice: bool, composed: Composed) -> None:
    stage = schema.check(composed(f"experiment={row}"))["stage"]
    assert (stage["resolution"], stage["conditioning_augmentation"], stage["text_twice"]) == (side, augmented, twice)
    assert (stage["network"]["name"], stage["recipe"]["name"]) == ("paper", "paper")


@pytest.mark.parametrize("row", SCHEDULE)
def test_schedules_are_the_published_ones(row: str, composed: Composed) -> None:
    recipe = schema.check(composed(f"experiment={row}"))["stage"]["recipe"]
    assert (recipe["batch_size"], recipe["epochs"], recipe["lr_halve_every"]) == SCHEDULE[row]


@pytest.mark.parametrize("row", COUNTS)
def test_networks_are_the_published_ones(row: str, composed: Composed) -> None:
    import torch

    config = schema.check(composed(f"experiment={row}"))
    parts = build.stage_class(config).parts(config["stage"], {"text_dim": 1024})
    with torch.device("meta"):
        found = tuple(count(build.network(part, 0, from_checkpoint=False)) for part in parts.values())
    assert found == COUNTS[row]


@pytest.mark.parametrize(("row", "images"), [("oxford_text_encoder", 16_400 * 40), ("cub_text_encoder", 30_000 * 40)])
def test_encoders_see_the_published_iterations(row: str, images: int, composed: Composed) -> None:
    stage = schema.check(composed(f"experiment={row}"))["stage"]
    assert (stage["images"], stage["recipe"]["batch_size"]) == (images, 40)
    assert stage["encoder"]["name"] == ("char_cnn_gru" if row.startswith("cub") else "char_cnn_rnn")


@pytest.mark.parametrize("row", [row for row in ROWS if "stage2" in row])
def test_a_stage_two_trains_the_stage_one_of_its_name(row: str, composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    data, augmented = row.partition("_")[0], "no_ca" not in row
    task = [f"experiment={row}"]
    whole = schema.check(composed(*task))
    job = type("Job", (), {"config_name": "train"})
    overrides = type("Words", (), {"task": OmegaConf.create(task)})
    monkeypatch.setattr(HydraConfig, "get", lambda: type("At", (), {"overrides": overrides, "job": job}))
    monkeypatch.setattr(base, "compose", lambda name, words: composed(*words, config=name))
    under = schema.check(base.stage1_config(whole))
    own = schema.check(composed(f"experiment={data}_stackgan_stage1{'' if augmented else '_no_ca'}"))
    assert identity.identity(under) == identity.identity(own)


def narrow(node: Any, path: str = "stage") -> list[str]:
    """The words that make every network of a stage narrow."""
    found: list[str] = []
    for key, value in node.items():
        if key == "width" and isinstance(value, int):
            found.append(f"{path}.width=8")
        elif isinstance(value, dict):
            found += narrow(value, f"{path}.{key}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in ROWS if row not in ENCODERS])
def test_a_row_trains_on_a_tiny_set(row: str, program: Program, composed: Composed, desk: Path) -> None:
    """Two steps of narrow networks; the sentences are hashed, since no encoder is trained here."""
    words = [f"experiment={row}", "text=hashing", "logger=none", "callbacks=none", "trainer.precision=32-true"]
    words += narrow(schema.check(composed(*words))["stage"])
    batch = 4 if "gan_int" in row else 3
    words += [f"stage.recipe.batch_size={batch}", f"stage.images={2 * batch}", "data.prepare_workers=1"]
    words += ["stage.base_images=6"] * ("stage2" in row) + ["data.year=2017"] * row.startswith("coco")
    words += ["stage.gawwn_parts.generator.parts=3"] * (row == "cub_gawwn_parts")
    words += ["stage.gawwn_part_generator.generator.parts=3"] * row.endswith("part_generator")
    ended = program(*words)
    assert ended.code == 0, ended.err
    done = [path.relative_to(desk / "logs").parts for path in desk.glob("logs/*/*/*/DONE")]
    assert sorted(parts[0] for parts in done) == (["stage1", "stage2"] if "stage2" in row else [done[0][0]])
    assert {parts[1] for parts in done} == {row.partition("_")[0]}
    assert all(json.loads(path.read_text())["images_seen"] for path in desk.glob("logs/*/*/*/results.json"))


def test_a_row_without_its_encoder_says_how_to_train_one(program: Program, desk: Path) -> None:
    said = program("experiment=cub_stackgan_stage1").complaint
    assert said.startswith("text.run=run://text_encoder/cub/latest: no finished run of a text encoder")
    assert list(desk.iterdir()) == []
