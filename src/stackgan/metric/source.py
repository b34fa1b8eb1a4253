"""Where scored pictures come from: a generator's drawings or a gallery's own pictures, in an order that does not depend on n."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stackgan.core import chance
from stackgan.core.fingerprint import fingerprint
from stackgan.core.shapes import Gallery
from stackgan.metric.score import Array, Pixels, Show

Draw = Callable[[Tensor, Tensor, Mapping[str, Tensor]], Pixels]
"""draw(text_BT, key_B, extras): uint8 pictures (B, H, W, 3), exactly what a PNG holds. extras: boxes and parts, as in Batch."""


@dataclass(frozen=True)
class Source:
    """N pictures with sentences, made when they are looked at.

    fingerprint: of everything that decides row i, for every i: two sources that differ only in length share it. sentences,
    picture_N: see Seen. show: rows to pixels. known: arrays of them that no observer has to look for: where things were asked for.
    """

    fingerprint: str
    sentences: tuple[str, ...]
    picture_N: NDArray[np.int64]
    show: Show
    known: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sentences)


@dataclass(frozen=True)
class Schedule:
    """Which sentences are drawn, with which noise: place_N in the gallery, caption_N of that picture, key_N of the noise."""

    place_N: NDArray[np.int64]
    caption_N: NDArray[np.int64]
    key_N: NDArray[np.int64]


def schedule(gallery: Gallery, n: int, seed: int, repeats: int = 1) -> Schedule:
    """n drawings: passes over all pictures of the gallery, each in an order of its own and with each picture's next caption.

    repeats: drawings of a sentence, one after the other, each with its own noise. The beginning is the same for every n.
    """
    size, wanted = len(gallery), -(-n // repeats)
    count_N = np.array([len(captions) for captions in gallery.captions])
    first_N = np.array([chance.key(seed, "scored caption", int(picture)) for picture in gallery.picture_N])
    passes = range(-(-wanted // size))
    orders = [torch.randperm(size, generator=chance.generator(seed, "scored order", number)).numpy() for number in passes]
    place_S = np.concatenate([*orders, np.zeros(0, np.int64)])[:wanted]
    pass_S = np.repeat(np.arange(len(passes)), size)[:wanted]
    caption_S = (first_N[place_S] + pass_S) % count_N[place_S]
    place_N, pass_N, caption_N = (np.repeat(value, repeats)[:n] for value in (place_S, pass_S, caption_S))
    times = zip(gallery.picture_N[place_N].tolist(), pass_N.tolist(), (np.arange(n) % repeats).tolist(), strict=True)
    key_N = np.array([chance.key(seed, "scored noise", *time) for time in times], np.int64)
    return Schedule(place_N, caption_N, key_N)


def drawn(gallery: Gallery, draw: Draw, by: str, n: int, seed: int, repeats: int = 1) -> Source:
    """A generator's drawings of the gallery's sentences. by: fingerprint of whatever draws."""
    plan = schedule(gallery, n, seed, repeats)

    def show(rows: NDArray[np.int64]) -> Pixels:
        text = gallery.text(plan.place_N[rows], plan.caption_N[rows])
        extras = gallery.extras(plan.place_N[rows])
        return draw(torch.from_numpy(np.ascontiguousarray(text)), torch.from_numpy(plan.key_N[rows]), extras)

    name = fingerprint(["drawn", by, gallery.fingerprint, seed, repeats], digits=16)
    return Source(name, _sentences(gallery, plan), gallery.picture_N[plan.place_N], show, _asked(gallery, plan))


def real(gallery: Gallery, seed: int, n: int | None = None) -> Source:
    """The gallery's own pictures, each once, in the order of the schedule's first pass and with the caption of that pass."""
    plan = schedule(gallery, min(n or len(gallery), len(gallery)), seed)
    name = fingerprint(["real", gallery.fingerprint, seed], digits=16)
    shown = gallery.picture_N[plan.place_N]
    known = _asked(gallery, plan)
    return Source(name, _sentences(gallery, plan), shown, lambda rows: gallery.pictures(plan.place_N[rows]), known)


ASKED = {"box": "asked_box", "parts": "asked_part"}
"""What a picture's places are called as arrays."""


def _asked(gallery: Gallery, plan: Schedule) -> dict[str, Array]:
    """Where things lie in the pictures whose sentences are drawn; systems that take places are asked for just these."""
    extras = gallery.extras(plan.place_N)
    return {name: extras[key].numpy() for key, name in ASKED.items() if key in extras}


def _sentences(gallery: Gallery, plan: Schedule) -> tuple[str, ...]:
    places = zip(plan.place_N.tolist(), plan.caption_N.tolist(), strict=True)
    return tuple(gallery.captions[place][caption] for place, caption in places)
