"""What a stage would stand on, said without training it; an untrained one stands in where it would have to be trained first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from stackgan.core.errors import UserError
from stackgan.devices import machine
from stackgan.launch import base, build, identity, rules, schema
from stackgan.runs import checkpoint
from stackgan.runs.budget import images_to_see
from stackgan.runs.folder import RunFolder

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Underneath:
    """said: for people. run: folder and checkpoint as in fitting.Job.base, None where it is not trained yet.

    config: its settings, None where only its checkpoint has them. first: the folder where it would be trained first, and
    images how many that would still take.
    """

    said: str
    run: dict[str, str] | None
    config: Config | None = None
    first: RunFolder | None = None
    images: int = 0

    def stand_in(self, facts: Config) -> nn.Module | None:
        """An untrained network in its place, None where a trained one is there."""
        return build.generator_network(self.config, facts) if self.run is None and self.config is not None else None


def underneath(config: Config, facts: Config) -> Underneath:
    """What `stage.base` means. facts: see known.facts. Raises UserError as training does."""
    if config["stage"]["base"] != "train":
        run = base.fitting_run(config, facts)
        newest = checkpoint.newest_whole(run.checkpoints)
        if newest is None:
            raise UserError(f"{run.path}: holds no checkpoint; train the run again")
        return _there(run, newest[0])
    first = schema.check(base.stage1_config(config))
    machine.check(first["trainer"])
    rules.check(first)
    run, wanted = identity.folder(first), images_to_see(first, facts["train_size"])
    newest = checkpoint.newest_whole(run.checkpoints)
    if run.images_done() >= wanted and newest is not None:
        return _there(run, newest[0])
    seen = int(newest[1]["images_seen"]) if newest is not None else 0
    done = f", {seen:,} of them seen already" if seen else ""
    said = f"{run.path}: would be trained first, {wanted:,} images{done}; an untrained one stands in for it here"
    return Underneath(said, None, first, run, wanted - seen)


def _there(run: RunFolder, newest: Any) -> Underneath:
    return Underneath(f"{run.path}: {run.images_done():,} images seen", {"run": str(run.path), "checkpoint": str(newest)})
