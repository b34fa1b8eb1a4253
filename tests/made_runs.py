"""Finished runs as compare.py finds them, made in milliseconds: settings, results, metrics and a sheet, no weights."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from stackgan.core import atomic
from stackgan.runs.folder import RunFolder

AGREEMENT = "agreement/test/normalised"
BUDGET = 3200
PICTURES = {"name": "toybirds", "images": "abc", "validation_classes": 0}


def card(value: float, judge: str = "small", weights: str = "0123456789abcdef", **changed: Any) -> dict[str, Any]:
    """A score card of evaluate.py, as far as comparisons read it. changed: parts of it."""
    return {
        "value": value, "n": 500, "protocol": {"splits": 10}, "higher_is_better": True,
        "judge": {"name": judge, "weights": weights, "resize": "64 px"},
        "captions": {"split": "test", "real_pictures": 9, "repeats": 1},
        "pictures": {"images_seen": BUDGET, "weights": "average"}, "data": PICTURES, **changed,
    }  # fmt: skip


def config(stage: str = "stage1", data: str = "toybirds", **settings: Any) -> dict[str, Any]:
    """Settings of a run, as far as comparisons read them. settings: of the stage."""
    recipe = {"name": "modern", "beta1": 0.0, "average_decay": 0.999, "batch_size": 4, "epochs": 600}
    target = "stackgan.stage.stackgan.StackGAN"
    own = {"_target_": target, "name": stage, "resolution": 64, "conditioning_augmentation": True, "text_twice": True}
    return {
        "seed": 0,
        "stage": {
            **own,
            "images": BUDGET,
            "epochs": None,
            "base": None,
            "network": {"name": "light"},
            "recipe": recipe,
            **settings,
        },
        "data": {"name": data, "seed": 0, "batch_size": 4},
        "text": {"name": "hashing"},
        "callbacks": {"agreement": {"_target_": "x", "every_images": 1600, "splits": ["test"], "count": 300}},
    }


def identity(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the run means; launch.identity has the program's own."""
    stage = {key: value for key, value in settings["stage"].items() if key not in ("images", "epochs")}
    return {"stage": stage, "seed": settings["seed"], "data": dict(settings["data"]), "text": dict(settings["text"])}


def write(
    root: Path,
    name: str,
    settings: Mapping[str, Any],
    seed: int = 0,
    value: float | None = 0.5,
    scores: Mapping[str, Any] | None = None,
    done: bool = True,
    base: RunFolder | None = None,
    **results: Any,
) -> RunFolder:
    """A run in root/<stage>/<data>/<name>. value: its AGREEMENT. scores: cards by key. results: more of results.json."""
    mine = copy.deepcopy(dict(settings))
    mine["seed"] = mine["data"]["seed"] = seed
    run = RunFolder(root / mine["stage"]["name"] / mine["data"]["name"] / name)
    below = {"run": str(base.path), "images_seen": BUDGET} if base else None
    run.begin(mine, {"commit": "abc", "data": {"pictures": PICTURES | {"name": mine["data"]["name"]}}, "base": below})
    rows = [f"{seen},{seen / BUDGET * (value or 0)}" for seen in range(800, BUDGET + 1 if done else BUDGET, 800)]
    run.metrics.write_text("\n".join([f"images_seen,{AGREEMENT}", *rows, ""]))
    Image.new("RGB", (40, 30), "red").save(run.sheets / "seen-000003200-test.png")
    if done:
        cost = {"seconds": 36.0, "images_per_second": 88.0, "peak_memory_gib": 1.5}
        own = {} if value is None else {AGREEMENT: value}
        run.finish({"images_seen": BUDGET, **(cost | own | results), **({"scores": dict(scores)} if scores else {})})
    return run


def sweep(folder: Path, *jobs: Mapping[str, Any]) -> None:
    """A sweep's record of its jobs."""
    given = {"words": [], "run": None, "state": "done", "why": None}
    atomic.write_json(folder / "sweep.json", {"sweep": folder.name, "jobs": [{**given, **job} for job in jobs]})
