"""Training a text encoder: sentences and pictures of one class are brought together (Reed et al., CVPR 2016)."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from stackgan.core.ranges import Fraction, Natural, NonNegativeFloat, Positive, PositiveFloat
from stackgan.core.shapes import Batch
from stackgan.networks.char_cnn_rnn import CharCnnRnn
from stackgan.networks.joint import ImageMap, Linear
from stackgan.objectives.joint_embedding import structured_joint_embedding
from stackgan.stage.base import remember_first_rates
from stackgan.stage.plans import TextEncoderPlan
from stackgan.stage.supervised import Supervised

FOLLOW = 0.01
"""Share of the newest batch in the running mean square."""


@dataclass(frozen=True)
class EncoderRecipe:
    """How the encoder learns; conf/stage/text_encoder.yaml says what each is."""

    name: str
    batch_size: Positive
    captions_averaged: Positive
    mismatched_pair: Literal["none"]
    distinct_classes: bool
    epochs: Positive
    optimiser: Literal["rmsprop", "adam"]
    lr: PositiveFloat
    lr_decay: Fraction
    lr_decay_every: Positive
    symmetric: bool
    margin: PositiveFloat
    weight_decay: NonNegativeFloat


class TextEncoderStage(TextEncoderPlan, Supervised):
    """A text network and a linear map of picture features, trained so that matching pairs score higher than others.

    text: the network that is wanted. image_map: its counterpart. epoch_images: training pictures. resolution: of the data's
    pictures, which are not read here. mean_square: of the entries of recent embeddings, for their users to bring them to one scale.
    """

    player = "encoder"
    requires: ClassVar[frozenset[str]] = frozenset({"classes"})
    provides: ClassVar[frozenset[str]] = frozenset({"joint embedding"})

    def __init__(
        self,
        *,
        name: Literal["text_encoder"],
        text: CharCnnRnn | Linear,
        image_map: ImageMap,
        recipe: EncoderRecipe,
        resolution: Positive,
        seed: Natural,
        epoch_images: Positive,
    ) -> None:
        super().__init__(name, seed, recipe.batch_size, epoch_images)
        self.text, self.image_map, self.recipe, self.resolution = text, image_map, recipe, resolution
        self.mean_square: Tensor
        self.register_buffer("mean_square", torch.ones(()))

    def loss_terms(self, batch: Batch) -> dict[str, Tensor]:
        """The joint embedding's hinge, pictures to sentences and, where symmetric, sentences to pictures. Equations 2 to 4."""
        picture_BE, sentence_BE = self.image_map(batch.extras["features"]), self.text(batch.text_BT)
        self.mean_square.lerp_(
            sentence_BE.detach().to(self.mean_square.dtype).square().mean(), max(FOLLOW, 1 / (self.iteration + 1))
        )
        terms = {"picture_to_sentence": structured_joint_embedding(picture_BE, sentence_BE, self.recipe.margin)}
        if self.recipe.symmetric:
            terms["sentence_to_picture"] = structured_joint_embedding(sentence_BE, picture_BE, self.recipe.margin)
        return terms

    def rate_factor(self) -> float:
        """lr_decay once every lr_decay_every iterations."""
        return float(self.recipe.lr_decay ** (self.iteration // self.recipe.lr_decay_every))

    def learners(self) -> list[nn.Module]:
        """Both maps."""
        return [self.text, self.image_map]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """RMSprop as in Reed's code (alpha 0.99, epsilon 1e-8), or Adam."""
        common: dict[str, Any] = {"lr": self.recipe.lr, "weight_decay": self.recipe.weight_decay}
        if self.recipe.optimiser == "adam":
            return remember_first_rates(torch.optim.Adam(self.weights(), fused=True, **common))
        return remember_first_rates(torch.optim.RMSprop(self.weights(), **common))

    @torch.no_grad()
    def embed_text(self, text_BT: Tensor) -> Tensor:
        """(B, T) or characters (B, L) to (B, E) float32 on the CPU, in evaluation mode."""
        return self._evaluated(self.text, text_BT)

    @torch.no_grad()
    def embed_pictures(self, features_BF: Tensor) -> Tensor:
        """(B, F) to (B, E) float32 on the CPU."""
        return self._evaluated(self.image_map, features_BF)

    def _evaluated(self, network: nn.Module, given_B: Tensor) -> Tensor:
        mode = network.training
        network.eval()
        pieces = [network(piece.to(self.device)).float().cpu() for piece in torch.split(given_B, 256)]
        network.train(mode)
        return torch.cat(pieces)
