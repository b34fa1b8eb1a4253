"""What every stage shares: counting images, keyed draws, the finite check, and taking a step."""

from collections.abc import Mapping
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor

from stackgan.core import chance
from stackgan.core.errors import UserError


class Stage(LightningModule):
    """A LightningModule that steps its optimisers itself and counts time in images seen, not in optimiser steps.

    name: as in `stage=`. seed: of all keyed draws. batch_size: global. epoch_images: training pictures, what one epoch means.
    """

    def __init__(self, name: str, seed: int, batch_size: int, epoch_images: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.name, self.seed, self.batch_size, self.epoch_images = name, seed, batch_size, epoch_images
        self.images_seen = 0
        self.terms: dict[str, Tensor] = {}

    @property
    def iteration(self) -> int:
        """Global batches trained on so far."""
        return self.images_seen // self.batch_size

    @property
    def epoch(self) -> int:
        """Whole passes over the training pictures so far; the last, incomplete batch of a pass is dropped."""
        return self.iteration // max(1, self.epoch_images // self.batch_size)

    def rows(self, value_B: Tensor) -> Tensor:
        """This rank's rows of something drawn for the whole global batch."""
        world, rank = (self.trainer.world_size, self.trainer.global_rank) if self._trainer is not None else (1, 0)
        return value_B[rank::world].to(self.device)

    def normal(self, stream: str, width: int, truncated: bool = False) -> Tensor:
        """(B, width) standard normal numbers of this iteration's stream, this rank's rows."""
        draw = chance.generator(self.seed, stream, self.iteration)
        return self.rows(chance.normal((self.batch_size, width), draw, truncated))

    def uniform(self, stream: str, width: int) -> Tensor:
        """(B, width) numbers in [0, 1) of this iteration's stream, this rank's rows."""
        draw = chance.generator(self.seed, stream, self.iteration)
        return self.rows(torch.rand(self.batch_size, width, generator=draw))

    def descend(self, optimizer: LightningOptimizer, player: str, terms: Mapping[str, Tensor]) -> None:
        """One optimiser step down the sum of the named terms.

        Raises UserError, before any weight changes, where a term is not finite.
        """
        finite = torch.stack([term.detach() for term in terms.values()]).isfinite()
        if not bool(finite.all()):
            raise self._not_finite(player, {name: float(term.detach()) for name, term in terms.items()})
        optimizer.zero_grad(set_to_none=True)
        # Lightning's autocast spans the whole training step; backward passes do not belong in it.
        with torch.autocast(self.device.type, enabled=False):
            self.manual_backward(torch.stack(list(terms.values())).sum())
        optimizer.step()
        self.terms.update({f"{player}/{name}": term.detach() for name, term in terms.items()})

    def _not_finite(self, player: str, values: Mapping[str, float]) -> UserError:
        bad = [name for name, value in values.items() if not torch.isfinite(torch.tensor(value))]
        return UserError(
            f"{self.name}: the {player}'s term {' and '.join(bad)} is {values[bad[0]]} at iteration {self.iteration} "
            f"({self.images_seen:,} images seen); no weight was changed by it. Go on with trainer.precision=32-true, or begin "
            f"another run with a lower stage.recipe.{player}_lr or another seed; checkpoints written before are kept"
        )

    def run_state(self) -> dict[str, Any]:
        """All that a checkpoint must hold beside the config: plain data and tensors."""
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
