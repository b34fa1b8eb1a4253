"""Drawn birds with their sentences, as evaluate.py would hand them to scores."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from stackgan.metric.score import Array, Observer, Pixels, Seen
from stackgan.toybirds import captions, draw_scene, render

SEED = 11


def birds(count: int, size: int = 64, start: int = 0, each: int = 1) -> tuple[Pixels, tuple[str, ...], NDArray[np.int64]]:
    """Pictures (N, size, size, 3), a sentence each, and which scene each shows; `each` sentences of every scene."""
    scenes = [(index, draw_scene(SEED, index)) for index in range(start, start + count)]
    pictures = np.stack([render(scene, size).image for _, scene in scenes])
    sentences = tuple(sentence for index, scene in scenes for sentence in captions(scene, SEED, index, each))
    rows = np.repeat(np.arange(count), each)
    return pictures[rows], sentences, rows


def see(observers: Sequence[Observer], pictures: Pixels, sentences: Sequence[str], picture_N: NDArray[np.int64]) -> Seen:
    """What all observers say of the pictures, in one Seen."""
    arrays: dict[str, Array] = {}
    for observer in observers:
        arrays |= observer.observe(pictures, sentences)
    return Seen(arrays, tuple(sentences), picture_N)


def changed(pictures: Pixels, change: Callable[[Pixels], Pixels]) -> Pixels:
    """Every picture (H, W, 3) through change."""
    return np.stack([change(picture) for picture in pictures])
