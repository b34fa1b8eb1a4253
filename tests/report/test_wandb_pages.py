"""The pages that compare.py publishes, by what would be sent: sections, panels, run sets."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_runs import AGREEMENT, config, identity, write
from PIL import Image

from stackgan.launch.places import CONF
from stackgan.report import published, wandb_pages
from stackgan.report.comparison import Comparison, Wanted, comparison
from stackgan.report.record import read

HEADS = f"images_seen,{AGREEMENT},generator/kl,generator_lr,frechet/judge,frechet/judge/n"
PATTERNS = ["agreement/*/normalised"], ["generator/*"]


@pytest.fixture
def made(tmp_path: Path) -> Comparison:
    """CA on and off, two seeds each, tracked but for one; a run of other sentences without W&B."""
    records = []
    for on in (True, False):
        for seed in range(2):
            value = (0.6 if on else 0.2) + seed / 100
            run = write(tmp_path, f"{'on' if on else 'off'}{seed}", config(conditioning_augmentation=on), seed, value)
            run.metrics.write_text(f"{HEADS}\n800,0.1,2,1,9,500\n")
            Image.new("RGB", (4, 3)).save(run.sheets / "seen-000000800-held_out.png")
            if on or seed == 0:
                (run.path / "wandb-id").write_text(f"{run.path.name}id\n")
            records.append(read(run, identity))
    wanted = Wanted(None, ["agreement/*"], [], "welch", "refuse", 0)
    return comparison("Comparison of x", records, published.read(CONF / "paper"), wanted)


@pytest.fixture
def keys(made: Comparison) -> wandb_pages.Keys:
    return wandb_pages.logged(made.variants, *PATTERNS)


def spec(page: Any) -> Any:
    return json.loads(page._to_model().spec.model_dump_json(by_alias=True, exclude_none=True))


def found(node: Any, key: str) -> Iterator[Any]:
    """Every value of this name, anywhere."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from found(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from found(value, key)


def filters(node: Any) -> list[Any]:
    trees = [tree["filters"] for tree in found(node, "filters") if "filters" in tree]
    return [[(one["key"], one["op"], one["value"]) for one in tree] for tree in trees]


def test_keys_are_those_that_were_logged(keys: wandb_pages.Keys) -> None:
    assert keys == wandb_pages.Keys([AGREEMENT, "frechet/judge"], ["generator/kl"], ["drawn/test", "drawn/held_out"])


def test_the_workspace_has_scores_losses_and_images_over_images_seen(made: Comparison, keys: wandb_pages.Keys) -> None:
    made_of = spec(wandb_pages.workspace(made, keys, "me", "birds"))["section"]
    sections = made_of["panelBankConfig"]["sections"]
    assert [section["name"] for section in sections] == ["scores by images seen", "losses", "images"]
    scores, losses, images = ([panel["config"] for panel in section["panels"]] for section in sections)
    assert [(panel["xAxis"], panel["metrics"]) for panel in scores] == [
        ("images_seen", [AGREEMENT]),
        ("images_seen", ["frechet/judge"]),
    ]
    assert [(panel["xAxis"], panel["metrics"]) for panel in losses] == [("images_seen", ["generator/kl"])]
    assert [panel["mediaKeys"] for panel in images] == [["drawn/test"], ["drawn/held_out"]]
    assert made_of["settings"]["xAxis"] == "images_seen"


def test_the_workspace_groups_the_tracked_runs_by_what_tells_variants_apart(made: Comparison, keys: wandb_pages.Keys) -> None:
    page = wandb_pages.workspace(made, keys, "me", "birds")
    assert (page.entity, page.project, page.name) == ("me", "birds", "Comparison of x")
    (runs,) = spec(page)["section"]["runSets"]
    assert filters(runs) == [[({"section": "run", "name": "name"}, "IN", ["off0id", "on0id", "on1id"])]]
    assert runs["grouping"] == [{"section": "config", "name": "stage.value.conditioning_augmentation"}]
    assert list(runs["runFeed"]["columnPinned"]) == ["run:displayName", f"summary:{AGREEMENT}", "summary:frechet/judge"]


def test_the_report_has_the_tables_and_a_run_set_for_each_variant(made: Comparison, keys: wandb_pages.Keys) -> None:
    page = wandb_pages.report(made, keys, "me", "birds")
    blocks = spec(page)["blocks"]
    texts = [block["content"] for block in blocks if block["type"] == "markdown-block"]
    assert any("### The paper's cub beside our toybirds" in text and "ours: " in text for text in texts)
    assert any("CA helps Stage-I at 64 px" in text and "holds on toybirds" in text for text in texts)
    assert any(text.startswith("### What it took") for text in texts)
    grids = [block["metadata"] for block in blocks if block["type"] == "panel-grid"]
    for grid in grids:
        assert [(runs["name"], filters(runs)[0][0][2]) for runs in grid["runSets"]] == [
            ("stage1, conditioning_augmentation=false", ["off0id"]),
            ("stage1, conditioning_augmentation=true", ["on0id", "on1id"]),
        ]
    stages = [{"section": "run", "name": "jobType"}]
    assert [[runs["grouping"] for runs in grid["runSets"]] for grid in grids] == [[stages, stages], [[], []]]
    curves, images = grids
    assert {key for keys in found(curves, "metrics") for key in keys} == {AGREEMENT, "frechet/judge", "generator/kl"} | {
        f"summary_metrics.{AGREEMENT}", "summary_metrics.frechet/judge"
    }  # fmt: skip
    assert list(found(images, "mediaKeys")) == [["drawn/test"], ["drawn/held_out"]]
