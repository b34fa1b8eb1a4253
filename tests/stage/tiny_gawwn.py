"""Small stages of GAWWN and batches with boxes and parts for them. Imported by the tests of this room."""

from dataclasses import replace
from typing import Any, TypeVar

import torch
from tiny_stages import BATCH, EPOCH_IMAGES, TEXT, batches, settings

from stackgan.core.shapes import Batch
from stackgan.launch import build
from stackgan.stage.adversarial import Adversarial
from stackgan.stage.gawwn import Gawwn
from stackgan.stage.gawwn_part_generator import PartGeneratorStage

A = TypeVar("A", bound=Adversarial)
PARTS, KINDS = 3, ("box", "parts")


def located(kind: str, *words: str) -> Gawwn:
    """stage=gawwn_box or gawwn_parts."""
    built = _built(f"gawwn_{kind}", "stage.resolution=128", f"stage.gawwn_{kind}.discriminator.condition_dim=8", *words)
    assert isinstance(built, Gawwn)
    return built


def completing(*words: str) -> PartGeneratorStage:
    """stage=gawwn_part_generator."""
    built = _built("gawwn_part_generator", *words)
    assert isinstance(built, PartGeneratorStage)
    return built


def _built(stage: str, *words: str) -> Any:
    narrow = [f"stage.{stage}.{player}.width=8" for player in ("generator", "discriminator")]
    if stage != "gawwn_box":
        narrow.append(f"stage.{stage}.generator.parts={PARTS}")
    return build.stage(settings(*narrow, *words, stage=stage), {"text_dim": TEXT, "train_size": EPOCH_IMAGES})


def placed_batches(stage: Adversarial, count: int) -> list[Batch]:
    """What the data would give this stage: random pictures and sentences, boxes of which one is empty, and parts."""
    chance = torch.Generator().manual_seed(12)
    size = 128 if isinstance(stage, Gawwn) else 64
    found = []
    for batch in batches(count, size, stage.recipe.mismatched_pair):
        side = torch.rand(BATCH, 2, generator=chance) * 0.5 + 0.2
        box = torch.cat([torch.rand(BATCH, 2, generator=chance) * (1 - side), side], 1)
        box[1, 2:] = 0
        seen = (torch.rand(BATCH, PARTS, 1, generator=chance) < 0.7).float()
        parts = torch.cat([torch.rand(BATCH, PARTS, 2, generator=chance) * seen, seen], 2)
        found.append(replace(batch, extras={"box": box, "parts": parts}))
    return found
