"""An image encoder's features of every picture, computed once."""

from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from stackgan.core.shapes import ImageEncoder
from stackgan.data.cache import Cache
from stackgan.data.decode import Frame, Pixels, squares
from stackgan.data.progress import bar
from stackgan.data.records import Record

BATCH = 64
"""Pictures that an image encoder is given at a time."""


def write_features(
    cache: Cache,
    records: Sequence[Record],
    frames: Sequence[Frame | None],
    skip: Container[int],
    encoder: ImageEncoder,
    workers: int,
) -> None:
    """Let an image encoder see every picture's region, decoded at the size it wants, as it is and mirrored: (N, 2, F).

    skip: rows that cannot be decoded; theirs stay zero.
    """

    def seen(row: int) -> Pixels:
        if row in skip:
            return np.zeros((encoder.size, encoder.size, 3), np.uint8)
        return squares(records[row].image, (encoder.size,), contrast_stretch=False, frame=frames[row])[0]

    with (
        cache.array(cache.features(encoder), (len(records), 2, encoder.dim), np.float32) as array,
        bar("features", len(records)) as advance,
        ThreadPoolExecutor(workers) as pool,
    ):
        for start in range(0, len(records), BATCH):
            rows = range(start, min(start + BATCH, len(records)))
            pictures_NHWC = np.stack(list(pool.map(seen, rows)))
            array[start : rows.stop, 0] = encoder.encode(pictures_NHWC)
            array[start : rows.stop, 1] = encoder.encode(np.ascontiguousarray(pictures_NHWC[:, :, ::-1]))
            advance(len(rows))
