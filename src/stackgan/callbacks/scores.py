"""Scores while training: few pictures, the same sentences and noise every time, on all ranks. Looks on, and changes no weight."""

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from stackgan.callbacks.watcher import Watcher
from stackgan.core.errors import UserError
from stackgan.core.pixels import to_bytes_NHWC
from stackgan.core.ranges import Positive
from stackgan.data.records import Split
from stackgan.metric.observing import observe
from stackgan.metric.score import Pixels, Score, Seen
from stackgan.metric.source import Source, drawn, real

SEED = 0
"""Of captions and noise: all runs are scored on the same."""

CHOOSING = ("validation", "held_out")
"""Splits whose scores may choose a checkpoint. Those of others are recorded as `<score>/<judge>/<split>`."""


class Scores(Watcher):
    """Records `<score>/<judge>`, and `<score>/<judge>/n` beside it, of the first of the splits that the data set has.

    n: pictures drawn; few, so that these figures compare with each other, not with those of evaluate.py. metric: the scores.
    """

    requires: ClassVar[frozenset[str]] = frozenset({"pictures", "judge"})
    everywhere: ClassVar[bool] = True

    def __init__(self, every_images: Positive, splits: list[Split], n: Positive, metric: dict[str, Score]) -> None:
        super().__init__(every_images)
        self.splits, self.n, self.metric = splits, n, metric
        self._references: dict[str, Seen] = {}
        self._drawn: Source | None = None

    def begin(self, stage: Any) -> None:
        """Let the judge see the real pictures, once for all runs."""
        judge, data = self.view.judge, self.view.data
        assert judge is not None
        judge.to(stage.device)
        split = next(split for split in [*self.splits, *sorted(data.splits)] if split in data.splits)
        self._suffix = judge.name if split in CHOOSING else f"{judge.name}/{split}"
        gallery = data.gallery(split)
        rank, world = stage.place
        wanted = {"real": gallery} | ({"train": data.gallery("train")} if self._compares_with("train") else {})
        self._references = {
            name: observe(real(each, SEED), [judge], self.view.store, rank=rank, world=world) for name, each in wanted.items()
        }

        def draw(text_BT: Tensor, key_B: Tensor, extras: Mapping[str, Tensor]) -> Pixels:
            return to_bytes_NHWC(stage.sample(text_BT, key_B, extras=extras).x_BCHW)

        self._drawn = drawn(gallery, draw, "in training", self.n, SEED)

    def look(self, stage: Any) -> dict[str, float]:
        """Draw, judge, gather, score. All ranks take part, the first records."""
        judge, source = self.view.judge, self._drawn
        assert judge is not None
        assert source is not None
        rank, world = stage.place
        seen = observe(source, [judge], rank=rank, world=world)
        values: dict[str, float] = {}
        for name, score in self.metric.items():
            try:
                figures = score.compute(seen, self._references)
            except UserError:
                continue  # a generator that draws one picture only has no such score yet
            for part, figure in figures.items():
                key = "/".join(word for word in (name, part, self._suffix) if word)
                values |= {key: figure.value, f"{key}/n": figure.n}
        self.view.record(stage.images_seen, values)
        return values

    def _compares_with(self, reference: str) -> bool:
        return any(reference in score.references for score in self.metric.values())
