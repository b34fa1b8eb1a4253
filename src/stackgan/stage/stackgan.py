"""StackGAN's two stages (Zhang et al. 2017, sections 3.2 and 3.3): one system, with or without a Stage-I generator under it."""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from stackgan.core.ranges import Natural, Positive
from stackgan.core.shapes import Batch, Walk
from stackgan.networks.discriminators import Discriminator
from stackgan.networks.generators import StageOneBase, StageTwoGenerator
from stackgan.objectives import kl
from stackgan.stage.conditional import Conditional
from stackgan.stage.plans import StackGANPlan
from stackgan.stage.recipe import Recipe
from stackgan.stage.stacked import Alone, Draws, Fakes, Stacked


class StackGAN(StackGANPlan, Conditional):
    """Stage-I where first is None, else Stage-II. Stage-I's networks are also those of the plain conditional GAN, "vanilla".

    network: the stage's own generator; first: a trained Stage-I generator, frozen unless recipe.first_trained.
    resolution: pixels a side of what is drawn. conditioning_augmentation, text_twice: the paper's ablations (Table 2).
    """

    discriminator: Discriminator
    generator: Alone | Stacked
    average: Alone | Stacked | None

    def __init__(
        self,
        *,
        name: Literal["stage1", "stage2", "vanilla"],
        network: StageOneBase | StageTwoGenerator,
        discriminator: Discriminator,
        recipe: Recipe,
        resolution: Literal[64, 128, 256],
        conditioning_augmentation: bool,
        seed: Natural,
        epoch_images: Positive,
        first: StageOneBase | None = None,
        text_twice: bool = True,
    ) -> None:
        generator: Alone | Stacked
        if first is not None and isinstance(network, StageTwoGenerator):
            generator = Stacked(first, network, recipe.first_trained, recipe.first_norm)
        elif first is None and isinstance(network, StageOneBase):
            generator = Alone(network)
        else:
            raise TypeError("a Stage-II network stands on a Stage-I network given as first; a Stage-I network on none")
        super().__init__(
            name=name, generator=generator, discriminator=discriminator, recipe=recipe, seed=seed, epoch_images=epoch_images
        )
        self.resolution: int = resolution
        self.text_twice = text_twice
        self.conditioning_augmentation = conditioning_augmentation
        lowest = generator.first if isinstance(generator, Stacked) else generator.network
        self.noise_dim, self.condition_dim, self.first_condition_dim = lowest.noise_dim, network.condition_dim, lowest.condition_dim

    def draw_fakes(self, batch: Batch, stream: str) -> Fakes:
        """Fakes for the batch's sentences; noise and both epsilons keyed by this iteration and stream."""
        truncated = self.recipe.epsilon_truncated
        draws = Draws(
            self.normal(f"{stream}/noise", self.noise_dim),
            self.normal(f"{stream}/epsilon", self.condition_dim, truncated),
            self.normal(f"{stream}/first_epsilon", self.first_condition_dim, truncated),
        )
        fakes: Fakes = self.generator(batch.text_BT, draws)
        return fakes

    def generator_terms(self, batch: Batch, fakes: Fakes) -> dict[str, Tensor]:
        """Also the KL of conditioning augmentation. StackGAN equations 4 and 6."""
        terms = super().generator_terms(batch, fakes)
        if self.conditioning_augmentation and self.text_twice:
            mean_BK, log_sigma_BK = fakes.condition.mean_BK, fakes.condition.log_sigma_BK
            terms["kl"] = self.recipe.kl_weight * kl.kl_to_standard_normal(mean_BK, log_sigma_BK, self.recipe.kl_reduction)
        return terms

    def generator_groups(self) -> list[dict[str, Any]]:
        """The stage's own generator; a Stage-I that learns along, at recipe.first_lr_factor of the rate."""
        groups: list[dict[str, Any]] = [{"params": list(self.generator.network.parameters())}]
        if isinstance(self.generator, Stacked) and self.recipe.first_trained:
            rate = self.recipe.generator_lr * self.recipe.first_lr_factor
            groups.append({"params": list(self.generator.first.parameters()), "lr": rate})
        return groups

    def given(self, batch: Batch, fakes: Fakes) -> Tensor:
        """The embedding (TensorFlow code), or the mean of G's condition, detached (PyTorch code), as D's text_input says."""
        return batch.text_BT if self.discriminator.text_input == "embedding" else fakes.condition.mean_BK.detach()

    @torch.no_grad()
    def other_given(self, batch: Batch, fakes: Fakes) -> Tensor:
        """See given()."""
        text_BT = batch.mismatched_text_BT
        assert text_BT is not None
        if self.discriminator.text_input == "embedding":
            return text_BT
        return self.generator.condition(text_BT, torch.zeros_like(fakes.condition.mean_BK)).mean_BK

    def sample_draws(self, key_B: Tensor, walk: Walk | None, extras: Mapping[str, Tensor]) -> Draws:
        """Noise, and both epsilons as recipe.epsilon_at_test says."""
        truncated, zero = self.recipe.epsilon_truncated, self.recipe.epsilon_at_test == "zero"

        def epsilon(stream: str, width: int) -> Tensor:
            if zero:
                return torch.zeros(len(key_B), width, device=self.device)
            return self.keyed(key_B, width, stream, walk, truncated)

        # Named by stage, so that a Stage-II stands on the very picture that its Stage-I alone draws for the same sentence and key.
        return Draws(
            self.noise(key_B, self.noise_dim, walk, extras),
            epsilon(f"{self.name}/epsilon", self.condition_dim),
            epsilon("stage1/epsilon", self.first_condition_dim),
        )
