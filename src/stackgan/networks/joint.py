"""The maps of a joint embedding of sentences and pictures: what stands beside, or in place of, a character network."""

from torch import Tensor, nn

from stackgan.core.ranges import Positive


class Linear(nn.Module):
    """Another encoder's embedding (text=minilm, hashing, ...), mapped linearly: what it is worth, measured the same way."""

    reads = "embedding"

    def __init__(self, text_dim: Positive, dim: Positive = 1024) -> None:
        super().__init__()
        self.dim, self.project = dim, nn.Linear(text_dim, dim)

    def forward(self, text_BT: Tensor) -> Tensor:
        """(B, T) -> (B, E)."""
        found: Tensor = self.project(text_BT)
        return found


class ImageMap(nn.Module):
    """Features of a picture, brought to the length sqrt(F), then mapped linearly to the embedding's width.

    Reed's features had that width already and were used as they are; other networks' features differ in width and scale.
    """

    def __init__(self, feature_dim: Positive, dim: Positive = 1024) -> None:
        super().__init__()
        self.project = nn.Linear(feature_dim, dim)

    def forward(self, features_BF: Tensor) -> Tensor:
        """(B, F) -> (B, E)."""
        scaled_BF = nn.functional.normalize(features_BF, dim=1) * features_BF.shape[1] ** 0.5
        found: Tensor = self.project(scaled_BF)
        return found
