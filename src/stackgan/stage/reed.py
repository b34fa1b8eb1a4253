"""GAN-CLS, GAN-INT and GAN-INT-CLS (Reed et al., ICML 2016): one system with its two additions on or off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from stackgan.core.ranges import Fraction, Natural, NonNegativeFloat, Positive
from stackgan.core.shapes import Batch, Walk
from stackgan.networks.reed import GanClsDiscriminator, GanClsGenerator
from stackgan.objectives import matching
from stackgan.stage.conditional import Conditional
from stackgan.stage.plans import GanClsPlan
from stackgan.stage.recipe import Recipe


@dataclass(frozen=True)
class Fakes:
    """Drawn pictures x_BCHW in [-1, 1]; those of the batch's interpolated sentences, half as many, and the sentences, else None."""

    x_BCHW: Tensor
    between_BCHW: Tensor | None = None
    between_BT: Tensor | None = None

    def detach(self) -> "Fakes":
        """The same without gradients, for D, which never sees what interpolated sentences became."""
        return Fakes(self.x_BCHW.detach())


class GanCls(GanClsPlan, Conditional):
    """Mismatched pairs (CLS) are the recipe's; interpolated sentences (INT) have a weight and a place between two of the batch.

    interpolation_weight: of a picture of an interpolated sentence in G's loss, beside 1 for each of the others; 0: none are drawn.
    interpolation_beta: the share of the first of the two sentences in the one between them. resolution: pixels a side.
    """

    generator: GanClsGenerator
    discriminator: GanClsDiscriminator

    def __init__(
        self,
        *,
        name: Literal["gan_cls", "gan_int", "gan_int_cls"],
        network: GanClsGenerator,
        discriminator: GanClsDiscriminator,
        recipe: Recipe,
        resolution: Literal[64, 128, 256],
        interpolation_weight: NonNegativeFloat,
        interpolation_beta: Fraction,
        seed: Natural,
        epoch_images: Positive,
    ) -> None:
        super().__init__(
            name=name, generator=network, discriminator=discriminator, recipe=recipe, seed=seed, epoch_images=epoch_images
        )
        self.resolution: int = resolution
        self.noise_dim = network.noise_dim
        self.interpolation_weight, self.interpolation_beta = interpolation_weight, interpolation_beta

    @classmethod
    def objection(cls, node: Mapping[str, Any], ranks: int) -> str | None:
        """See Stage: sentences are paired within each rank's batch."""
        batch_size = node["recipe"]["batch_size"]
        if not node["interpolation_weight"] or batch_size % (2 * ranks) == 0:
            return None
        of_each = " of each device" if ranks > 1 else ""
        needs = f"interpolation pairs the sentences{of_each}; set a multiple of {2 * ranks}, or stage.interpolation_weight=0"
        return f"stage.recipe.batch_size={batch_size}: {needs}"

    def draw_fakes(self, batch: Batch, stream: str) -> Fakes:
        """Fakes for the batch's sentences and, where G's turn will see them, for the sentences between them, in one pass of G."""
        noise_BZ = self.normal(f"{stream}/noise", self.noise_dim)
        for_generator = stream == "generator" or not self.recipe.redraw_noise
        if not (self.interpolation_weight and for_generator):
            return Fakes(self.generator(batch.text_BT, noise_BZ).x_BCHW)
        between_BT = self.between(batch.text_BT)
        more_BZ = self.normal(f"{stream}/interpolated", self.noise_dim)[: len(between_BT)]
        x_BCHW = self.generator(torch.cat([batch.text_BT, between_BT]), torch.cat([noise_BZ, more_BZ])).x_BCHW
        return Fakes(x_BCHW[: len(noise_BZ)], x_BCHW[len(noise_BZ) :], between_BT)

    def between(self, text_BT: Tensor) -> Tensor:
        """beta t1 + (1 - beta) t2 of each sentence of the first half and its counterpart in the second. Section 4.3, equation 5.

        Row i of the global batch meets row i + B/2: with strided rows and an even share both are on the same rank.
        """
        first_BT, second_BT = text_BT.chunk(2)
        return torch.lerp(second_BT, first_BT, self.interpolation_beta)

    def generator_terms(self, batch: Batch, fakes: Fakes) -> dict[str, Tensor]:
        """A mean over all that was drawn, in which interpolated sentences count by their weight (as in the code)."""
        if fakes.between_BCHW is None or fakes.between_BT is None:
            return super().generator_terms(batch, fakes)
        own, drawn = len(fakes.x_BCHW), len(fakes.x_BCHW) + len(fakes.between_BCHW)
        seen = [self.augmented(fakes.x_BCHW, "generator"), self.augmented(fakes.between_BCHW, "interpolated")]
        with parametrize.cached():
            logits = self.logits(self.discriminator.features(torch.cat(seen)), torch.cat([batch.text_BT, fakes.between_BT]))
        kind = self.recipe.generator_loss
        terms = matching.generator_terms({head: logit_B[:own] for head, logit_B in logits.items()}, kind)
        more = matching.generator_terms({head: logit_B[own:] for head, logit_B in logits.items()}, kind)
        weighed = {name: term * own / drawn for name, term in terms.items()}
        share = self.interpolation_weight * (drawn - own) / drawn
        return weighed | {name.replace("adversarial", "interpolated"): term * share for name, term in more.items()}

    def sample_draws(self, key_B: Tensor, walk: Walk | None, extras: Mapping[str, Tensor]) -> Tensor:
        """Noise."""
        return self.noise(key_B, self.noise_dim, walk, extras)
