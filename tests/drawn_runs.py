"""Runs to draw from, made in milliseconds: the program's own settings, small, with weights that were never trained."""

from pathlib import Path
from typing import Any

import torch
from commands import SMALL
from hydra import compose, initialize_config_dir

from stackgan.core import atomic
from stackgan.launch import build, cli, schema
from stackgan.launch.places import CONF
from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder

SEEN = 48


def settings(*words: str) -> dict[str, Any]:
    """Checked settings of a small stage."""
    cli.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return schema.check(compose("train", [*SMALL, *words]))


def state(*words: str) -> dict[str, Any]:
    """A checkpoint's content: averaged and live weights differ, and pictures show contrast, unlike those of fresh weights."""
    config = settings(*words)
    text = build.build(config["text"], "text")
    below = settings(*(word for word in words if not word.startswith("stage"))) if config["stage"]["name"] == "stage2" else None
    facts = {"text_dim": text.dim, "train_size": 60}
    first = build.generator_network(below, facts) if below else None
    stage = build.stage(config, facts, first)
    chance = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, weight in stage.named_parameters():
            if name.startswith(("generator.", "average.")) and weight.ndim > 1:
                weight.copy_(torch.randn(weight.shape, generator=chance) * 1.5 / weight[0].numel() ** 0.5)
    facts = {"text": text.fingerprint, "text_name": text.name, "text_dim": text.dim, "pictures": {"name": "x"}, "train_size": 60}
    return {
        "format": checkpoint.FORMAT, "config": config, "data": facts, "first": {"config": below} if below else None,
        "base": None, "images_seen": SEEN, "weights": stage.state_dict(),
    }  # fmt: skip


def write_run(logs: Path, *words: str, name: str = "one", done: bool = True, **changed: Any) -> RunFolder:
    """A run's folder with a checkpoint. words: settings. changed: parts of the checkpoint's content, to damage it."""
    made = {**state(*words), **changed}
    config = made["config"]
    run = RunFolder(logs / config["stage"]["name"] / config["data"]["name"] / name)
    run.begin(config, {"commit": "abc", "data": made["data"]})
    checkpoint.save(run.checkpoints / f"seen-{SEEN:09d}.pt", made)
    if done:
        atomic.write_json(run.done, {"images_seen": SEEN})
    return run
