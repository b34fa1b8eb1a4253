"""The settings that belong to no class of their own: places, the run, the machine."""

from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator, ConfigDict, Field

from stackgan.core.ranges import BestIs, Natural, Positive


def _digits(value: Any) -> Any:
    """Hydra reads run.name=12 as a number."""
    return str(value) if type(value) is int else value


Name = Annotated[str, BeforeValidator(_digits), Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]

Accelerator = Literal["auto", "cpu", "gpu"]
"""Who computes: auto is a GPU where there is one."""

STRICT = ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)


class Part(pydantic.BaseModel):
    """Settings that belong together; names that are not listed are refused."""

    model_config = STRICT


class Paths(Part):
    """Places on disk."""

    logs: str
    sweeps: str
    data: str
    cache: str


class Run(Part):
    """Which run folder."""

    name: Name | None
    fresh: bool


class Sweep(Part):
    """Which sweep folder, and what a search looks for."""

    name: Name
    objective: str | None


class Trainer(Part):
    """How the machine is used; changes no sample."""

    accelerator: Accelerator
    devices: Positive | Literal["all"]
    precision: Literal["auto", "32-true", "bf16-mixed"]
    threads: Positive | None
    log_every: Positive
    checkpoint_every_images: Positive
    checkpoints_kept: Positive
    best: str | None
    best_is: BestIs


class Top(Part):
    """The whole; parts with a `_target_` are checked against that class's signature."""

    seed: Natural
    explain: bool
    run: Run
    sweep: Sweep
    paths: Paths
    trainer: Trainer
    data: dict[str, Any]
    text: dict[str, Any]
    stage: dict[str, Any]
    judge: dict[str, Any]
    callbacks: dict[str, dict[str, Any] | None]
    logger: dict[str, dict[str, Any] | None]


class Preparing(Top):
    """prepare.py's whole."""

    export: str | None
