"""Which picture belongs where: validation classes, a judge's held-out pictures, and examples spread over classes."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.data.records import JudgedClasses, Record, Split

VALIDATION = 0.05
"""Share of the training pictures that is kept out where there are no classes."""

HELD_OUT, HELD_OUT_SHARE = 1600, 0.2
"""Pictures that a judge's training never sees: so many, or this share of a smaller set."""


def hold_out(records: Sequence[Record], classes: int) -> tuple[Record, ...]:
    """The last train classes, by class id, become split "validation", with their held-out pictures if any.

    Without classes a fixed 5 % of the training pictures do, chosen by the hash of their keys; a data set that names its own
    validation pictures stays as it is. Raises UserError where no train class would be left.
    """
    if any(record.split == "validation" for record in records):
        return tuple(records)
    if any(record.class_id is None for record in records):
        return tuple(
            replace(record, split="validation")
            if record.split == "train" and share(record.key, "validation") < VALIDATION
            else record
            for record in records
        )
    train = sorted({record.class_id for record in records if record.split == "train" and record.class_id is not None})
    if classes >= len(train):
        raise UserError(
            f"data.validation_classes={classes}: there are {len(train)} train classes, some must be left to train on; "
            "lower it, or set data.validate=false"
        )
    kept_out = set(train[-classes:])
    return tuple(
        replace(record, split="validation") if record.class_id in kept_out and record.split != "test" else record
        for record in records
    )


def by_picture(records: Sequence[Record], classes: JudgedClasses) -> tuple[Record, ...]:
    """A judge's own split: of the pictures of these classes some are "held_out", the others "train"; the rest is "skipped".

    HELD_OUT pictures by the hash of their keys, HELD_OUT_SHARE of them where they are fewer than five times as many; a class
    keeps at least one to train on. Raises UserError where there are fewer than two classes.
    """
    rows = [row for row, record in enumerate(records) if classes == "all" or record.split == "test"]
    left = Counter(records[row].class_id for row in rows)
    if len(left) < 2:
        way = "set stage.classes=all" if classes == "test" else "take another data set"
        raise UserError(f"stage.classes={classes}: the data set has {len(left)} such classes, a judge needs two; {way}")
    wanted, held_out = min(HELD_OUT, round(HELD_OUT_SHARE * len(rows))), set[int]()
    for row in sorted(rows, key=lambda row: share(records[row].key, "judge")):
        if len(held_out) < wanted and left[records[row].class_id] > 1:
            held_out.add(row)
            left[records[row].class_id] -= 1
    split: dict[int, Split] = {row: "held_out" if row in held_out else "train" for row in rows}
    return tuple(replace(record, split=split.get(row, "skipped")) for row, record in enumerate(records))


def share(key: str, purpose: str) -> float:
    """A fixed number in [0, 1) for a picture, whatever else is in its data set."""
    return int.from_bytes(hashlib.sha256(f"{purpose}/{key}".encode()).digest()[:6], "big") / 2**48


def spread(rows: NDArray[np.int64], class_N: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """The same rows in a fixed random order in which every class comes once before any comes twice, and so on."""
    shuffled = rows[torch.randperm(len(rows), generator=chance.generator(seed, "examples")).numpy()]
    turn = np.empty(len(rows), np.int64)
    seen: dict[int, int] = {}
    for place, class_id in enumerate(class_N[shuffled].tolist()):
        turn[place] = seen[class_id] = seen.get(class_id, -1) + 1
    first_turns_first: NDArray[np.int64] = shuffled[np.argsort(turn, kind="stable")]
    return first_turns_first
