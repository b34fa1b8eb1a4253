"""Training GAWWN's part generator (Reed et al. 2016, section 4.4): from a sentence and a few parts to all of them."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from stackgan.core import chance
from stackgan.core.devices import moved
from stackgan.core.errors import UserError
from stackgan.core.ranges import Fraction, Natural, Positive
from stackgan.core.shapes import Batch
from stackgan.networks.gawwn_part_generator import PartCompleter, PartDiscriminator
from stackgan.networks.spatial import VISIBLE
from stackgan.objectives import matching
from stackgan.stage.adversarial import Adversarial
from stackgan.stage.conditional import SAMPLING_SEED
from stackgan.stage.plans import GawwnPlan
from stackgan.stage.recipe import Recipe


class PartGeneratorStage(GawwnPlan, Adversarial):
    """A GAN over part locations; the batch's pictures are not looked at.

    hidden: share of a picture's parts that are kept from the generator in training. resolution: of the data's pictures.
    """

    requires: ClassVar[frozenset[str]] = frozenset({"parts"})
    provides: ClassVar[frozenset[str]] = frozenset({"players"})
    generator: PartCompleter
    average: PartCompleter | None

    def __init__(
        self,
        *,
        name: Literal["gawwn_part_generator"],
        network: PartCompleter,
        discriminator: PartDiscriminator,
        recipe: Recipe,
        hidden: Fraction,
        resolution: Literal[64, 128, 256],
        seed: Natural,
        epoch_images: Positive,
    ) -> None:
        super().__init__(
            name=name, generator=network, discriminator=discriminator, recipe=recipe, seed=seed, epoch_images=epoch_images
        )
        self.hidden, self.resolution = hidden, resolution
        self.judged: dict[str, Tensor] = {}

    @classmethod
    def objection(cls, node: Mapping[str, Any], ranks: int) -> str | None:
        """See Stage: what the recipes of pictures have and this one does not."""
        for key, without in (("mismatched_pair", "none"), ("r1_weight", 0), ("augment_translation", 0), ("augment_cutout", 0)):
            if node["recipe"][key] != without:
                return f"stage.recipe.{key}={node['recipe'][key]}: stage={node['name']} looks at no pictures; set {without}"
        return None

    def draw_fakes(self, batch: Batch, stream: str) -> Tensor:
        """All parts (B, P, 3) for the batch's sentences, of which the generator was given those that chance left it."""
        parts_BP3 = batch.extras["parts"]
        left_BP = self.uniform(f"{stream}/hidden", parts_BP3.shape[1]) >= self.hidden
        given_BP3 = parts_BP3 * moved(left_BP, self.device)[..., None]
        fakes_BP3: Tensor = self.generator(batch.text_BT, self.normal(f"{stream}/noise", self.generator.noise_dim), given_BP3)
        return fakes_BP3

    def discriminator_terms(self, batch: Batch, fakes: Tensor) -> dict[str, Tensor]:
        """Real and completed parts with the picture's sentence."""
        real = {"conditional": self.discriminator(batch.extras["parts"], batch.text_BT)}
        fake = {"conditional": self.discriminator(fakes, batch.text_BT)}
        self.judged = {"real": real["conditional"].detach(), "fake": fake["conditional"].detach()}
        return matching.discriminator_terms(real, fake, None, self.recipe.discriminator_loss)

    def generator_terms(self, batch: Batch, fakes: Tensor) -> dict[str, Tensor]:
        """Completed parts that should pass for real."""
        return matching.generator_terms({"conditional": self.discriminator(fakes, batch.text_BT)}, self.recipe.generator_loss)

    @torch.no_grad()
    def complete(self, text_BT: Tensor, parts_BP3: Tensor, key_B: Tensor) -> Tensor:
        """(B, P, 3) float32 as in Batch.extras: the parts given, and those that are likely with this sentence and these parts.

        text_BT: embeddings. parts_BP3: x, y as fractions of the picture and 1, or three zeros for a part that is to be found.
        key_B: int64, the noise. A found part is visible above 0.1, as in the published code; those that are not are three zeros.
        The averaged generator completes, where the run keeps one. Raises UserError for another number of parts.
        """
        wanted = (len(key_B), self.generator.parts, 3)
        if tuple(parts_BP3.shape) != wanted:
            raise UserError(f"{self.name}: parts of shape {tuple(parts_BP3.shape)} for {len(key_B)} sentences; give {wanted}")
        network = self.average if self.average is not None else self.generator
        mode = network.training
        network.eval()
        noise_BZ = chance.normal_rows(key_B, network.noise_dim, SAMPLING_SEED, "noise").to(self.device)
        found_BP3: Tensor = network(text_BT.to(self.device), noise_BZ, parts_BP3.to(self.device).float()).float()
        network.train(mode)
        seen_BP1 = found_BP3[..., 2:] > VISIBLE
        return torch.cat([found_BP3[..., :2] * seen_BP1, seen_BP1.float()], dim=2)
