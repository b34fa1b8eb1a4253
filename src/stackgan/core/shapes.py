"""Legend of the shape suffixes, and the values that travel between rooms.

B batch, C channels, H and W pixels, T text width, Z noise width, K condition width, N pictures of a data set, M captions a picture,
F image features, E joint embedding of text and pictures, V views of a picture, L characters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

Weights = Literal["average", "live"]
"""Which generator draws: the averaged weights (where a stage keeps them) or those being trained."""


@dataclass(frozen=True)
class Batch:
    """What one rank trains on in one iteration.

    real_BCHW: uint8 pictures. text_BT: float32 sentence embeddings of the same pictures. key_B: int64 positions in the data set.
    mismatched_BCHW (uint8) or mismatched_text_BT (float32): a partner, where the recipe asks for one; else None.
    extras: what a data set provides beside (boxes, parts), "features" (B, F) where an image encoder was asked for, and "class"
    (B,), int64 class ids, where a judge learns.
    iteration: how many global batches came before this one.
    """

    iteration: int
    real_BCHW: Tensor
    text_BT: Tensor
    key_B: Tensor
    mismatched_BCHW: Tensor | None = None
    mismatched_text_BT: Tensor | None = None
    extras: Mapping[str, Tensor] = field(default_factory=dict)

    def _moved(self, move: Any) -> "Batch":
        changed = {name: move(value) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return replace(self, **changed, extras={name: move(value) for name, value in self.extras.items()})

    def to(self, device: torch.device | str, non_blocking: bool = False) -> "Batch":
        """The same batch on another device (Lightning calls this)."""
        return self._moved(lambda value: value.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> "Batch":
        """The same batch in page-locked memory (the loader calls this where a GPU waits for it)."""
        return self._moved(lambda value: value.pin_memory())


@dataclass(frozen=True)
class Examples:
    """Pictures with their sentences, fixed for a whole run, to look at and to score.

    real_NHWC: uint8, centre crop. sentences: one a picture. text_NT: their embeddings. key_N: int64 positions in the data set.
    class_N: int64 class ids, -1 where there are no classes. extras: of the same pictures, as in Batch: boxes and parts.
    """

    real_NHWC: Any
    sentences: tuple[str, ...]
    text_NT: Tensor
    key_N: Tensor
    class_N: Tensor | None = None
    extras: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Described:
    """Pictures as an image encoder sees them, with all their captions.

    features_NF. text_NMT: of which the first count_N are captions, zeros beyond. class_N: class ids.
    """

    features_NF: Tensor
    text_NMT: Tensor
    count_N: Tensor
    class_N: Tensor


@dataclass(frozen=True)
class Pictures:
    """What a Sampler drew: x_BCHW in [-1, 1]; first_BCHW the Stage-I pictures that a Stage-II picture was made from, else None."""

    x_BCHW: Tensor
    first_BCHW: Tensor | None = None

    def detach(self) -> "Pictures":
        """The same without gradients."""
        return Pictures(self.x_BCHW.detach(), None if self.first_BCHW is None else self.first_BCHW.detach())


@dataclass(frozen=True)
class Gallery:
    """The pictures of a split as files hold them, with all their captions. Both functions take places 0 .. len - 1 in the gallery.

    fingerprint: of the pictures and their order. picture_N: rows of the data set. text(place_N, caption_N): embeddings (N, T).
    pictures(place_N): uint8 (N, H, W, 3), centre crop. extras(place_N): where things are on them, as in Batch.
    """

    fingerprint: str
    split: str
    picture_N: Any
    captions: tuple[tuple[str, ...], ...]
    text: Callable[[Any, Any], Any]
    pictures: Callable[[Any], Any]
    extras: Callable[[Any], Mapping[str, Tensor]]

    def __len__(self) -> int:
        return len(self.captions)


class ImageEncoder(Protocol):
    """Turns pictures into features; a pure function of the pixels and of what fingerprint names. size: pixels a side; dim: F."""

    size: int
    dim: int

    @property
    def fingerprint(self) -> str:
        """A short name for everything that changes the features."""
        ...

    def check(self) -> None:
        """Raise UserError where encode() could not work; cheap."""
        ...

    def encode(self, pictures_NHWC: Any) -> Any:
        """(N, size, size, 3) in 0..255, uint8 or float32, to float32 (N, F)."""
        ...


@dataclass(frozen=True)
class Walk:
    """Part of the way from each picture's own noise and epsilon to another's.

    key_B: int64, the other's key. share_B: 0 is the picture's own, 1 the other's.
    """

    key_B: Tensor
    share_B: Tensor


class Sampler(Protocol):
    """All that callbacks and metrics may know of a stage."""

    resolution: int

    @property
    def takes(self) -> frozenset[str]:
        """The extras without which it cannot draw."""
        ...

    def sample(
        self,
        text_BT: Tensor,
        key_B: Tensor,
        weights: Weights = "average",
        walk: Walk | None = None,
        extras: Mapping[str, Tensor] | None = None,
    ) -> Pictures:
        """Draw one picture a sentence; noise and epsilon come from key_B (and walk) alone, so pictures of two systems pair up.

        extras: what the picture must hold beside the sentence (`takes` names what cannot be left out), as in Batch: "box", "parts";
        and "noise" (B, Z), in the place of the keys' own.
        """
        ...
