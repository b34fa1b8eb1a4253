"""StackGAN's two stages (Zhang et al. 2017, sections 3.2 and 3.3): one system, with or without a Stage-I generator under it."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn.utils import parametrize

from stackgan.core import chance
from stackgan.core.pixels import to_unit_range
from stackgan.core.ranges import Natural, Positive
from stackgan.core.shapes import Batch, Pictures, Walk, Weights
from stackgan.networks.discriminators import Discriminator
from stackgan.networks.generators import StageOneBase, StageTwoGenerator
from stackgan.objectives import augment, kl, matching, penalties
from stackgan.stage.adversarial import Adversarial
from stackgan.stage.base import Part
from stackgan.stage.recipe import Recipe
from stackgan.stage.stacked import Alone, Draws, Fakes, Stacked

SAMPLING_SEED = 0
"""Pictures of one sentence and key pair up between systems, so sampling does not know the training seed."""


class StackGAN(Adversarial):
    """Stage-I where first is None, else Stage-II.

    network: the stage's own generator; first: a trained Stage-I generator, frozen unless recipe.first_trained.
    resolution: pixels a side of what is drawn. conditioning_augmentation, text_twice: the paper's ablations (Table 2).
    """

    provides: ClassVar[frozenset[str]] = frozenset({"pictures", "players"})
    discriminator: Discriminator
    generator: Alone | Stacked
    average: Alone | Stacked | None

    def __init__(
        self,
        *,
        name: Literal["stage1", "stage2"],
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
        self.judged: dict[str, Tensor] = {}
        self.noise_dim, self.condition_dim, self.first_condition_dim = lowest.noise_dim, network.condition_dim, lowest.condition_dim

    @classmethod
    def parts(cls, node: Mapping[str, Any], sizes: Mapping[str, int]) -> dict[str, Part]:
        """See Stage."""
        both = {"text_dim": sizes["text_dim"], "resolution": node["resolution"]}
        drawing = both | {"conditioning_augmentation": node["conditioning_augmentation"]}
        if node["name"] == "stage2":
            drawing |= {"text_twice": node["text_twice"], "first_resolution": 64}
        networks = node["network"][node["name"]]
        return {
            "network": Part(networks["generator"], "stage.network.generator", "generator", drawing),
            "discriminator": Part(networks["discriminator"], "stage.network.discriminator", "discriminator", both),
        }

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

    def discriminator_terms(self, batch: Batch, fakes: Fakes) -> dict[str, Tensor]:
        """Real, mismatched and fake pictures, each judged by every head. StackGAN equations 3, 5 and section 3.2."""
        recipe, real_BCHW = self.recipe, self._prepared(batch.real_BCHW)
        sentence = self._sentence(batch.text_BT, fakes)
        with parametrize.cached():
            features = self.discriminator.features(self.augmented(real_BCHW, "real"))
            real = self._judge(features, sentence)
            mismatched = self._mismatched(batch, features, sentence, fakes)
            fake = self._judge(self.discriminator.features(self.augmented(fakes.x_BCHW, "fake")), sentence)
        self.judged = {name: logits["conditional"].detach() for name, logits in (("real", real), ("fake", fake))}
        terms = matching.discriminator_terms(real, fake, mismatched, recipe.discriminator_loss, recipe.balance_heads)
        if mismatched is not None:
            self.judged["mismatched"] = mismatched["conditional"].detach()
            terms["mismatched_conditional"] = terms["mismatched_conditional"] * self._share_of_pairs(mismatched["conditional"])
        if recipe.r1_weight and self.iteration % recipe.r1_every == 0:
            terms["r1"] = self._penalty(real_BCHW, sentence)
        return terms

    def generator_terms(self, batch: Batch, fakes: Fakes) -> dict[str, Tensor]:
        """Every head on the fakes, and the KL of conditioning augmentation. StackGAN equations 4 and 6."""
        with parametrize.cached():
            features = self.discriminator.features(self.augmented(fakes.x_BCHW, "generator"))
            fake = self._judge(features, self._sentence(batch.text_BT, fakes))
        terms = matching.generator_terms(fake, self.recipe.generator_loss)
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

    @torch.no_grad()
    def sample(self, text_BT: Tensor, key_B: Tensor, weights: Weights = "average", walk: Walk | None = None) -> Pictures:
        """Draw one picture a sentence (Sampler). text_BT: (B, T). key_B: int64, the picture's own noise and epsilon."""
        generator = self.average if self.average is not None and weights == "average" else self.generator
        mode = generator.training
        generator.eval()
        fakes: Fakes = generator(text_BT.to(self.device), self._sample_draws(key_B, walk))
        generator.train(mode)
        return Pictures(fakes.x_BCHW, fakes.first_BCHW)

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

    def _sentence(self, text_BT: Tensor, fakes: Fakes) -> Tensor:
        """What D reads of the sentence: the embedding (TensorFlow code), or the mean of G's condition, detached (PyTorch code)."""
        return text_BT if self.discriminator.text_input == "embedding" else fakes.condition.mean_BK.detach()

    def _judge(self, features_BCHW: Tensor, sentence: Tensor) -> dict[str, Tensor]:
        logits = {"conditional": self.discriminator.conditional(features_BCHW, sentence)}
        if "unconditional" in self.discriminator.heads:
            logits["unconditional"] = self.discriminator.unconditional(features_BCHW)
        return logits

    def _mismatched(self, batch: Batch, real_BCHW: Tensor, sentence: Tensor, fakes: Fakes) -> dict[str, Tensor] | None:
        """Real pictures with another picture's sentence; real_BCHW: D's features of the batch's pictures."""
        if self.recipe.mismatched_pair == "none":
            return None
        if batch.mismatched_BCHW is not None:
            other = self.augmented(self._prepared(batch.mismatched_BCHW), "mismatched")
            return {"conditional": self.discriminator.conditional(self.discriminator.features(other), sentence)}
        assert batch.mismatched_text_BT is not None
        wrong, rows = self._condition_of(batch.mismatched_text_BT, fakes), len(real_BCHW)
        rank, world = self.place
        if self.recipe.mismatched_pair == "roll" and rank == world - 1:
            rows -= 1  # the last picture of the global batch has no next one
        return {"conditional": self.discriminator.conditional(real_BCHW[:rows], wrong[:rows])}

    def _share_of_pairs(self, logit_B: Tensor) -> float:
        """What makes the mean over this rank's pairs count for as much as it has pairs; 1 but for "roll" on several ranks."""
        world = self.place[1]
        pairs = self.batch_size - 1 if self.recipe.mismatched_pair == "roll" else self.batch_size
        return len(logit_B) * world / pairs

    @torch.no_grad()
    def _condition_of(self, text_BT: Tensor, fakes: Fakes) -> Tensor:
        """Other sentences as D reads them."""
        if self.discriminator.text_input == "embedding":
            return text_BT
        return self.generator.condition(text_BT, torch.zeros_like(fakes.condition.mean_BK)).mean_BK

    def _penalty(self, real_BCHW: Tensor, sentence: Tensor) -> Tensor:
        """Lazy R1 (Mescheder et al. 2018; every r1_every iterations, Karras et al. 2020), in float32."""
        with torch.autocast(self.device.type, enabled=False):
            leaf = real_BCHW.detach().requires_grad_()
            logit_B = self.discriminator.conditional(self.discriminator.features(leaf), sentence.float())
            penalty = penalties.r1(logit_B, leaf)
        return 0.5 * self.recipe.r1_weight * self.recipe.r1_every * penalty

    def _sample_draws(self, key_B: Tensor, walk: Walk | None = None) -> Draws:
        truncated, zero = self.recipe.epsilon_truncated, self.recipe.epsilon_at_test == "zero"

        def rows(stream: str, width: int, truncated: bool = False) -> Tensor:
            here_BZ = chance.normal_rows(key_B, width, SAMPLING_SEED, stream, truncated)
            if walk is None:
                return here_BZ.to(self.device)
            there_BZ = chance.normal_rows(walk.key_B, width, SAMPLING_SEED, stream, truncated)
            return chance.between(here_BZ, there_BZ, walk.share_B).to(self.device)

        def epsilon(stream: str, width: int) -> Tensor:
            return torch.zeros(len(key_B), width, device=self.device) if zero else rows(stream, width, truncated)

        # Named by stage, so that a Stage-II stands on the very picture that its Stage-I alone draws for the same sentence and key.
        return Draws(
            rows("noise", self.noise_dim),
            epsilon(f"{self.name}/epsilon", self.condition_dim),
            epsilon("stage1/epsilon", self.first_condition_dim),
        )
