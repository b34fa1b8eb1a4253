"""Small data sets in their published layouts, for tests of several rooms."""

import json
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from stackgan.data.records import Record
from stackgan.text.embedding_file import write_embeddings

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 40), "blue": (40, 60, 200)}
CUB_CLASSES = {1: "001.Red_Bird", 2: "002.Green_Bird", 3: "003.Blue_Bird"}
"""1 is one of StackGAN's test classes."""

CUB_BOX = (20, 10, 30, 40)
CUB_PARTS = ("beak", "left eye", "right eye")


def picture(seed: int, width: int = 90, height: int = 70, colour: tuple[int, int, int] = (200, 30, 30)) -> Image.Image:
    """Noise with a disk, different for every seed."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    ImageDraw.Draw(image).ellipse((20, 10, 50, 50), fill=colour)
    return image


def write_cub(root: Path, each: int = 4) -> None:
    """Three classes, boxes, three parts; two captions a picture."""
    cub, rows = root / "CUB_200_2011", []
    for class_id, folder in CUB_CLASSES.items():
        colour = folder[4:].partition("_")[0].lower()
        for number in range(each):
            key = f"{folder}/bird_{number}"
            image, text = cub / "images" / f"{key}.png", root / "text" / f"{key}.txt"
            image.parent.mkdir(parents=True, exist_ok=True)
            text.parent.mkdir(parents=True, exist_ok=True)
            picture(class_id * 100 + number, colour=COLOURS[colour]).save(image)
            text.write_text(f"a {colour} bird, number {number}\nthis bird is {colour} with {number} spots\n")
            rows.append((len(rows) + 1, class_id, key))
    boxes = " ".join(map(str, CUB_BOX))
    tables = {
        "images.txt": [f"{n} {key}.png" for n, _, key in rows],
        "image_class_labels.txt": [f"{n} {class_id}" for n, class_id, _ in rows],
        "classes.txt": [f"{n} {name}" for n, name in CUB_CLASSES.items()],
        "train_test_split.txt": [f"{n} 1" for n, _, _ in rows],
        "bounding_boxes.txt": [f"{n} {boxes}" for n, _, _ in rows],
        "parts/parts.txt": [f"{n} {name}" for n, name in enumerate(CUB_PARTS, start=1)],
        "parts/part_locs.txt": [f"{n} {part} {20 + 10 * part} 30 1" for n, _, _ in rows for part in (1, 2, 3)],
    }
    for name, lines in tables.items():
        path = cub / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines))


def write_coco(root: Path, year: int = 2017, train: int = 8, val: int = 3) -> None:
    """Photographs without classes; two captions each, one of them with a line break."""
    (root / "annotations").mkdir(parents=True)
    for name, count, start in (("train", train, 0), ("val", val, 100)):
        (root / f"{name}{year}").mkdir()
        images, annotations = [], []
        for number in range(start, start + count):
            file_name = f"{number:012d}.jpg"
            picture(number).save(root / f"{name}{year}" / file_name, quality=95)
            images.append({"id": number, "file_name": file_name, "height": 70, "width": 90})
            for caption in (f"A dog number {number}\nruns. ", f"Somebody holds {number} kites"):
                annotations.append({"image_id": number, "id": len(annotations), "caption": caption})
        content = {"images": images, "annotations": annotations}
        (root / "annotations" / f"captions_{name}{year}.json").write_text(json.dumps(content))


def write_folder(root: Path, count: int = 12) -> None:
    """Pictures with a .txt beside each, nothing else."""
    root.mkdir(parents=True)
    for number in range(count):
        picture(number).save(root / f"picture {number}.JPG", quality=95)
        (root / f"picture {number}.txt").write_text(f"a dog number {number}\n{number} kites\n")


def write_stackgan(root: Path) -> None:
    """CUB's pictures, captions and boxes, and the authors' two small pickles beside them, in Python 2's protocol."""
    write_cub(root)
    for part, classes in (("train", (2, 3)), ("test", (1,))):
        names = [f"{CUB_CLASSES[number]}/bird_{i}" for number in classes for i in range(4)]
        numbers = [number for number in classes for _ in range(4)]
        (root / part).mkdir()
        (root / part / "filenames.pickle").write_bytes(pickle.dumps(names, protocol=0))
        (root / part / "class_info.pickle").write_bytes(pickle.dumps(numbers, protocol=0))


def write_hf(root: Path, count: int = 12) -> None:
    """Parquet with pictures and a caption each, split by nothing."""
    import datasets

    root.mkdir(parents=True)
    rows = {"image": [picture(number) for number in range(count)], "text": [f"a dog number {number}" for number in range(count)]}
    datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image()).to_parquet(str(root / "train.parquet"))


def write_vectors(path: Path, records: Sequence[Record], dim: int = 6) -> None:
    """Embeddings of every caption: random, the last number its place."""
    chance = np.random.default_rng(0)
    rows = [chance.normal(size=(len(record.captions), dim)).astype(np.float32) for record in records]
    for row in rows:
        row[:, -1] = np.arange(len(row))
    write_embeddings(path, [record.key for record in records], max(map(len, rows)), dim, rows)
