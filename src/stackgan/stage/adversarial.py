"""Two players take turns: the one loop of every GAN here."""

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from stackgan.core.shapes import Batch
from stackgan.stage.average import frozen_copy, move_towards, warmed_up
from stackgan.stage.base import Stage, remember_first_rates
from stackgan.stage.recipe import Recipe


class Adversarial(Stage):
    """A GAN: children name the loss terms of both players and how fakes are drawn; the turns are taken here.

    generator, discriminator: the players. recipe: how they are trained. The averaged generator exists where
    recipe.average_decay is not 0; it is what is drawn, scored and handed on.
    """

    def __init__(
        self, *, name: str, generator: nn.Module, discriminator: nn.Module, recipe: Recipe, seed: int, epoch_images: int
    ) -> None:
        super().__init__(name, seed, recipe.batch_size, epoch_images)
        self.generator, self.discriminator, self.recipe = generator, discriminator, recipe
        self.average = frozen_copy(generator) if recipe.average_decay else None
        self.judged: dict[str, Tensor] = {}
        """Logits of the last D step by kind of pair, for callbacks."""

    @abstractmethod
    def draw_fakes(self, batch: Batch, stream: str) -> Any:
        """The generator's pictures for this batch, noise from the named stream."""

    @abstractmethod
    def discriminator_terms(self, batch: Batch, fakes: Any) -> dict[str, Tensor]:
        """What the discriminator minimises; fakes carry no gradient here."""

    @abstractmethod
    def generator_terms(self, batch: Batch, fakes: Any) -> dict[str, Tensor]:
        """What the generator minimises."""

    def training_step(self, batch: Batch, batch_index: int) -> None:
        """One D step, then one G step; G's turn draws anew (the paper's code) or reuses D's fakes (the PyTorch code)."""
        self.terms = {}  # lazy penalties do not occur in every iteration
        for_generator, for_discriminator = self._lightning_optimizers()
        redraw = self.recipe.redraw_noise
        # Fakes that both turns share need their graph, which D's turn, with G frozen, would not build.
        fakes = None if redraw else self.draw_fakes(batch, "discriminator")
        with self.toggled_optimizer(for_discriminator):
            # Drawn here rather than under no_grad: autocast would keep G's cast weights, without gradients, for G's own turn.
            fakes = self.draw_fakes(batch, "discriminator") if fakes is None else fakes
            self.descend(for_discriminator, "discriminator", self.discriminator_terms(batch, fakes.detach()))
        with self.toggled_optimizer(for_generator):
            if redraw:
                fakes = self.draw_fakes(batch, "generator")
            self.descend(for_generator, "generator", self.generator_terms(batch, fakes))
        if self.average is not None:
            move_towards(self.average, self.generator, warmed_up(self.recipe.average_decay, self.iteration))
        self.images_seen += self.batch_size
        self._halve_learning_rates()

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Adam for both players: G's first, then D's."""
        betas = (self.recipe.beta1, self.recipe.beta2)
        generator = torch.optim.Adam(self.generator_groups(), lr=self.recipe.generator_lr, betas=betas, fused=True)
        weights = self.discriminator.parameters()
        discriminator = torch.optim.Adam(weights, lr=self.recipe.discriminator_lr, betas=betas, fused=True)
        return [remember_first_rates(generator), remember_first_rates(discriminator)]

    def generator_groups(self) -> list[dict[str, Any]]:
        """Adam's parameter groups of the generator."""
        return [{"params": [p for p in self.generator.parameters() if p.requires_grad]}]

    def _halve_learning_rates(self) -> None:
        factor = 0.5 ** self.recipe.halvings(self.epoch)
        for optimizer in self._lightning_optimizers():
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor
