"""The data as StackGAN's authors released it: Python 2 pickles, converted once by prepare.py.

Layout: `{train,test}/filenames.pickle` and `class_info.pickle`; where there are some, `{train,test}/304images.pickle` and
`76images.pickle` (cropped and resized) and `char-CNN-RNN-embeddings.pickle`. Pictures are otherwise `images/<key>.jpg`, also
below `CUB_200_2011/`, or `jpg/`, and then with the boxes of `CUB_200_2011/`; captions are `text/<key>.txt` or `text_c10/<key>.txt`,
flowers' in `text_c10/class_00001/image_00001.txt`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from stackgan.core.errors import UserError
from stackgan.data.converted import FolderWriter, once, state_of
from stackgan.data.folder import FolderData, read_folder
from stackgan.data.folder_rows import ENDINGS
from stackgan.data.pickles import read_pickle
from stackgan.data.progress import bar
from stackgan.data.records import Source, inside, read_captions, unusable
from stackgan.text.embedding_file import write_embeddings

T = TypeVar("T")
PARTS = ("train", "test")
IMAGES = ("304images.pickle", "76images.pickle")
EMBEDDINGS = "char-CNN-RNN-embeddings.pickle"
WAY_OUT = (
    "Expected: train/ and test/ with filenames.pickle and class_info.pickle, as in the archives of github.com/hanzhanggit/StackGAN"
)


class StackganData(FolderData):
    """The authors' pickles, read from the folder that prepare.py makes of them. Training never opens a pickle."""

    @cached_property
    def folder(self) -> Path:
        """Where the converted set lies. Raises UserError where there is nothing to convert."""
        root = Path(self.root)
        for part in PARTS:
            for name in ("filenames.pickle", "class_info.pickle"):
                if not (root / part / name).is_file():
                    raise unusable(root, f"no {part}/{name} in it", WAY_OUT)
        return self.cache_root / self.name / "converted" / state_of(_sources(root, self.cache_root), {})

    def bring(self) -> None:
        """Raise UserError where prepare.py has not converted the pickles yet."""
        if not self.folder.exists():
            command = f"python src/prepare.py data={self.name} data.root={self.root}"
            policy = " data.on_problem=skip" if self.on_problem == "skip" else ""
            raise UserError(
                f"data.root={self.root}: these pickles are not converted yet, and training opens none: {command}{policy}"
            )

    def read(self) -> Source:
        """See read_folder."""
        return replace(read_folder(self.folder), way_out=WAY_OUT)

    def convert(self) -> None:
        """Turn the pickles into a folder of pictures and captions."""
        with once(self.cache_root, self.folder) as scratch:
            if scratch is not None:
                write_converted(Path(self.root), scratch)


def _sources(root: Path, cache_root: Path) -> list[Path]:
    """All files that a conversion may read, not what one wrote: captions, pictures and boxes may come after the pickles."""
    found = {path for part in PARTS for path in (root / part).glob("*.pickle")}
    for folder in _picture_folders(root):
        found |= {path for path in folder.rglob("*") if path.suffix in ENDINGS}
    lists = (root / "CUB_200_2011" / name for name in ("images.txt", "bounding_boxes.txt"))
    found |= {*_caption_files(root).values(), *(path for path in lists if path.is_file())}
    at, cache = root.resolve(), cache_root.resolve()
    own = root / cache.relative_to(at) if cache.is_relative_to(at) else cache
    return sorted(path for path in found if not path.is_relative_to(own))


def _picture_folders(root: Path) -> tuple[Path, ...]:
    return root / "images", root / "CUB_200_2011" / "images", root / "jpg", root


