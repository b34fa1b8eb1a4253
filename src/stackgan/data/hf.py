"""Whatever the library `datasets` opens: Parquet, Arrow, an image folder, a saved data set, or a name on the Hub.

It is converted once into a folder of pictures below the cache; folder.py reads that. Nothing that comes with it is executed.
"""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from stackgan.core.errors import UserError
from stackgan.data.converted import FolderWriter, once, state_of
from stackgan.data.folder import FolderData
from stackgan.data.folder_rows import CAPTIONS, SPLITS
from stackgan.data.progress import bar
from stackgan.data.records import said
from stackgan.text.embedding_file import write_embeddings

IMAGES = ("image", "img", "picture", "jpg", "png", "webp")
CLASSES = ("class", "label", "labels", "category")
PLAIN = ("class_id", "box", "parts")
SAVED = ("dataset_dict.json", "state.json")
KINDS = {".parquet": "parquet", ".arrow": "arrow"}
WAY_OUT = (
    "Give a file or folder of Parquet or Arrow, an image folder, or a name on the Hub, and its columns with data.image_column=..."
)


class HfData(FolderData):
    """A data set that `datasets` opens. root: a path, or a name on the Hub.

    subset, revision: of a data set on the Hub. image_column, caption_column, class_column: None for a guess by name and type.
    """

    def __init__(
        self, *, subset: str | None, revision: str | None, image_column: str | None, caption_column: str | None,
        class_column: str | None, **shared: Any,
    ) -> None:  # fmt: skip
        super().__init__(**shared)
        self.subset, self.revision = subset, revision
        self.columns = {"image": image_column, "caption": caption_column, "class": class_column}

    @cached_property
    def folder(self) -> Path:
        """Where the converted set lies."""
        root = Path(self.root)
        files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
        settings = [self.root, self.subset, self.revision, self.columns]
        return self.cache_root / self.name / "converted" / state_of(files, settings)

    @property
    def there(self) -> bool:
        """Whether the set is converted."""
        return self.folder.exists()

    def bring(self) -> None:
        """Convert the set where it is not yet."""
        with once(self.cache_root, self.folder) as scratch:
            if scratch is not None:
                Conversion(opened(self.root, self.subset, self.revision), self.columns, self.root).write(scratch)


def opened(root: str, subset: str | None, revision: str | None) -> Mapping[str, Any]:
    """Its splits by name. Local things are streamed; names on the Hub are looked for in the local cache first."""
    from datasets import Dataset, DownloadConfig, load_dataset, load_from_disk  # imported here: it takes seconds

    path = Path(root)
    try:
        if any((path / name).is_file() for name in SAVED):
            saved = load_from_disk(root)
            return {"": saved} if isinstance(saved, Dataset) else {str(split): saved[split] for split in saved}
        if path.is_file():
            return dict(load_dataset(_kind(path), data_files=root, streaming=True))
        if parquet := sorted(path.rglob("*.parquet")):
            files: dict[str, list[str]] = {}
            for one in parquet:
                name = one.stem.partition("-")[0]
                files.setdefault(name if name in SPLITS else "", []).append(str(one))
            # Its splits' names may not be empty.
            found = load_dataset("parquet", data_files={split or "all": paths for split, paths in files.items()}, streaming=True)
            return {"" if split == "all" else split: found[split] for split in found}
        if path.is_dir():
            return dict(load_dataset(root, streaming=True))
        try:
            return dict(load_dataset(root, subset, revision=revision, download_config=DownloadConfig(local_files_only=True)))
        except Exception:  # whatever it is, the Hub may know better
            return dict(load_dataset(root, subset, revision=revision))
    except Exception as error:  # datasets and its readers raise many kinds
        raise UserError(f"data.root={root}: cannot be opened ({type(error).__name__}: {_short(error)}). {WAY_OUT}") from error


def _kind(path: Path) -> str:
    if path.suffix not in KINDS:
        raise ValueError(f"unknown ending {path.suffix}")
    return KINDS[path.suffix]


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


