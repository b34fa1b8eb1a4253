"""Stage-II's generator with the Stage-I generator it stands on, as one module."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from stackgan.networks.conditioning import Condition
from stackgan.networks.generators import StageOneBase, StageTwoGenerator


@dataclass(frozen=True)
class Fakes:
    """Drawn pictures x_BCHW in [-1, 1], the condition they were drawn from, and the Stage-I pictures under them (Stage-II only)."""

    x_BCHW: Tensor
    condition: Condition
    first_BCHW: Tensor | None = None

    def detach(self) -> "Fakes":
        """The same without gradients."""
        first = None if self.first_BCHW is None else self.first_BCHW.detach()
        return Fakes(self.x_BCHW.detach(), _detached(self.condition), first)


def _detached(condition: Condition) -> Condition:
    return Condition(condition.sample_BK.detach(), condition.mean_BK.detach(), condition.log_sigma_BK.detach())


@dataclass(frozen=True)
class Draws:
    """The random numbers of B pictures: noise_BZ, epsilon_BK for the stage's own augmentation, first_epsilon_BK for Stage-I's."""

    noise_BZ: Tensor
    epsilon_BK: Tensor
    first_epsilon_BK: Tensor


class Alone(nn.Module):
    """Stage-I's generator behind the face that Stage-II's has too."""

    def __init__(self, network: StageOneBase) -> None:
        super().__init__()
        self.network = network

    def forward(self, text_BT: Tensor, draws: Draws) -> Fakes:
        """Draw one picture a sentence. StackGAN section 3.2."""
        drawn = self.network(text_BT, draws.noise_BZ, draws.epsilon_BK)
        return Fakes(drawn.x_BCHW, drawn.condition)

    def condition(self, text_BT: Tensor, epsilon_BK: Tensor) -> Condition:
        """The condition of other sentences, through this generator's conditioning augmentation."""
        found: Condition = self.network.augmentation(text_BT, epsilon_BK)
        return found


class Stacked(nn.Module):
    """Stage-II: draws at 64 px with Stage-I, then draws again with the sentence. StackGAN section 3.3.

    first: the Stage-I generator. trained: whether it learns along (with Stage-II's loss, at a lower rate) or is frozen.
    norm: whether its batch norm uses the batch (the authors' code, whose running statistics keep moving) or running statistics.
    """

    def __init__(self, first: StageOneBase, network: StageTwoGenerator, trained: bool, norm: Literal["batch", "running"]) -> None:
        super().__init__()
        self.first, self.network, self.trained, self.norm = first.requires_grad_(trained), network, trained, norm
        # An averaged Stage-I arrives in evaluation mode, and Lightning leaves modes as they are.
        self.train()

    def train(self, mode: bool = True) -> "Stacked":
        """As nn.Module.train; Stage-I stays in evaluation mode where its batch norm uses running statistics."""
        super().train(mode)
        self.first.train(mode and self.norm == "batch")
        return self

    def forward(self, text_BT: Tensor, draws: Draws) -> Fakes:
        """Draw one picture a sentence, and keep the Stage-I picture under it."""
        with torch.set_grad_enabled(self.trained and torch.is_grad_enabled()):
            first = self.first(text_BT, draws.noise_BZ, draws.first_epsilon_BK)
        drawn = self.network(first.x_BCHW, text_BT, draws.epsilon_BK)
        # Without "text twice" Stage-II has no condition of its own; D then reads Stage-I's.
        return Fakes(drawn.x_BCHW, drawn.condition or first.condition, first.x_BCHW)

    def condition(self, text_BT: Tensor, epsilon_BK: Tensor) -> Condition:
        """The condition of other sentences, through this generator's conditioning augmentation."""
        augmentation = self.network.augmentation or self.first.augmentation
        found: Condition = augmentation(text_BT, epsilon_BK)
        return found
