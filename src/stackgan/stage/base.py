"""What every stage shares: counting images, keyed draws, the finite check, and taking a step."""

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor

from stackgan.core import chance
from stackgan.core.devices import moved
from stackgan.core.errors import UserError
from stackgan.stage.plan import Plan

CHECK_EVERY = 50
"""Iterations between two looks at whether all terms were finite, on devices where looking means waiting."""


GRADIENT = "gradient"


class Stage(Plan, LightningModule):
    """A LightningModule that steps its optimisers itself and counts time in images seen, not in optimiser steps.

    name: as in `stage=`. seed: of all keyed draws. batch_size: global. epoch_images: training pictures, what one epoch means.
    requires: what the data set must provide. provides: what callbacks may ask of it.
    """

    requires: ClassVar[frozenset[str]] = frozenset()
    provides: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def objection(cls, node: Mapping[str, Any], ranks: int) -> str | None:
        """What in the stage's settings does not go together: key, value and the way out in one line. ranks: training processes."""
        return None

    def __init__(self, name: str, seed: int, batch_size: int, epoch_images: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.name, self.seed, self.batch_size, self.epoch_images = name, seed, batch_size, epoch_images
        self.images_seen = 0
        self.terms: dict[str, Tensor] = {}
        self._unchecked: list[tuple[int, str, list[str], Tensor]] = []

    @property
    def iteration(self) -> int:
        """Global batches trained on so far."""
        return self.images_seen // self.batch_size

    @property
    def epoch(self) -> int:
        """Whole passes over the training pictures so far; the last, incomplete batch of a pass is dropped."""
        return self.iteration // max(1, self.epoch_images // self.batch_size)

    @property
    def place(self) -> tuple[int, int]:
        """This process's rank, and how many there are."""
        return (self.trainer.global_rank, self.trainer.world_size) if self._trainer is not None else (0, 1)

    def rows(self, value_B: Tensor) -> Tensor:
        """This rank's rows of something drawn for the whole global batch, on the CPU."""
        rank, world = self.place
        return value_B[rank::world]

    def normal(self, stream: str, width: int, truncated: bool = False) -> Tensor:
        """(B, width) standard normal numbers of this iteration's stream, this rank's rows."""
        draw = chance.generator(self.seed, stream, self.iteration)
        return moved(self.rows(chance.normal((self.batch_size, width), draw, truncated)), self.device)

    def uniform(self, stream: str, width: int) -> Tensor:
        """(B, width) numbers in [0, 1) of this iteration's stream, this rank's rows, on the CPU, where augmentations want them."""
        draw = chance.generator(self.seed, stream, self.iteration)
        return self.rows(torch.rand(self.batch_size, width, generator=draw))

    def descend(self, optimizer: LightningOptimizer, player: str, terms: Mapping[str, Tensor]) -> None:
        """One optimiser step down the sum of the named terms; no step where a term or the gradient is not finite.

        Raises UserError then: at once on the CPU. A GPU leaves its weights alone at once, and is asked every CHECK_EVERY iterations
        and before a checkpoint, since asking means waiting for it.
        """
        values = torch.stack([term.detach().float() for term in terms.values()])
        self._note(player, list(terms), values)
        optimizer.zero_grad(set_to_none=True)
        # Lightning's autocast spans the whole training step; backward passes do not belong in it.
        with torch.autocast(self.device.type, enabled=False):
            self.manual_backward(torch.stack(list(terms.values())).sum())
        norm = _norm(optimizer)
        self._note(player, [GRADIENT], norm[None])
        if self.asking_waits and not optimizer.optimizer.defaults.get("fused"):
            self.check_finite()  # only fused kernels can hold a step back by themselves
        elif self.asking_waits:
            # Adam's fused kernel takes no step where this is 1, without the host having to know. Ranks share a gradient, so agree.
            optimizer.optimizer.found_inf = norm.isfinite().logical_not().float()  # type: ignore[attr-defined]
        optimizer.step()
        self.terms.update({f"{player}/{name}": term.detach() for name, term in terms.items()})

    def rate_setting(self, player: str) -> str:
        """The setting that holds a player's learning rate."""
        return f"stage.recipe.{player}_lr"

    @property
    def asking_waits(self) -> bool:
        """Whether reading a number off the device means waiting for all that it was given to do."""
        return self.device.type != "cpu"

    def _note(self, player: str, names: list[str], values: Tensor) -> None:
        """Numbers that must be finite; asked now, or when enough of them have come together."""
        self._unchecked.append((self.iteration, player, names, values))
        if not self.asking_waits or self.iteration - self._unchecked[0][0] >= CHECK_EVERY:
            self.check_finite()

    def check_finite(self) -> None:
        """Raise UserError where a number since the last check was not finite."""
        unchecked, self._unchecked = self._unchecked, []
        if not unchecked or bool(torch.cat([values for *_, values in unchecked]).isfinite().all()):
            return
        for iteration, player, names, values in unchecked:
            if not bool(values.isfinite().all()):
                raise self._not_finite(iteration, player, dict(zip(names, values.tolist(), strict=True)))

    def _not_finite(self, iteration: int, player: str, values: Mapping[str, float]) -> UserError:
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        what = GRADIENT if bad == [GRADIENT] else f"term {' and '.join(bad)}"
        return UserError(
            f"{self.name}: the {player}'s {what} is {values[bad[0]]} at iteration {iteration} "
            f"({iteration * self.batch_size:,} images seen); no weight was changed by it. Go on with trainer.precision=32-true, or "
            f"begin another run with a lower {self.rate_setting(player)} or another seed; checkpoints written before are kept"
        )

    def run_state(self) -> dict[str, Any]:
        """All that a checkpoint must hold beside the config: plain data and tensors. Raises UserError rather than give NaN away."""
        self.check_finite()
        if broken := [name for name, value in self.named_parameters() if not bool(value.isfinite().all())]:
            raise UserError(
                f"{self.name}: the weight {broken[0]} is not finite after {self.images_seen:,} images, and is not saved. Go on "
                "with trainer.precision=32-true, or begin another run with lower learning rates; older checkpoints are kept"
            )
        optimizers = [optimizer.optimizer.state_dict() for optimizer in self._lightning_optimizers()]
        return {"images_seen": self.images_seen, "weights": self.state_dict(), "optimizers": optimizers}

    def load_run_state(self, state: Mapping[str, Any], optimizers: bool = True) -> None:
        """Continue from run_state(); optimisers exist only once training has begun."""
        self.load_state_dict(state["weights"])
        self.images_seen = int(state["images_seen"])
        if optimizers:
            for optimizer, saved in zip(self._lightning_optimizers(), state["optimizers"], strict=True):
                optimizer.optimizer.load_state_dict(saved)

    def _lightning_optimizers(self) -> list[LightningOptimizer]:
        found: Any = self.optimizers()
        return list(found) if isinstance(found, list | tuple) else [found]


def _norm(optimizer: LightningOptimizer) -> Tensor:
    """Length of the whole gradient that a step would follow."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    norm: Tensor = torch.stack(torch._foreach_norm([weight.grad for weight in weights if weight.grad is not None])).norm()
    return norm


def remember_first_rates(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """The optimiser, each group of which knows the rate it began with."""
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    return optimizer
