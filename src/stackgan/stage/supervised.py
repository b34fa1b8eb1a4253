"""One player: the loop of everything here that is trained without an adversary."""

from abc import abstractmethod
from collections.abc import Iterator

from torch import Tensor, nn

from stackgan.core.shapes import Batch
from stackgan.stage.base import Stage


class Supervised(Stage):
    """A child names its loss terms, its optimiser, and how its learning rate falls; the step is taken here."""

    player = "network"

    @abstractmethod
    def loss_terms(self, batch: Batch) -> dict[str, Tensor]:
        """What is minimised."""

    @abstractmethod
    def rate_factor(self) -> float:
        """What the first learning rate is multiplied by at this iteration."""

    @abstractmethod
    def learners(self) -> list[nn.Module]:
        """The modules that learn."""

    def training_step(self, batch: Batch, batch_index: int) -> None:
        """One step."""
        self.terms = {}
        (optimizer,) = self._lightning_optimizers()
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"] * self.rate_factor()
        self.descend(optimizer, self.player, self.loss_terms(batch))
        self.images_seen += self.batch_size

    def rate_setting(self, player: str) -> str:
        """There is one rate."""
        return "stage.recipe.lr"

    def weights(self) -> Iterator[nn.Parameter]:
        """All that learns."""
        for module in self.learners():
            yield from module.parameters()
