"""A prepared data set as Parquet that the library `datasets` reads: pictures as their own bytes, captions, embeddings, boxes."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.data.module import CaptionedPictures
from stackgan.data.progress import bar
from stackgan.data.records import Record

BLOCK = 64
"""Rows in memory at a time, and in a row group."""


def export(module: CaptionedPictures, target: Path) -> None:
    """Write target/data/<split>-00000-of-00001.parquet and target/about.json; target appears whole or not at all.

    module: prepared and set up; its own splits are exported, not what data.validate makes of them, and no skipped row.
    `data=hf data.root=<target>` reads it back to the same cached arrays. Raises UserError where target exists or cannot be written.
    """
    if target.exists():
        raise UserError(f"export={target}: exists already; name a folder that does not, or remove it")
    scratch = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(scratch, ignore_errors=True)
        (scratch / "data").mkdir(parents=True)
        rows_of: dict[str, list[int]] = {}
        for row, (record, kept) in enumerate(zip(module.source.records, module.records, strict=True)):
            if kept.split != "skipped":
                rows_of.setdefault(record.split, []).append(row)
        for split, rows in rows_of.items():
            _write(scratch / "data" / f"{split}-00000-of-00001.parquet", module, rows)
        about = {"name": module.name, "split_note": module.source.split_note, "part_names": module.source.part_names}
        atomic.write_json(scratch / "about.json", about | {"text": module.text.name, "text_fingerprint": module.text.fingerprint})
        scratch.rename(target)
        atomic.sync(target.parent)
    except OSError as error:
        raise UserError(f"export={target}: {error.strerror}; name a folder that can be written") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write(path: Path, module: CaptionedPictures, rows: Sequence[int]) -> None:
    schema = _schema()
    with pq.ParquetWriter(path, schema) as writer, bar(f"export {path.name.partition('-')[0]}", len(rows)) as advance:
        for start in range(0, len(rows), BLOCK):
            some = rows[start : start + BLOCK]
            columns = _columns([module.source.records[row] for row in some], some)
            text = [module.arrays.text_NMT[row, : len(module.source.records[row].captions)] for row in some]
            arrays = [
                _nested(text) if name == "embeddings" else pa.array(columns[name], schema.field(name).type) for name in schema.names
            ]
            writer.write_table(pa.table(arrays, schema=schema), row_group_size=BLOCK)
            advance(len(some))
    atomic.sync(path)


def _schema() -> Any:
    """With the metadata by which `datasets` knows pictures from structs."""
    from datasets import Features, Image, List, Value  # imported here: it takes seconds

    numbers = List(Value("float64"))
    features = Features({
        "row": Value("int64"), "key": Value("string"), "image": Image(), "captions": List(Value("string")),
        "class": Value("string"), "class_id": Value("int64"), "split": Value("string"), "box": numbers, "parts": List(numbers),
        "embeddings": List(List(Value("float32"))),
    })  # fmt: skip
    return features.arrow_schema


def _columns(records: Sequence[Record], rows: Sequence[int]) -> dict[str, list[Any]]:
    return {
        "row": list(rows),
        "key": [record.key for record in records],
        "image": [{"bytes": record.image.read_bytes(), "path": record.image.name} for record in records],
        "captions": [list(record.captions) for record in records],
        "class": [record.class_name or None for record in records],
        "class_id": [record.class_id for record in records],
        "split": [record.split for record in records],
        "box": [record.box and list(record.box) for record in records],
        "parts": [record.parts and [list(map(float, part)) for part in record.parts] for record in records],
    }


def _nested(text: Sequence[NDArray[np.float32]]) -> Any:
    """Rows (M, T) as lists of lists, without a Python number for each entry."""
    width = text[0].shape[1]
    counts = np.array([0, *(len(row) for row in text)]).cumsum()
    inner = pa.ListArray.from_arrays(
        pa.array(np.arange(counts[-1] + 1) * width, pa.int32()), pa.array(np.concatenate(text).ravel())
    )
    return pa.ListArray.from_arrays(pa.array(counts, pa.int32()), inner)
