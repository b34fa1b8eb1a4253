"""Sample sheets: the same sentences and noise again and again, with the sentences drawn beside the pictures."""

from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch import Trainer

from stackgan.callbacks.watcher import Every, Watched, Watcher
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

    def __init__(self, every_images: Positive, splits: list[Split], count: Positive, noises: Positive) -> None:
        self.every_images, self.splits, self.count, self.noises = every_images, splits, count, noises
        self._examples: dict[str, Examples] = {}
        self.latest: list[Path] = []

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Reals and untrained fakes, unless this run resumes."""
        if not trainer.is_global_zero:
            return
        self._due = Every(self.every_images, pl_module.images_seen)
        self._examples = self.fixed_examples(self.splits, self.count)
        if pl_module.images_seen == 0:
            for split, examples in self._examples.items():
                picture = sheet([("real", examples.real_NHWC)], examples.sentences, f"real pictures of split {split}")
                picture.save(self.view.folder / f"reals-{split}.png")
            self._draw(pl_module, "untrained")

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """A sheet where it is due."""
        if trainer.is_global_zero and self._due.due(pl_module.images_seen):
            self._draw(pl_module, f"seen-{pl_module.images_seen:09d}")

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """The last sheet."""
        if trainer.is_global_zero:
            self._draw(pl_module, f"seen-{pl_module.images_seen:09d}")

    def _draw(self, stage: Any, name: str) -> None:
        self.latest = []
        for split, examples in self._examples.items():
            title = f"{stage.name}, {stage.images_seen:,} images seen, sentences of split {split}"
            picture = sheet(columns(stage, examples, self.noises), examples.sentences, title)
            path = self.view.folder / f"{name}-{split}.png"
            picture.save(path)
            self.latest.append(path)


def columns(stage: Watched, examples: Examples, noises: int) -> list[tuple[str, "np.ndarray[Any, Any]"]]:
    """Real pictures, the Stage-I pictures under a Stage-II (one noise), and what the stage draws for each noise."""
    drawn = [stage.sample(examples.text_NT, examples.key_N + noise * NEXT_NOISE) for noise in range(noises)]
    found = [("real", examples.real_NHWC)]
    if drawn[0].first_BCHW is not None:
        found += [(f"Stage-I {drawn[0].first_BCHW.shape[-1]} px", to_bytes_NHWC(drawn[0].first_BCHW))]
    fakes = np.stack([to_bytes_NHWC(pictures.x_BCHW) for pictures in drawn], axis=1)
    return [*found, (f"{stage.name} {stage.resolution} px", fakes)]
