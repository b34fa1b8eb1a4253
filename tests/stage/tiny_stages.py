"""Small stages of the project's own configuration, batches for them, and a real Trainer. Imported by the tests of this room."""

import copy
from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from hydra import compose, initialize_config_dir
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from stackgan.core.shapes import Batch
from stackgan.launch import build, cli, schema
from stackgan.launch.places import CONF
from stackgan.launch.quiet import quiet
from stackgan.stage.base import Stage
from stackgan.stage.conditional import Conditional
from stackgan.stage.reed import GanCls
from stackgan.stage.stackgan import StackGAN

S = TypeVar("S", bound=Stage)
BATCH, TEXT, SEED, EPOCH_IMAGES = 4, 16, 3, 8
SIZE = {"stage1": 64, "stage2": 128}
"""Pixels a side, where not 64."""
REED = tuple(f"stage.reed.{player}.width=8" for player in ("generator", "discriminator"))


def settings(*words: str, stage: str = "stage1") -> dict[str, Any]:
    """Checked settings of a tiny stage: the project's own YAML, narrow."""
    tiny = [
        f"stage={stage}",
        f"stage.resolution={SIZE.get(stage, 64)}",
        "stage.network.condition_dim=8",
        "stage.network.noise_dim=6",
        *(f"stage.network.{one}.{player}.width=8" for one in SIZE for player in ("generator", "discriminator")),
        "stage.network.stage2.generator.residual_blocks=1",
        *(REED if stage.startswith("gan_") else ()),
        f"stage.recipe.batch_size={BATCH}",
        f"seed={SEED}",
    ]
    cli.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return schema.check(compose("train", [*tiny, *words]))


def tiny(*words: str, stage: str = "stage1", like: str = "stage1") -> StackGAN:
    """A stage; a Stage-II stands on an untrained Stage-I whose running statistics are no longer their first values."""
    first = None
    if stage == "stage2":
        below = settings(*(word for word in words if not word.startswith("stage.text_twice")), stage=like)
        first = build.generator_network(below, {"text_dim": TEXT})
        with torch.no_grad():
            first(torch.randn(8, TEXT), torch.randn(8, 6), torch.randn(8, 8))
    stage_built = build.stage(settings(*words, stage=stage), {"text_dim": TEXT, "train_size": EPOCH_IMAGES}, first)
    assert isinstance(stage_built, StackGAN)
    return stage_built


def tiny_reed(*words: str, stage: str = "gan_int_cls") -> GanCls:
    """A stage of GAN-CLS's family."""
    built = build.stage(settings(*words, stage=stage), {"text_dim": TEXT, "train_size": EPOCH_IMAGES})
    assert isinstance(built, GanCls)
    return built


def batches(count: int, size: int = 64, mismatched: str = "image") -> list[Batch]:
    """Random pictures and sentences; the partner is what `mismatched` says."""
    chance = torch.Generator().manual_seed(11)

    def pictures() -> torch.Tensor:
        made = torch.randint(0, 256, (BATCH, 3, size, size), generator=chance, dtype=torch.uint8)
        return made.contiguous(memory_format=torch.channels_last)

    def sentences() -> torch.Tensor:
        return torch.randn(BATCH, TEXT, generator=chance)

    found = []
    for iteration in range(count):
        real, text, image, words = pictures(), sentences(), pictures(), sentences()
        found.append(
            Batch(
                iteration,
                real,
                text,
                torch.arange(BATCH),
                image if mismatched == "image" else None,
                {"sentence": words, "roll": text.roll(-1, 0)}.get(mismatched),
            )
        )
    return found


def batches_for(stage: Conditional, count: int) -> list[Batch]:
    """The batches that this stage's recipe asks the data for."""
    return batches(count, stage.resolution, stage.recipe.mismatched_pair)


def fit(stage: S, data: Sequence[Batch], *callbacks: Any, precision: Any = "32-true", accelerator: str = "cpu") -> S:
    """Train on these batches by Lightning, with the launcher's flags."""
    quiet()
    trainer = Trainer(
        accelerator=accelerator,
        devices=1,
        precision=precision,
        callbacks=list(callbacks),
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )
    trainer.fit(stage, DataLoader(list(data), batch_size=None))  # type: ignore[arg-type]
    return stage


def state(stage: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of all weights and buffers."""
    return copy.deepcopy(stage.state_dict())
