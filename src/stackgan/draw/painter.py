"""A generator with its sentence encoder: sentences in, pictures out."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.core.pixels import to_bytes_NHWC
from stackgan.core.shapes import Sampler, Walk, Weights
from stackgan.draw.sentences import cleaned, keys
from stackgan.text.encoder import TextEncoder

Pixels = NDArray[np.uint8]

Place = Callable[[Sequence[str] | None, Tensor], Mapping[str, Tensor]]
"""place(sentences, key_B): where things shall be in B pictures, each with its sentence and noise key, as Sampler's extras.

sentences: None where pictures lie between several.
"""

CHUNK = 64
"""Pictures drawn at once; what is waiting costs no more than its bytes."""


class Drawer(Sampler, Protocol):
    """A Sampler whose weights can be taken out: `generator.*`, and `average.*` where it keeps them.

    A style encoder's also has invert(pictures_NCHW) -> noise_NZ.
    """

    def state_dict(self) -> dict[str, Tensor]:
        """All weights by name."""
        ...


@dataclass(frozen=True)
class Origin:
    """Whose pictures these are. All but source travels along in an exported file.

    config: the run's settings. facts: fingerprints of its data and encoder, text width. first: `config` of the run that the stage
    stands on, and `first` of that where it stands on another; else None. images_seen: in training. holds: which weights there are.
    provenance: the run's, {} where it is unknown. source: the file the weights were read from. encoder: settings and weights of a
    sentence encoder trained here (TextEncoder.carried), None where the run's settings alone make the encoder.
    """

    config: Mapping[str, Any]
    facts: Mapping[str, Any]
    first: Mapping[str, Any] | None
    images_seen: int
    holds: tuple[Weights, ...]
    provenance: Mapping[str, Any]
    source: str
    encoder: Mapping[str, Any] | None = None

    @property
    def stage(self) -> str:
        """As in `stage=`."""
        return str(self.config["stage"]["name"])

    @property
    def data(self) -> str:
        """As in `data=`."""
        return str(self.config["data"]["name"])

    def weights(self, wanted: Weights) -> Weights:
        """The weights that draw: those wanted, or live ones for averaged where the run averaged none. Raises UserError."""
        if wanted in self.holds or (wanted == "average" and not self.config["stage"]["recipe"].get("average_decay")):
            return wanted if wanted in self.holds else "live"
        raise UserError(f"weights={wanted}: {self.source} holds only {self.holds[0]} weights; set weights={self.holds[0]}")

    def caption(self, wanted: Weights) -> str:
        """One line for people."""
        return f"{self.stage} on {self.data}, {self.images_seen:,} images seen, {self.weights(wanted)} weights"


@dataclass(frozen=True)
class Drawings:
    """n pictures of each of N sentences: uint8 pixels_NKHWC (N, n, H, W, 3), exactly what a PNG holds.

    first_NKHWC: the Stage-I pictures under those of a Stage-II, else None. sentences: as they were read. seed: of the noise.
    """

    sentences: tuple[str, ...]
    seed: int
    pixels_NKHWC: Pixels
    first_NKHWC: Pixels | None


class Painter:
    """sampler: the generator. encoder: what it was trained with. origin: where both come from.

    `stackgan.load` makes one from a run, a checkpoint, or an exported file.
    """

    def __init__(self, sampler: Drawer, encoder: TextEncoder, origin: Origin, place: Place | None = None) -> None:
        self.sampler, self.encoder, self.origin, self.place = sampler, encoder, origin, place

    def at(self, place: Place) -> "Painter":
        """The same, drawing where place says, unless a call says otherwise."""
        return Painter(self.sampler, self.encoder, self.origin, place)

    @property
    def resolution(self) -> int:
        """Pixels a side of what is drawn."""
        return self.sampler.resolution

    @property
    def device(self) -> torch.device:
        """Where it draws."""
        return next(iter(self.sampler.state_dict().values())).device

    def sample(
        self,
        sentences: str | Sequence[str],
        n: int = 1,
        seed: int = 0,
        same_noise: bool = False,
        weights: Weights = "average",
        extras: Mapping[str, Tensor] | None = None,
    ) -> Drawings:
        """Draw n pictures of each sentence, (N, n, H, W, 3); the same on every call, whatever is drawn beside it (up to rounding).

        seed: of the noise, which also depends on the sentence, unless same_noise. weights: averaged (where the run kept them) or
        live. Runs of white space count as one space; long sentences are read as far as the encoder reads, any script is taken.
        extras: one row for all pictures, or one a picture (N * n, sentence by sentence): see Sampler; box and parts as fractions of
        the picture. Raises UserError for an empty sentence, for weights that are not there, and where a box is needed.
        """
        read = tuple(cleaned(sentence) for sentence in ([sentences] if isinstance(sentences, str) else sentences))
        text_NT, key_NK = self.embed(read), keys(read, n, seed, same_noise)
        text_BT = text_NT[:, None].expand(-1, n, -1).reshape(len(read) * n, text_NT.shape[1])
        if self.place is not None and extras is None:
            extras = self.place([sentence for sentence in read for _ in range(n)], key_NK.flatten())
        rows = {name: value.expand(len(text_BT), *value.shape[1:]) for name, value in (extras or {}).items()}
        pixels, first = self.draw(text_BT, key_NK.flatten(), weights, extras=rows)
        stacked = [None if flat is None else flat.reshape(len(read), n, *flat.shape[1:]) for flat in (pixels, first)]
        assert stacked[0] is not None
        return Drawings(read, seed, stacked[0], stacked[1])

    def embed(self, sentences: Sequence[str]) -> Tensor:
        """(N, T) float32; a line on stderr for each sentence in which the encoder finds nothing it knows (the zero vector)."""
        text_NT = torch.from_numpy(self.encoder.encode(sentences))
        for sentence, known in zip(sentences, text_NT.any(dim=1).tolist(), strict=True):
            if not known:
                line = f"text={self.encoder.name} finds nothing it can read in {sentence[:60]!r}; its pictures show no sentence"
                print(f"warning: {line}", file=sys.stderr, flush=True)
        return text_NT

    def invert(self, pixels_NHWC: Pixels) -> Tensor:
        """The style of pictures, uint8 (N, resolution, resolution, 3), as noise (N, Z) for `extras`. Raises as check_inverts."""
        self.check_inverts()
        noise_NZ: Tensor = getattr(self.sampler, "invert")(torch.from_numpy(pixels_NHWC).permute(0, 3, 1, 2))  # noqa: B009
        return noise_NZ

    def check_inverts(self) -> None:
        """Raise UserError where the system has no style encoder."""
        if not hasattr(self.sampler, "invert"):
            train = "python src/train.py stage=style_encoder stage.base=run://<stage>/<data>/<name>"
            raise UserError(f"run={self.origin.source}: stage={self.origin.stage} reads no style; train one that does: {train}")

    def draw(
        self,
        text_BT: Tensor,
        key_B: Tensor,
        weights: Weights = "average",
        walk: Walk | None = None,
        extras: Mapping[str, Tensor] | None = None,
    ) -> tuple[Pixels, Pixels | None]:
        """uint8 (B, H, W, 3) pictures of embeddings and noise keys, and the Stage-I pictures under them; a chunk at a time.

        extras: see Sampler.
        """
        weights = self.origin.weights(weights)
        if self.place is not None and not set(extras or ()) >= self.sampler.takes:
            extras = {**self.place(None, key_B), **(extras or {})}
        out: list[Pixels] = []
        below: list[Pixels] = []
        for start in range(0, len(key_B), CHUNK):
            part = slice(start, start + CHUNK)
            way = None if walk is None else Walk(walk.key_B[part], walk.share_B[part])
            given = {name: value[part] for name, value in (extras or {}).items()}
            drawn = self.sampler.sample(text_BT[part], key_B[part], weights, way, given)
            out.append(to_bytes_NHWC(drawn.x_BCHW))
            if drawn.first_BCHW is not None:
                below.append(to_bytes_NHWC(drawn.first_BCHW))
        nothing: Pixels = np.empty((0, self.resolution, self.resolution, 3), np.uint8)
        return np.concatenate(out or [nothing]), np.concatenate(below) if below else None
