"""Training a style encoder: the noise that a frozen generator drew from is read back from its picture (Reed et al. 2016)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from stackgan.core import chance
from stackgan.core.pixels import to_unit_range
from stackgan.core.ranges import Decay, Natural, Positive, PositiveFloat
from stackgan.core.shapes import Batch, Pictures, Walk, Weights
from stackgan.networks.style import StyleEncoder
from stackgan.stage.base import remember_first_rates
from stackgan.stage.conditional import Conditional
from stackgan.stage.plans import StyleEncoderPlan
from stackgan.stage.supervised import Supervised

CHUNK = 64
"""Pictures read at once where many are."""


@dataclass(frozen=True)
class StyleRecipe:
    """How the style encoder learns; conf/stage/style_encoder.yaml says what each is."""

    name: str
    batch_size: Positive
    captions_averaged: Positive
    mismatched_pair: Literal["none"]
    epochs: Positive
    lr: PositiveFloat
    beta1: Decay
    standardised: bool


class StyleEncoderStage(StyleEncoderPlan, Supervised):
    """S, which inverts G: E || z - S(G(z, sentence)) ||^2 with G frozen (Reed et al. 2016, section 4.4).

    encoder: S. generator: the frozen system, which draws in evaluation mode, as it does for people. resolution: pixels a side of
    its pictures. epoch_images: training pictures, whose sentences are drawn; the pictures themselves are not read.
    """

    player = "encoder"
    provides: ClassVar[frozenset[str]] = frozenset({"style"})

    def __init__(
        self,
        *,
        name: Literal["style_encoder"],
        encoder: StyleEncoder,
        generator: Conditional,
        recipe: StyleRecipe,
        resolution: Positive,
        seed: Natural,
        epoch_images: Positive,
    ) -> None:
        super().__init__(name, seed, recipe.batch_size, epoch_images)
        self.encoder, self.recipe, self.resolution = encoder, recipe, resolution
        self.generator = generator.requires_grad_(False)
        self.noise_dim = generator.noise_dim
        self.train()  # Lightning leaves the modes as they are

    @property
    def takes(self) -> frozenset[str]:
        """As the generator."""
        return self.generator.takes

    def train(self, mode: bool = True) -> "StyleEncoderStage":
        """The generator stays as it draws for people."""
        super().train(mode)
        self.generator.eval()
        return self

    def loss_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Squared error of the noise, the mean over its numbers: 1 for an encoder that knows nothing and says 0."""
        noise_BZ = self.normal("style/noise", self.noise_dim)
        # Keys of what else the generator draws by chance, conditioning augmentation's epsilon.
        draw = chance.generator(self.seed, "style/key", self.iteration)
        key_B = self.rows(torch.randint(2**62, (self.batch_size,), generator=draw))
        drawn = self.sample(batch.text_BT, key_B, extras={**batch.extras, "noise": noise_BZ})
        return {"noise": nn.functional.mse_loss(self.encoder(drawn.x_BCHW), noise_BZ)}

    def rate_factor(self) -> float:
        """The rate stays as it is."""
        return 1.0

    def learners(self) -> list[nn.Module]:
        """The encoder alone."""
        return [self.encoder]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, beta2 0.999."""
        betas = (self.recipe.beta1, 0.999)
        return remember_first_rates(torch.optim.Adam(self.weights(), lr=self.recipe.lr, betas=betas, fused=True))

    def sample(
        self,
        text_BT: Tensor,
        key_B: Tensor,
        weights: Weights = "average",
        walk: Walk | None = None,
        extras: Mapping[str, Tensor] | None = None,
    ) -> Pictures:
        """Draw with the frozen generator (Sampler); extras["noise"] (B, Z) as invert() gives it draws in a picture's style."""
        return self.generator.sample(text_BT, key_B, weights, walk, extras)

    def invert(self, pictures_NCHW: Tensor) -> Tensor:
        """The style of pictures: uint8 (N, 3, resolution, resolution) to noise (N, Z), float32 on the CPU, in evaluation mode.

        Standardised where the recipe says so.
        """
        return self._encoded(pictures_NCHW, self.encoder.style if self.recipe.standardised else self.encoder)

    def read(self, pictures_NCHW: Tensor) -> Tensor:
        """As invert, but as the encoder was taught: the mean of the noises that may have drawn each picture."""
        return self._encoded(pictures_NCHW, self.encoder)

    @torch.no_grad()
    def _encoded(self, pictures_NCHW: Tensor, encode: Callable[[Tensor], Tensor]) -> Tensor:
        mode = self.training
        self.eval()
        pieces = torch.split(pictures_NCHW, CHUNK)
        found = [encode(to_unit_range(piece.to(self.device))).cpu() for piece in pieces]
        self.train(mode)
        return torch.cat(found) if found else torch.empty(0, self.noise_dim)
