"""A GAN that draws what a sentence says: what its discriminator is shown, and how it draws for people."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.core.pixels import to_unit_range
from stackgan.core.shapes import Batch, Pictures, Walk, Weights
from stackgan.objectives import augment, matching, penalties
from stackgan.stage.adversarial import Adversarial

SAMPLING_SEED = 0
"""Pictures of one sentence and key pair up between systems, so sampling does not know the training seed."""


class Conditional(Adversarial):
    """Real, mismatched and fake pictures before a discriminator that reads the sentence too.

    A child says how fakes are drawn for training (draw_fakes) and for people (sample_draws), and what the discriminator reads
    beside a picture (given, other_given): a tensor, or something that can be indexed by rows. Its generator is a module
    generator(text_BT, draws) -> fakes, which have x_BCHW, first_BCHW and detach(); its discriminator has features(), conditional(),
    and unconditional() where `heads` names it. takes: the extras without which it cannot draw.
    """

    provides: ClassVar[frozenset[str]] = frozenset({"pictures", "players"})
    takes: ClassVar[frozenset[str]] = frozenset()
    resolution: int
    discriminator: Any

    @abstractmethod
    def sample_draws(self, key_B: Tensor, walk: Walk | None, extras: Mapping[str, Tensor]) -> Any:
        """What the generator needs beside sentences to draw for people, keyed by picture."""

    def given(self, batch: Batch, fakes: Any) -> Any:
        """What D reads beside a picture for the batch's own sentences."""
        return batch.text_BT

    def other_given(self, batch: Batch, fakes: Any) -> Any:
        """The same for the sentences of the batch's mismatched pairs."""
        return batch.mismatched_text_BT

    def discriminator_terms(self, batch: Batch, fakes: Any) -> dict[str, Tensor]:
        """Real, mismatched and fake pictures, each judged by every head. StackGAN equations 3, 5 and section 3.2."""
        recipe, real_BCHW = self.recipe, self._prepared(batch.real_BCHW)
        given = self.given(batch, fakes)
        with parametrize.cached():
            features = self.discriminator.features(self.augmented(real_BCHW, "real"))
            real = self.logits(features, given)
            mismatched = self._mismatched(batch, features, given, fakes)
            fake = self.logits(self.discriminator.features(self.augmented(fakes.x_BCHW, "fake")), given)
        self.judged = {name: logits["conditional"].detach() for name, logits in (("real", real), ("fake", fake))}
        terms = matching.discriminator_terms(real, fake, mismatched, recipe.discriminator_loss, recipe.balance_heads)
        if mismatched is not None:
            self.judged["mismatched"] = mismatched["conditional"].detach()
            terms["mismatched_conditional"] = terms["mismatched_conditional"] * self._share_of_pairs(mismatched["conditional"])
        if recipe.r1_weight and self.iteration % recipe.r1_every == 0:
            terms["r1"] = self._penalty(real_BCHW, given)
        return terms

    def generator_terms(self, batch: Batch, fakes: Any) -> dict[str, Tensor]:
        """Every head on the fakes. StackGAN equations 4 and 6, without the KL."""
        with parametrize.cached():
            features = self.discriminator.features(self.augmented(fakes.x_BCHW, "generator"))
            fake = self.logits(features, self.given(batch, fakes))
        return matching.generator_terms(fake, self.recipe.generator_loss)

    def logits(self, features_BCHW: Any, given: Any) -> dict[str, Tensor]:
        """Logits (B,) of every head, by its name."""
        found = {"conditional": self.discriminator.conditional(features_BCHW, given)}
        if "unconditional" in self.discriminator.heads:
            found["unconditional"] = self.discriminator.unconditional(features_BCHW)
        return found

    @torch.no_grad()
    def sample(
        self,
        text_BT: Tensor,
        key_B: Tensor,
        weights: Weights = "average",
        walk: Walk | None = None,
        extras: Mapping[str, Tensor] | None = None,
    ) -> Pictures:
        """Draw one picture a sentence (Sampler). Raises UserError where one of `takes` is missing from extras."""
        extras = extras or {}
        if missing := sorted(self.takes - set(extras)):
            raise UserError(f"{self.name}: draws with a {missing[0]} for each picture, and was given none")
        generator = self.average if self.average is not None and weights == "average" else self.generator
        mode = generator.training
        generator.eval()
        fakes = generator(text_BT.to(self.device), self.sample_draws(key_B, walk, extras))
        generator.train(mode)
        return Pictures(fakes.x_BCHW, fakes.first_BCHW)

    def keyed(self, key_B: Tensor, width: int, stream: str, walk: Walk | None = None, truncated: bool = False) -> Tensor:
        """(B, width) standard normal numbers of each picture's key, on this device; on the way to walk's keys where it is given."""
        here_BZ = chance.normal_rows(key_B, width, SAMPLING_SEED, stream, truncated)
        if walk is None:
            return here_BZ.to(self.device)
        there_BZ = chance.normal_rows(walk.key_B, width, SAMPLING_SEED, stream, truncated)
        return chance.between(here_BZ, there_BZ, walk.share_B).to(self.device)

    def noise(self, key_B: Tensor, width: int, walk: Walk | None, extras: Mapping[str, Tensor]) -> Tensor:
        """(B, width): extras["noise"] where it is given (a style), else each key's own. Raises UserError for another width."""
        if "noise" not in extras:
            return self.keyed(key_B, width, "noise", walk)
        noise_BZ = extras["noise"].to(self.device)
        if noise_BZ.shape != (len(key_B), width):
            raise UserError(f"{self.name}: reads {width} numbers of noise a picture, and was given {noise_BZ.shape[-1]}")
        return noise_BZ

    def augmented(self, x_BCHW: Tensor, stream: str) -> Tensor:
        """DiffAugment without colour (Zhao et al. 2020) where the recipe asks for it; the same kinds on reals and fakes."""
        recipe, size = self.recipe, self.resolution
        if recipe.augment_translation:
            reach = round(recipe.augment_translation * size)
            shift = self.uniform(f"{stream}/translation", 2).mul(2 * reach + 1).long() - reach
            x_BCHW = augment.translate(x_BCHW, shift[: len(x_BCHW)])
        if recipe.augment_cutout:
            centre = self.uniform(f"{stream}/cutout", 2).mul(size).long()
            x_BCHW = augment.cutout(x_BCHW, centre[: len(x_BCHW)], round(recipe.augment_cutout * size))
        return x_BCHW

    def _prepared(self, x_BCHW: Tensor) -> Tensor:
        return to_unit_range(x_BCHW).contiguous(memory_format=torch.channels_last)

    def _mismatched(self, batch: Batch, features: Any, given: Any, fakes: Any) -> dict[str, Tensor] | None:
        """Real pictures with another picture's sentence. features: D's of the batch's pictures."""
        if self.recipe.mismatched_pair == "none":
            return None
        if batch.mismatched_BCHW is not None:
            other = self.augmented(self._prepared(batch.mismatched_BCHW), "mismatched")
            return {"conditional": self.discriminator.conditional(self.discriminator.features(other), given)}
        wrong, rows = self.other_given(batch, fakes), len(batch.text_BT)
        rank, world = self.place
        if self.recipe.mismatched_pair == "roll" and rank == world - 1:
            rows -= 1  # the last picture of the global batch has no next one
        return {"conditional": self.discriminator.conditional(features[:rows], wrong[:rows])}

    def _share_of_pairs(self, logit_B: Tensor) -> float:
        """What makes the mean over this rank's pairs count for as much as it has pairs; 1 but for "roll" on several ranks."""
        world = self.place[1]
        pairs = self.batch_size - 1 if self.recipe.mismatched_pair == "roll" else self.batch_size
        return len(logit_B) * world / pairs

    def _penalty(self, real_BCHW: Tensor, given: Any) -> Tensor:
        """Lazy R1 (Mescheder et al. 2018; every r1_every iterations, Karras et al. 2020), in float32."""
        with torch.autocast(self.device.type, enabled=False):
            leaf = real_BCHW.detach().requires_grad_()
            penalty = penalties.r1(self.discriminator.conditional(self.discriminator.features(leaf), given), leaf)
        return 0.5 * self.recipe.r1_weight * self.recipe.r1_every * penalty
