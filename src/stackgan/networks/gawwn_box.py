"""GAWWN with a box (Reed et al. 2016, "Learning What and Where to Draw", section 4.1), as in main_cub_bbox.lua: 128 px."""

import torch
from torch import Tensor, nn

from stackgan.core.ranges import Positive
from stackgan.core.shapes import Pictures
from stackgan.networks.blocks import Norm, Width, activation
from stackgan.networks.gawwn_discriminator import LocatedDiscriminator
from stackgan.networks.gawwn_layers import SIDE, bottleneck, convolved, doubled, enlarged, initialise_as_published, opened, spread
from stackgan.networks.spatial import PlacedNoise, PlacedText, crop, place


class BoxGenerator(nn.Module):
    """A global path draws the whole, a local path the thing in the box; they meet at 16x16, the local one moved into its box.

    width: ngf, the 16x16 maps have twice as many channels. last_width: channels at 64x64, 32 whatever ngf.
    noise_dim: Z. Text and noise become 4 * width numbers each.
    resized: how it doubles from 16x16 on, see gawwn_layers.enlarged. 73,545,699 parameters as published (text_dim 1024).
    """

    def __init__(
        self,
        text_dim: Positive,
        noise_dim: Positive = 100,
        width: Width = 128,
        last_width: Positive = 32,
        resized: bool = False,
    ) -> None:
        super().__init__()
        self.text_dim, self.noise_dim = text_dim, noise_dim
        each = 4 * width
        self.read_text = nn.Linear(text_dim, each)
        self.read_noise = nn.Linear(noise_dim, each)
        self.read_noise_globally = nn.Linear(noise_dim, each)
        self.text_in_box = nn.Sequential(
            convolved(each, each, 4, "relu", stride=2),
            convolved(each, each, 4, "relu", stride=2),
            convolved(each, each, 4, "relu"),
            nn.Flatten(),
        )
        self.whole = nn.Sequential(
            opened(8 * width, 8 * width),
            activation("relu"),
            doubled(8 * width, 4 * width),
            doubled(4 * width, 2 * width),
        )
        self.thing = nn.Sequential(
            opened(8 * width, 8 * width),
            bottleneck(8 * width),
            doubled(8 * width, 4 * width, "none"),
            bottleneck(4 * width),
            doubled(4 * width, 2 * width, "none"),
        )
        self.draw = nn.Sequential(
            convolved(4 * width, 2 * width, 3, "relu"),
            doubled(2 * width, width, resized=resized),
            doubled(width, last_width, resized=resized),
            enlarged(last_width, 3, resized),
            nn.Tanh(),
        )
        initialise_as_published(self, spectral=False)

    def forward(self, text_BT: Tensor, draws: PlacedNoise) -> Pictures:
        """Draw one picture a sentence, 128x128, the thing in its box. text_BT: embeddings, any scale."""
        box_B4, text_BK = draws.place, self.read_text(text_BT)
        marked_BKHW = place(spread(text_BK, SIDE), box_B4)
        noise_BK = self.read_noise_globally(draws.noise_BZ)
        whole = self.whole(torch.cat([noise_BK.relu(), self.text_in_box(marked_BKHW)], 1)[:, :, None, None])
        mixed_BK = torch.cat([self.read_noise(draws.noise_BZ), text_BK], 1).relu()
        thing = place(self.thing(mixed_BK[:, :, None, None]), box_B4).relu()
        return Pictures(self.draw(torch.cat([whole, thing.to(whole.dtype)], 1)))


class BoxDiscriminator(LocatedDiscriminator):
    """Looks at the box alone, with the sentence, and at the whole, with the sentence marked in the box.

    width: ndf, channels after the first halving. condition_dim: numbers that the sentence becomes. norm, spectral: see blocks.Norm
    and initialise.py. projection: see LocatedDiscriminator. 16,763,137 parameters as published.
    """

    def __init__(
        self,
        text_dim: Positive,
        condition_dim: Positive = 128,
        width: Width = 128,
        projection: bool = False,
        norm: Norm = "batch",
        spectral: bool = False,
    ) -> None:
        super().__init__(text_dim, condition_dim, width, 2 * width, width, projection, norm)
        self.text_in_box = nn.Sequential(
            convolved(condition_dim, 4 * width, 4, "relu", stride=2, norm=norm),
            convolved(4 * width, width, 4, "relu", stride=2, norm=norm),
        )
        initialise_as_published(self, spectral)

    def looked_at(self, features_BCHW: Tensor, given: PlacedText) -> Tensor:
        """The box, stretched over the map."""
        return crop(features_BCHW, given.place)

    def told(self, text_BK: Tensor, given: PlacedText) -> Tensor:
        """The sentence marked in the box, brought to 4x4."""
        told_BCHW: Tensor = self.text_in_box(place(spread(text_BK, SIDE), given.place))
        return told_BCHW
