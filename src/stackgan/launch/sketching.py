"""A data set to look at and to train a few steps on, of which nothing is written but into a temporary folder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stackgan.data.module import CaptionedPictures
from stackgan.data.records import Record
from stackgan.launch import build

Config = Mapping[str, Any]
BATCHES, LEAST = 4, 64
"""A sketch has training pictures for so many batches, and at least so many."""


def read(config: Config, text_run: str | None, folder: Path) -> tuple[Config, CaptionedPictures]:
    """The data set as it lies there; one that would have to be made first is made below the folder, smaller where it can be.

    Returns the settings under which it was read, too. Raises UserError where there is nothing to read.
    """
    data = build.data_module(config, text_run)
    if not data.there:
        config = {**config, "data": {**config["data"], **data.sketch(folder)}}
        data = build.data_module(config, encoder=data.text)
    data.bring()
    return config, data


def few(config: Config, data: CaptionedPictures, folder: Path) -> CaptionedPictures:
    """The whole set where its cache is complete; else some of its training pictures, cached below the folder.

    config: as read() returned it, with the batch that will be asked for.
    """
    if not data.wanted.missing(data.cache):
        return build.data_module(config, encoder=data.text)
    # Whoever is left was trainable already; nobody need be held out again.
    settings = {**config["data"], "cache": str(folder), "validate": False}
    small = build.data_module({**config, "data": settings}, encoder=data.text)
    rows = _spread(data.records, max(BATCHES * config["data"]["batch_size"], LEAST))
    small.source = replace(data.source, records=tuple(data.source.records[row] for row in rows))
    return small


def _spread(records: Sequence[Record], wanted: int) -> list[int]:
    """So many training pictures: of every class the first ones, so that each has a partner of another class."""
    seen: Counter[int | None] = Counter()
    turns = []
    for row, record in enumerate(records):
        if record.split == "train":
            turns.append((seen[record.class_id], row))
            seen[record.class_id] += 1
    return sorted(row for _, row in sorted(turns)[:wanted])
