"""GAWWN with part locations (Reed et al. 2016, section 4.2), as in main_cub_keypoints.lua: 128 px."""

import torch
from torch import Tensor, nn

from stackgan.core.ranges import Positive
from stackgan.core.shapes import Pictures
from stackgan.networks.blocks import Norm, Width
from stackgan.networks.gawwn_discriminator import LocatedDiscriminator
from stackgan.networks.gawwn_layers import (
    SIDE,
    bottleneck,
    convolved,
    doubled,
    enlarged,
    finished,
    initialise_as_published,
    mapped,
    opened,
    spread,
)
from stackgan.networks.spatial import PlacedNoise, PlacedText, covered, part_maps


class PartsGenerator(nn.Module):
    """Parts as 16x16 maps: a global path reads them all, a local path draws where there is any, and the maps themselves go along.

    parts: P, how many. width: ngf; 512 local and 128 global channels at 16x16 as published. noise_dim: Z.
    resized: how it doubles from 16x16 on, see gawwn_layers.enlarged. 26,471,043 parameters as published (text_dim 1024, 15 parts).
    """

    def __init__(
        self,
        text_dim: Positive,
        parts: Positive = 15,
        noise_dim: Positive = 100,
        width: Width = 128,
        resized: bool = False,
    ) -> None:
        super().__init__()
        self.text_dim, self.noise_dim, self.parts = text_dim, noise_dim, parts
        each = 4 * width
        self.read_text, self.read_noise = nn.Linear(text_dim, each), nn.Linear(noise_dim, each)
        self.mixed_locally, self.mixed_globally = mapped(2 * each, each, "relu"), mapped(2 * each, each, "relu")
        self.thing = convolved(each, each, 3, "relu")
        self.read_parts = nn.Sequential(
            convolved(parts, width, 4, "relu", stride=2),
            convolved(width, 2 * width, 4, "relu", stride=2),
            convolved(2 * width, each, 4, "relu"),
            nn.Flatten(),
        )
        self.whole = nn.Sequential(
            finished(opened(2 * each, each), None, "relu"),
            doubled(each, 2 * width),
            doubled(2 * width, width),
        )
        self.draw = nn.Sequential(
            convolved(5 * width + parts, each, 3, "relu"),
            convolved(each, each, 3, "none"),
            bottleneck(each),
            doubled(each, 2 * width, resized=resized),
            doubled(2 * width, width, resized=resized),
            enlarged(width, 3, resized),
            nn.Tanh(),
        )
        initialise_as_published(self, spectral=False)

    def forward(self, text_BT: Tensor, draws: PlacedNoise) -> Pictures:
        """Draw one picture a sentence, 128x128, its parts where draws.place (B, P, 3) says. text_BT: embeddings, any scale."""
        maps_BPHW = part_maps(draws.place, SIDE)
        mixed_BK = torch.cat([self.read_noise(draws.noise_BZ), self.read_text(text_BT)], 1).relu()
        thing = self.thing(spread(self.mixed_locally(mixed_BK), SIDE) * covered(maps_BPHW))
        both_BK = torch.cat([self.mixed_globally(mixed_BK), self.read_parts(maps_BPHW)], 1)
        whole = self.whole(both_BK[:, :, None, None])
        return Pictures(self.draw(torch.cat([whole, thing, maps_BPHW.to(whole.dtype)], 1)))


class PartsDiscriminator(LocatedDiscriminator):
    """Looks where parts are, told which, and at the whole with the sentence.

    parts: P. width: ndf. condition_dim: numbers that the sentence becomes. norm, spectral: see blocks.Norm and initialise.py.
    projection: see LocatedDiscriminator. 14,667,905 parameters as published.
    """

    def __init__(
        self,
        text_dim: Positive,
        parts: Positive = 15,
        condition_dim: Positive = 128,
        width: Width = 128,
        projection: bool = False,
        norm: Norm = "batch",
        spectral: bool = False,
    ) -> None:
        super().__init__(text_dim, condition_dim, width, 2 * width + parts, condition_dim, projection, norm)
        initialise_as_published(self, spectral)

    def looked_at(self, features_BCHW: Tensor, given: PlacedText) -> Tensor:
        """The map where any part lies, and the parts' own maps."""
        maps_BPHW = part_maps(given.place, SIDE).to(features_BCHW.dtype)
        return torch.cat([features_BCHW * covered(maps_BPHW), maps_BPHW], 1)

    def told(self, text_BK: Tensor, given: PlacedText) -> Tensor:
        """The sentence at each pixel of 4x4."""
        return spread(text_BK, SIDE // 4)
