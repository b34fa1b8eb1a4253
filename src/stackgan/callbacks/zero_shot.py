"""Zero-shot classification and retrieval: what a text encoder is worth on classes that it was not trained on."""

from collections.abc import Sequence
from typing import Any, ClassVar

from stackgan.callbacks.watcher import Watcher
from stackgan.core.ranges import Positive
from stackgan.core.shapes import Described
from stackgan.data.records import Split
from stackgan.metric import zero_shot


class ZeroShot(Watcher):
    """Logs zero_shot/<split>/accuracy and .../ap50 (Reed et al., CVPR 2016, section 5), and what guessing would reach.

    A class is the mean of all its captions. splits: those the data set lacks are left out.
    """

    requires: ClassVar[frozenset[str]] = frozenset({"classes", "joint embedding"})

    def __init__(self, every_images: Positive, splits: list[Split]) -> None:
        super().__init__(every_images)
        self.splits: Sequence[Split] = splits
        self._described: dict[str, Described] = {}

    def begin(self, stage: Any) -> None:
        """Take hold of the splits' features and captions."""
        self._described = {split: self.view.data.described(split) for split in self.splits if split in self.view.data.splits}

    def look(self, stage: Any) -> dict[str, float]:
        """Score each split."""
        values: dict[str, float] = {}
        for split, described in self._described.items():
            count, places = described.text_NMT.shape[:2]
            text_NME = stage.embed_text(described.text_NMT.flatten(0, 1)).view(count, places, -1)
            classes_C, class_CE = zero_shot.class_sentences(text_NME, described.count_N, described.class_N)
            picture_NE = stage.embed_pictures(described.features_NF)
            found = {
                "accuracy": zero_shot.accuracy(picture_NE, described.class_N, classes_C, class_CE),
                "ap50": zero_shot.average_precision(picture_NE, described.class_N, classes_C, class_CE),
                "guessing": 1 / len(classes_C),
            }
            values |= {f"zero_shot/{split}/{name}": round(value, 4) for name, value in found.items()}
        self.view.record(stage.images_seen, values)
        return values
