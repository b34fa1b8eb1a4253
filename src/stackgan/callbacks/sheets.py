"""Sample sheets: the same sentences and noise again and again, with the sentences drawn beside the pictures."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from stackgan.callbacks.tracker import Drawings
from stackgan.callbacks.watcher import Watched, Watcher
from stackgan.core.pixels import to_bytes_NHWC
from stackgan.core.ranges import Positive
from stackgan.core.shapes import Examples
from stackgan.data.records import Split
from stackgan.plots.sheet import sheet

NEXT_NOISE = 1_000_003
"""What is added to a picture's key for its next noise."""


class Sheets(Watcher):
    """Before training a sheet of reals and one of untrained fakes, then one every so many images and one at the end.

    splits: whose sentences, a sheet each. count: sentences a sheet. noises: pictures a sentence.
    """

    requires: ClassVar[frozenset[str]] = frozenset({"pictures"})

    def __init__(self, every_images: Positive, splits: list[Split], count: Positive, noises: Positive) -> None:
        super().__init__(every_images)
        self.splits, self.count, self.noises = splits, count, noises
        self._examples: dict[str, Examples] = {}
        self.latest: list[Path] = []

    def begin(self, stage: Any) -> None:
        """Reals and untrained fakes, unless this run resumes."""
        self._examples = self.fixed_examples(self.splits, self.count)
        if stage.images_seen == 0:
            for split, examples in self._examples.items():
                picture = sheet([("real", examples.real_NHWC)], examples.sentences, f"real pictures of split {split}")
                self.view.save(picture, f"reals-{split}")
            self._draw(stage, "untrained")

    def look(self, stage: Any) -> dict[str, float]:
        """A sheet for each split."""
        self._draw(stage, f"seen-{stage.images_seen:09d}")
        return {}

    def _draw(self, stage: Any, name: str) -> None:
        self.latest = []
        for split, examples in self._examples.items():
            title = f"{stage.name}, {stage.images_seen:,} images seen, sentences of split {split}"
            found = columns(stage, examples, self.noises)
            keys = tuple(examples.key_N.tolist())
            drawings = Drawings(found[-1][1][:, 0], examples.sentences, keys, dict(found[:-1]))
            self.view.show(stage.images_seen, f"drawn/{split}", drawings)
            self.latest.append(self.view.save(sheet(found, examples.sentences, title), f"{name}-{split}"))


def columns(stage: Watched, examples: Examples, noises: int) -> list[tuple[str, "np.ndarray[Any, Any]"]]:
    """Real pictures, the Stage-I pictures under a Stage-II (one noise), and what the stage draws for each noise."""
    keys = [examples.key_N + noise * NEXT_NOISE for noise in range(noises)]
    drawn = [stage.sample(examples.text_NT, key_N, extras=examples.extras) for key_N in keys]
    found = [("real", examples.real_NHWC)]
    if drawn[0].first_BCHW is not None:
        found += [(f"Stage-I {drawn[0].first_BCHW.shape[-1]} px", to_bytes_NHWC(drawn[0].first_BCHW))]
    fakes = np.stack([to_bytes_NHWC(pictures.x_BCHW) for pictures in drawn], axis=1)
    return [*found, (f"{stage.name} {stage.resolution} px", fakes)]
