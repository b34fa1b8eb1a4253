"""What a style encoder is worth: how well noise is read back, and how often drawings keep what makes the style of a picture."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stackgan.callbacks.sheets import NEXT_NOISE
from stackgan.callbacks.watcher import OverExamples
from stackgan.core import chance
from stackgan.core.pixels import to_bytes_NHWC
from stackgan.core.ranges import Positive
from stackgan.core.shapes import Examples
from stackgan.data.records import Split
from stackgan.plots.sheet import sheet
from stackgan.toybirds import decode, parse

CHUNK = 50
KEPT = {"background": "background", "pose": "facing"}
"""What should be kept, and how toybirds' reader calls it. Reed et al. 2016 (section 5.5) measure the same two."""

Pixels = "np.ndarray[Any, Any]"


class Style(OverExamples):
    """Pictures that the encoder has not seen lend their style to other pictures' sentences.

    Logs, for each split, style/<split>/noise_error: mean squared error of the noise read back from the generator's own pictures (1
    for an encoder that says 0), and .../cycle_error: of the style read from a real picture against that read back from its
    drawing. On toybirds also .../background and .../pose: of the drawings whose sentence leaves it open, how many show what the
    style picture shows (unreadable ones do not); /pictures: how many these are; /guessing: how many would if styles were dealt
    out at random, and /guessing_sd: by how much that differs from deal to deal (so two of them above guessing is hardly chance).
    count: pictures a split. pictures, sentences: of the sheet, which crosses them.
    """

    requires: ClassVar[frozenset[str]] = frozenset({"style"})

    def __init__(
        self, every_images: Positive, splits: list[Split], count: Positive, pictures: Positive, sentences: Positive
    ) -> None:
        super().__init__(every_images, splits, count)
        self.pictures, self.sentences = pictures, sentences

    def look(self, stage: Any) -> dict[str, float]:
        """Draw each sentence in the style of another picture, and read."""
        values: dict[str, float] = {}
        for split, examples in self._examples.items():
            style_NZ = stage.invert(_planes(examples.real_NHWC))
            found = {"noise_error": self._noise_error(stage, examples), "cycle_error": _cycle_error(stage, examples, style_NZ)}
            if "toybirds" in self.view.data.provides:
                found |= _kept(stage, examples, style_NZ)
            values |= {f"style/{split}/{name}": round(value, 4) for name, value in found.items()}
            self._cross(stage, split, examples, style_NZ)
        self.view.record(stage.images_seen, values)
        return values

    def _noise_error(self, stage: Any, examples: Examples) -> float:
        """Of noise of our own, with these sentences."""
        noise_NZ = chance.normal((len(examples.sentences), stage.noise_dim), chance.generator(0, "style/looked at"))
        drawn_NHWC = _draw(stage, examples.text_NT, examples.key_N, examples.extras, noise_NZ)
        return float((stage.read(_planes(drawn_NHWC)) - noise_NZ).square().mean())

    def _cross(self, stage: Any, split: str, examples: Examples, style_NZ: Tensor) -> None:
        """A sheet: the style pictures on top, and below them what is drawn in their style; sentences are other pictures'."""
        columns = []
        rows = slice(-min(self.sentences, len(examples.sentences)), None)
        texts, keys = examples.text_NT[rows], examples.key_N[rows] + NEXT_NOISE
        extras = {name: value[rows] for name, value in examples.extras.items()}
        for place in range(min(self.pictures, len(style_NZ))):
            drawn_NHWC = _draw(stage, texts, keys, extras, style_NZ[place].expand(len(texts), -1))
            columns.append((f"style {place + 1}", np.concatenate([examples.real_NHWC[place, None], drawn_NHWC])))
        title = f"{stage.name}, {stage.images_seen:,} images seen, pictures and sentences of split {split}"
        made = sheet(columns, ["whose style is taken", *examples.sentences[rows]], title)
        self.view.save(made, f"seen-{stage.images_seen:09d}-{split}")


def _planes(pictures_NHWC: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures_NHWC)).permute(0, 3, 1, 2)


def _draw(stage: Any, text_NT: Tensor, key_N: Tensor, extras: Mapping[str, Tensor], noise_NZ: Tensor) -> Any:
    """uint8 (N, H, W, 3), a chunk at a time."""
    given, drawn = {**extras, "noise": noise_NZ}, []
    for start in range(0, len(key_N), CHUNK):
        part = slice(start, start + CHUNK)
        pictures = stage.sample(text_NT[part], key_N[part], extras={name: value[part] for name, value in given.items()})
        drawn.append(to_bytes_NHWC(pictures.x_BCHW))
    return np.concatenate(drawn)


def _cycle_error(stage: Any, examples: Examples, style_NZ: Tensor) -> float:
    """A picture's own sentence drawn in its own style, and the style read back."""
    drawn_NHWC = _draw(stage, examples.text_NT, examples.key_N, examples.extras, style_NZ)
    return float((stage.invert(_planes(drawn_NHWC)) - style_NZ).square().mean())


def _kept(stage: Any, examples: Examples, style_NZ: Tensor) -> dict[str, float]:
    """Each picture's style with the sentence of another."""
    other = torch.from_numpy(np.roll(np.arange(len(style_NZ)), 1))
    extras = {name: value[other] for name, value in examples.extras.items()}
    drawn_NHWC = _draw(stage, examples.text_NT[other], examples.key_N[other], extras, style_NZ)
    sentences = [examples.sentences[place] for place in other.tolist()]
    return kept(sentences, [decode(picture) for picture in examples.real_NHWC], [decode(picture) for picture in drawn_NHWC])


def kept(
    sentences: Sequence[str], styles: Sequence[Mapping[str, str | None]], drawings: Sequence[Mapping[str, str | None]]
) -> dict[str, float]:
    """Shares of drawings that keep what is KEPT, of how many (pictures), and by guessing. All equally long; as they were read.

    Those count whose sentence leaves it open and whose style picture can be read. Guessing: mean and standard deviation of the
    share over all ways to deal the styles to the drawings, which is what an encoder would keep that reads nothing. NaN where none
    counts (for the deviation, fewer than two).
    """
    figures: dict[str, float] = {}
    for name, attribute in KEPT.items():
        pairs = [
            (style[attribute], drawing[attribute])
            for sentence, style, drawing in zip(sentences, styles, drawings, strict=True)
            if attribute not in parse(sentence) and style[attribute] is not None
        ]
        shown_N, drawn_N = np.array(pairs, dtype=object).reshape(-1, 2).T
        same_NN: NDArray[np.float64] = (shown_N[:, None] == drawn_N).astype(np.float64)
        figures[name] = float(np.trace(same_NN)) / len(pairs) if pairs else float("nan")
        figures |= {f"{name}/guessing": float(same_NN.mean()) if pairs else float("nan"), f"{name}/pictures": len(pairs)}
        figures[f"{name}/guessing_sd"] = _dealt(same_NN) if len(pairs) > 1 else float("nan")
    return figures


def _dealt(same_NN: NDArray[np.float64]) -> float:
    """Standard deviation of mean_i same[i, deal(i)] over all deals (permutations), exactly (Hoeffding 1951, theorem 2)."""
    count = len(same_NN)
    centred_NN = same_NN - same_NN.mean(0) - same_NN.mean(1, keepdims=True) + same_NN.mean()
    return float(np.sqrt((centred_NN**2).sum() / (count - 1)) / count)