class Conversion:
    """From the splits of an opened data set to a folder of pictures."""

    def __init__(self, splits: Mapping[str, Any], columns: Mapping[str, str | None], root: str) -> None:
        self.splits, self.root = splits, root
        first = next(iter(splits.values()))
        self.features: Mapping[str, Any] = first.features or dict.fromkeys(next(iter(first)))
        self.image = self._column("image", columns["image"], IMAGES)
        self.caption = self._column("caption", columns["caption"], CAPTIONS)
        self.of_class = self._column("class", columns["class"], CLASSES, needed=False)
        self.most = self.dim = 0

    def _column(self, what: str, given: str | None, guesses: tuple[str, ...], needed: bool = True) -> str:
        there = ", ".join(self.features)
        if given is not None and given not in self.features:
            raise UserError(f"data.{what}_column={given}: data.root={self.root} has no such column; there are {there}")
        typed = [name for name, feature in self.features.items() if what == "image" and type(feature).__name__ == "Image"]
        found = [given] if given is not None else [*typed, *(name for name in guesses if name in self.features)]
        if not found and needed:
            raise UserError(f"data.{what}_column=null: no column of data.root={self.root} looks like it; there are {there}")
        return str(found[0]) if found else ""

    def write(self, folder: Path) -> None:
        """Write captions.jsonl, the pictures and, where there are some, embeddings.npz."""
        writer = FolderWriter(folder)
        with bar("pictures", 0) as advance:
            for split, row in self._rows():
                writer.add(*self._picture(row, split, len(writer.rows)), **self._columns(row, split))
                advance(1)
        if "embeddings" in self.features and self.dim:
            keys = [row["key"] for row in writer.rows]
            write_embeddings(folder / "embeddings.npz", keys, self.most, self.dim, self._embeddings())
        about = Path(self.root) / "about.json"
        numbered = all("row" in row for row in writer.rows)
        said = json.loads(about.read_text(encoding="utf-8")) if about.is_file() else {}
        writer.finish(said, order=(lambda row: row["row"]) if numbered else None)

    def _rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        from datasets import Image

        for split, data in self.splits.items():
            undecoded = data.cast_column(self.image, Image(decode=False)) if self.features.get(self.image) is not None else data
            for row in undecoded:
                yield split, row

    def _embeddings(self) -> Iterator[Any]:
        for data in self.splits.values():
            for row in data.select_columns(["embeddings"]):
                yield np.asarray(row["embeddings"], np.float32).reshape(-1, self.dim)

    def _picture(self, row: Mapping[str, Any], split: str, place: int) -> tuple[str, bytes | None, str]:
        """Key, file content and ending."""
        image = row[self.image] or {}
        if not isinstance(image, Mapping):
            raise UserError(f"data.image_column={self.image}: holds {type(image).__name__}, not pictures. {WAY_OUT}")
        path = image.get("path") or ""
        content = image.get("bytes")
        if content is None and path and self._may_be_read(Path(path)):
            content = Path(path).read_bytes()
        ending = Path(path).suffix.lower() or ".jpg"
        return str(row.get("key") or f"{split or 'all'}/{place:08d}"), content, ending

    def _may_be_read(self, path: Path) -> bool:
        """Whether a file is the data set's own: a row may name any file of this machine."""
        from datasets import config

        own = (Path(self.root).resolve(), Path(config.HF_CACHE_HOME).resolve())
        return path.is_file() and any(path.resolve().is_relative_to(folder) for folder in own)

    def _columns(self, row: Mapping[str, Any], split: str) -> dict[str, Any]:
        """The row's other columns, as folder.py names them."""
        try:
            captions = said(row[self.caption])
        except TypeError as error:
            way_out = f"name a column of strings or lists of strings; there are {', '.join(self.features)}"
            raise UserError(f"data.caption_column={self.caption}: holds {error}; {way_out}") from error
        named = row.get(self.of_class) if self.of_class else None
        feature = self.features.get(self.of_class)
        if isinstance(named, int) and feature is not None and hasattr(feature, "int2str"):
            named = feature.int2str(named) if named >= 0 else None
        if (embeddings := row.get("embeddings")) is not None and len(embeddings):
            self.most, self.dim = max(self.most, len(embeddings)), len(embeddings[0])
        of_split = row.get("split") or (split if split in SPLITS and len(self.splits) > 1 else None)
        columns = {name: row.get(name) for name in PLAIN}
        return columns | {
            "captions": list(captions),
            "class": named,
            "split": of_split,
            "row": row.get("row"),
        }
