"""The arrays of a data set in training: mapped files, and what is known of every row."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackgan.data.encoded import opened
from stackgan.data.partners import Partners, sentence_numbers
from stackgan.data.places import Places
from stackgan.data.records import Record

_SIDED = re.compile(r"\b(left|right)", re.IGNORECASE)
"""In a caption: it says which way something is, which the mirrored picture would belie."""


@dataclass(frozen=True)
class Arrays:
    """What a data set is in training. Files are mapped on first use, in each process anew, so this travels cheaply.

    count_N: captions a picture. class_N: class ids, -1 where there are no classes. mirror_safe_NM: whether a caption may go
    with the mirrored picture. sentence_NM, alike_N: see Partners. places: boxes and parts, where the data set has some. features:
    of the pictures and of the mirrored pictures, where an image encoder was asked for.
    """

    pictures: Path
    text: Path
    count_N: NDArray[np.int64]
    mirror_safe_NM: NDArray[np.bool_]
    class_N: NDArray[np.int64]
    sentence_NM: NDArray[np.int64]
    alike_N: NDArray[np.int64]
    places: Places | None
    features: Path | None

    # Plain arrays over the mapping: slicing np.memmap itself costs three times as much.
    @cached_property
    def pixels_NHWC(self) -> Any:
        """uint8 pictures, larger than what is trained on by the margin of the random crop."""
        return opened(self.pictures)

    @cached_property
    def text_NMT(self) -> NDArray[np.float32]:
        """Embeddings of every caption, zeros beyond a picture's last."""
        return np.asarray(np.load(self.text, mmap_mode="r"))

    @cached_property
    def features_NVF(self) -> NDArray[np.float32]:
        """An image encoder's features of each picture, as it is and mirrored."""
        if self.features is None:
            raise RuntimeError("no image encoder was asked for")
        return np.asarray(np.load(self.features, mmap_mode="r"))

    @classmethod
    def of(
        cls,
        records: Sequence[Record],
        pictures: Path,
        text: Path,
        alike_N: NDArray[np.int64],
        places: Places | None = None,
        features: Path | None = None,
    ) -> "Arrays":
        """The arrays of these records, in these files."""
        sentence_NM = sentence_numbers(records)
        safe = np.ones(sentence_NM.shape, np.bool_)
        for row, record in enumerate(records):
            safe[row, : len(record.captions)] = [not _SIDED.search(caption) for caption in record.captions]
        counts = np.array([len(record.captions) for record in records])
        classes = np.array([-1 if record.class_id is None else record.class_id for record in records])
        return cls(pictures, text, counts, safe, classes, sentence_NM, alike_N, places, features)

    def partners(self, rows: NDArray[np.int64]) -> Partners:
        """Who may be whose partner among these rows."""
        return Partners(rows, self.class_N, self.sentence_NM, self.alike_N)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("pixels_NHWC", "text_NMT", "features_NVF")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