def write_converted(root: Path, folder: Path) -> None:
    """Write what the pickles hold as folder.py reads it; what is missing is left for it to complain about."""
    writer, captions, boxes, counts = FolderWriter(folder), _caption_files(root), _boxes(root), {}
    for part in PARTS:
        keys = _all(str, _listed(root / part / "filenames.pickle"), root / part / "filenames.pickle")
        classes = _all(int, _listed(root / part / "class_info.pickle", len(keys)), root / part / "class_info.pickle")
        images = next((_listed(root / part / name, len(keys)) for name in IMAGES if (root / part / name).is_file()), None)
        counts[part] = len(keys)
        with bar(f"{part} pictures", len(keys)) as advance:
            for place, (key, class_id) in enumerate(zip(keys, classes, strict=True)):
                content, ending = _file_of(root, key) if images is None else (_pixels(images[place], root / part), ".png")
                label = key.partition("/")[0].partition(".")[2].replace("_", " ") or f"class {class_id}"
                texts = list(read_captions(captions[key], [])) if key in captions else []
                box = boxes.get(key) if images is None else None
                writer.add(
                    key, content, ending, **{"captions": texts, "class": label, "class_id": class_id, "split": part, "box": box}
                )
                advance(1)
    if all((root / part / EMBEDDINGS).is_file() for part in PARTS):
        _embeddings(root, [row["key"] for row in writer.rows], counts, folder / "embeddings.npz")
    note = f"as in the pickles: {counts['train']:,} pictures in train, {counts['test']:,} in test"
    writer.finish({"split_note": note})


def _listed(path: Path, expected: int | None = None) -> Any:
    """A list or array. Raises UserError where it is not, or not as long as expected."""
    found = read_pickle(path)
    if not isinstance(found, list | np.ndarray) or (expected is not None and len(found) != expected):
        length = f" of {len(found):,}" if hasattr(found, "__len__") else ""
        wanted = "" if expected is None else f" of {expected:,}, one for each name in filenames.pickle"
        raise UserError(f"{path}: a {type(found).__name__}{length}, not a list{wanted}. {WAY_OUT}")
    return found


def _all(kind: type[T], values: Any, path: Path) -> list[T]:
    """The values, which must be of this kind. Raises UserError; nothing is made one: text of nested lists has no end."""
    found = values.tolist() if isinstance(values, np.ndarray) else values
    for value in found:
        if not isinstance(value, kind):
            raise UserError(f"{path}: holds a {type(value).__name__}, not a list of {kind.__name__} alone. {WAY_OUT}")
    return list(found)


def _pixels(value: Any, part: Path) -> Any:
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3 or value.shape[2] != 3:
        raise UserError(f"{part}: a picture in its pickle of images is no array of bytes (H, W, 3). {WAY_OUT}")
    return value


def _file_of(root: Path, key: str) -> tuple[bytes | None, str]:
    """A picture's file and its ending, from wherever the authors' archives have it."""
    for folder in _picture_folders(root):
        for ending in sorted(ENDINGS):
            path = inside(folder, f"{key}{ending}")
            if path is not None and path.is_file():
                return path.read_bytes(), ending
    return None, ".jpg"


def _embeddings(root: Path, keys: Sequence[str], counts: Mapping[str, int], path: Path) -> None:
    rows = [row for part in PARTS for row in _listed(root / part / EMBEDDINGS, counts[part])]
    widths = {row.shape[1] if isinstance(row, np.ndarray) and row.ndim == 2 and row.dtype.kind == "f" else 0 for row in rows}
    if len(widths) != 1 or not min(widths):
        raise unusable(root, f"{EMBEDDINGS} holds no arrays (captions, numbers) of one width ({sorted(widths)})", WAY_OUT)
    write_embeddings(path, keys, max(map(len, rows)), widths.pop(), rows)


def _caption_files(root: Path) -> dict[str, Path]:
    """Caption files by the key of their picture."""
    found = {}
    for folder in (root / "text_c10", root / "text"):
        for path in folder.rglob("*.txt"):
            key = str(path.relative_to(folder).with_suffix(""))
            found[key] = found[f"jpg/{path.stem}"] = path
    return found


def _boxes(root: Path) -> dict[str, list[float]]:
    """Boxes by key, where CUB's lists lie beside."""
    cub = root / "CUB_200_2011"
    if not (cub / "bounding_boxes.txt").is_file() or not (cub / "images.txt").is_file():
        return {}
    paths, boxes = (dict(line.split(maxsplit=1) for line in _lines(cub / f"{name}.txt")) for name in ("images", "bounding_boxes"))
    return {str(Path(path).with_suffix("")): list(map(float, boxes[n].split())) for n, path in paths.items() if n in boxes}


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
