"""GAWWN (Reed et al. 2016, "Learning What and Where to Draw"): GAN-CLS that is also told where, by a box or by parts."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.core.shapes import Batch, Pictures, Walk
from stackgan.networks.gawwn_box import BoxDiscriminator, BoxGenerator
from stackgan.networks.gawwn_parts import PartsDiscriminator, PartsGenerator
from stackgan.networks.spatial import PlacedNoise, PlacedText
from stackgan.stage.conditional import Conditional
from stackgan.stage.plans import GawwnPlan
from stackgan.stage.recipe import Recipe


class Gawwn(GawwnPlan, Conditional):
    """Real, mismatched and fake pictures, each before a discriminator that reads the sentence and the picture's own place.

    A mismatched pair keeps its picture's place: only the sentence is another's. network, discriminator: for a box or for parts,
    as the child's name says. resolution: pixels a side; the published networks draw 128.
    """

    kind: ClassVar[Literal["box", "parts"]]
    generator: BoxGenerator | PartsGenerator

    def __init__(
        self,
        *,
        name: Literal["gawwn_box", "gawwn_parts"],
        network: BoxGenerator | PartsGenerator,
        discriminator: BoxDiscriminator | PartsDiscriminator,
        recipe: Recipe,
        resolution: Literal[128],
        seed: Natural,
        epoch_images: Positive,
    ) -> None:
        super().__init__(
            name=name, generator=network, discriminator=discriminator, recipe=recipe, seed=seed, epoch_images=epoch_images
        )
        self.resolution: int = resolution
        self.noise_dim = network.noise_dim

    @classmethod
    def objection(cls, node: Mapping[str, Any], ranks: int) -> str | None:
        """See Stage: pictures may not move when their places do not; D's batch norm of vectors needs two of them."""
        recipe = node["recipe"]
        moves, pair = recipe["augment_translation"], recipe["mismatched_pair"]
        if moves:
            return f"stage.recipe.augment_translation={moves}: would move birds out of their {cls.kind}; set 0"
        if pair == "image":
            needs = f"another picture has its bird elsewhere than this {cls.kind}"
            return f"stage.recipe.mismatched_pair=image: {needs}; set sentence, roll or none"
        if pair == "roll" and recipe["discriminator_norm"] == "batch" and recipe["batch_size"] < 3 * ranks:
            of_each = " of each device" if ranks > 1 else ""
            needs = f"D's batch norm{of_each} needs two mismatched pairs, one fewer than pictures; set {3 * ranks} or more"
            return f"stage.recipe.batch_size={recipe['batch_size']}: {needs}"
        return None

    def draw_fakes(self, batch: Batch, stream: str) -> Pictures:
        """Fakes for the batch's sentences, each at its picture's place."""
        noise_BZ = self.normal(f"{stream}/noise", self.noise_dim)
        fakes: Pictures = self.generator(batch.text_BT, PlacedNoise(noise_BZ, batch.extras[self.kind]))
        return fakes

    def given(self, batch: Batch, fakes: Pictures) -> PlacedText:
        """The sentence and the place."""
        return PlacedText(batch.text_BT, batch.extras[self.kind])

    def other_given(self, batch: Batch, fakes: Pictures) -> PlacedText:
        """Another picture's sentence at this picture's place."""
        assert batch.mismatched_text_BT is not None
        return PlacedText(batch.mismatched_text_BT, batch.extras[self.kind])

    def sample_draws(self, key_B: Tensor, walk: Walk | None, extras: Mapping[str, Tensor]) -> PlacedNoise:
        """Noise, and the place asked for. Raises UserError where its shape is wrong."""
        place = extras[self.kind].to(self.device).float()
        if (found := tuple(place.shape)) != (wanted := (len(key_B), *self.place_shape)):
            raise UserError(f"{self.name}: {self.kind} of shape {found} for {len(key_B)} pictures; give {wanted}")
        return PlacedNoise(self.noise(key_B, self.noise_dim, walk, extras), place)

    @property
    def place_shape(self) -> tuple[int, ...]:
        """Of one picture's place: (4,) of a box, (P, 3) of parts."""
        return (self.generator.parts, 3) if isinstance(self.generator, PartsGenerator) else (4,)


class GawwnBox(Gawwn):
    """Told a box: left, top, width and height as fractions of the picture. Section 4.1."""

    kind = "box"
    requires: ClassVar[frozenset[str]] = frozenset({"boxes"})
    takes: ClassVar[frozenset[str]] = frozenset({"box"})


class GawwnParts(Gawwn):
    """Told parts: x, y as fractions of the picture, and whether each is visible. Section 4.2."""

    kind = "parts"
    requires: ClassVar[frozenset[str]] = frozenset({"parts"})
    takes: ClassVar[frozenset[str]] = frozenset({"parts"})
