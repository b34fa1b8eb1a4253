"""What the discriminators of GAWWN share: a trunk to 16x16, a path that looks at the place, a path that looks at the whole."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from stackgan.networks.blocks import Norm, activation
from stackgan.networks.discriminators import Head, TextInput
from stackgan.networks.gawwn_layers import SIDE, convolved, mapped, spread
from stackgan.networks.spatial import PlacedText


class LocatedDiscriminator(nn.Module, ABC):
    """Asks of a picture whether it is real, shows its sentence, and has it in its place. Logits are raw.

    place_channels: of the map that looked_at gives; told_channels: of the map that told gives.
    projection: add the inner product of the sentence with the pooled features of place and whole to the logit (Miyato and
    Koyama 2018), which the published networks lack.
    """

    heads: tuple[Head, ...] = ("conditional",)
    text_input: TextInput = "embedding"

    def __init__(
        self,
        text_dim: int,
        condition_dim: int,
        width: int,
        place_channels: int,
        told_channels: int,
        projection: bool,
        norm: Norm,
    ) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            convolved(3, width, 4, "leaky_relu", stride=2, norm="none"),
            convolved(width, width, 4, "leaky_relu", stride=2, norm="none"),
            convolved(width, 2 * width, 4, "leaky_relu", stride=2, norm=norm),
            convolved(2 * width, 2 * width, 3, "leaky_relu", norm=norm),
        )
        self.read = nn.Sequential(nn.Linear(text_dim, condition_dim), activation("leaky_relu"))
        self.join = convolved(2 * width + condition_dim, 2 * width, 3, "leaky_relu", norm=norm)
        self.at_place = nn.Sequential(
            convolved(place_channels, 2 * width, 1, "leaky_relu", norm=norm),
            nn.Conv2d(2 * width, width, 1),
        )
        self.shrink = nn.Sequential(
            convolved(2 * width, 4 * width, 4, "leaky_relu", stride=2, norm=norm),
            convolved(4 * width, 8 * width, 4, "leaky_relu", stride=2, norm=norm),
        )
        self.on_whole = nn.Sequential(
            convolved(8 * width + told_channels, 4 * width, 1, "leaky_relu", norm=norm),
            convolved(4 * width, width, 4, "leaky_relu", norm=norm),
            nn.Flatten(),
        )
        self.logit = nn.Sequential(mapped(2 * width, width, "leaky_relu", norm), nn.Linear(width, 1))
        self.projection = nn.Linear(text_dim, place_channels + 8 * width, bias=False) if projection else None

    @abstractmethod
    def looked_at(self, features_BCHW: Tensor, given: PlacedText) -> Tensor:
        """What the path of the place sees of a 16x16 map."""

    @abstractmethod
    def told(self, text_BK: Tensor, given: PlacedText) -> Tensor:
        """What the path of the whole hears of the sentence, a 4x4 map."""

    def features(self, x_BCHW: Tensor) -> Tensor:
        """Pictures (B, 3, 128, 128) in [-1, 1] -> features_BCHW, 16x16."""
        features_BCHW: Tensor = self.encoder(x_BCHW)
        return features_BCHW

    def conditional(self, features_BCHW: Tensor, given: PlacedText) -> Tensor:
        """Returns logits (B,): real, showing this sentence at this place, or not."""
        text_BK = self.read(given.text_BT)
        joined_BCHW = self.join(torch.cat([features_BCHW, spread(text_BK, SIDE).to(features_BCHW.dtype)], 1))
        place_BC = nn.functional.leaky_relu(self.at_place(self.looked_at(joined_BCHW, given)).mean((2, 3)), 0.2)
        small_BCHW = self.shrink(features_BCHW)
        told_BCHW = self.told(text_BK, given).to(small_BCHW.dtype)
        whole_BC = self.on_whole(torch.cat([small_BCHW, told_BCHW], 1))
        logit_B: Tensor = self.logit(torch.cat([place_BC, whole_BC], 1)).flatten()
        if self.projection is not None:
            pooled_BC = torch.cat([self.looked_at(features_BCHW, given).mean((2, 3)), small_BCHW.mean((2, 3))], 1)
            logit_B = logit_B + (pooled_BC * self.projection(given.text_BT)).sum(1)
        return logit_B

    def forward(self, x_BCHW: Tensor, given: PlacedText) -> dict[Head, Tensor]:
        """The logits (B,) of every head."""
        return {"conditional": self.conditional(self.features(x_BCHW), given)}
