"""Colour agreement on toybirds: a program reads the colours back from what was drawn and compares them with the sentence."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch

from stackgan.callbacks.watcher import OverExamples, Watched
from stackgan.core.pixels import to_bytes_NHWC
from stackgan.core.shapes import Examples
from stackgan.toybirds import agreement, compare, decode

CHUNK = 50


class ColourAgreement(OverExamples):
    """Logs, for each split, agreement on body, wing, belly and background, raw and between its floors.

    normalised = (score - shuffled) / (real - shuffled): shuffled scores the same drawings against other pictures' sentences, real
    scores real renders. every_images: how often; count: pictures a split.
    """

    requires: ClassVar[frozenset[str]] = frozenset({"toybirds", "pictures"})

    def look(self, stage: Any) -> dict[str, float]:
        """Score each split."""
        values: dict[str, float] = {}
        for split, examples in self._examples.items():
            scored = score(examples, draw(stage, examples))
            values |= {f"agreement/{split}/{name}": round(value, 4) for name, value in scored.items()}
        self.view.record(stage.images_seen, values)
        return values


def draw(stage: Watched, examples: Examples) -> "np.ndarray[Any, Any]":
    """One picture a sentence, (N, H, W, 3) uint8, in chunks."""
    parts = [slice(start, start + CHUNK) for start in range(0, len(examples.key_N), CHUNK)]
    extras = [{name: value[part] for name, value in examples.extras.items()} for part in parts]
    drawn = (
        stage.sample(examples.text_NT[part], examples.key_N[part], extras=places)
        for part, places in zip(parts, extras, strict=True)
    )
    return np.concatenate([to_bytes_NHWC(pictures.x_BCHW) for pictures in drawn])


def score(examples: Examples, drawn_NHWC: "np.ndarray[Any, Any]") -> dict[str, float]:
    """Agreement of the drawings, of other sentences with them, and of real renders."""
    readings = [decode(picture) for picture in drawn_NHWC]
    said = compare(examples.sentences, readings)
    shuffled = compare(_shuffled(examples.sentences), readings)["mean"]
    real = agreement(examples.sentences, examples.real_NHWC)["mean"]
    floors = {"score": said["mean"], "shuffled": shuffled, "real": real}
    parts = {name: value for name, value in said.items() if name != "mean"}
    # One sentence, or sentences that all say the same, have no floor.
    normalised = (said["mean"] - shuffled) / (real - shuffled) if real != shuffled else float("nan")
    return {"normalised": normalised, **floors, **parts}


def _shuffled(sentences: Sequence[str]) -> list[str]:
    order = torch.randperm(len(sentences), generator=torch.Generator().manual_seed(0)).tolist()
    # One step along a random cycle: no picture keeps its own sentence.
    target = dict(zip(order, order[1:] + order[:1], strict=True))
    return [sentences[target[i]] for i in range(len(sentences))]
