"""Which pictures the data set has, and the worker that draws its share of them (python -m stackgan.toybirds)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from stackgan.toybirds.grammar import describe
from stackgan.toybirds.render import render
from stackgan.toybirds.scene import HELD_START, TEST_START, TRAIN_START, draw_scene, split_of
from stackgan.toybirds.species import SPECIES, TEST_SPECIES, TRAIN_SPECIES, Species

_HELD_NAMES_FROM = 9001
"""held-out pictures of a train species are numbered from here, so that drawing more train pictures renames none of
them
"""
_EVERY = 50


@dataclass(frozen=True)
class Picture:
    """One picture to draw. number: its id in CUB's files, 1 upwards; index: its scene; split: train, held or test."""

    number: int
    index: int
    split: str
    kind: Species
    key: str
    """<class folder>/<file name without ending>, under images/ and text/ alike"""


@dataclass(frozen=True)
class Record:
    """What a worker notes about a picture: x, y, width, height; 15 rows of x, y, visible; a line of scenes.jsonl."""

    box: tuple[float, float, float, float]
    parts: list[tuple[float, float, float]]
    scene: str


def plan(train: int, test: int) -> list[Picture]:
    """All pictures, by class and then by name, as CUB lists them.

    ValueError for a negative count, no train picture, or more than fit the numbering.
    """
    most = len(TRAIN_SPECIES) * (_HELD_NAMES_FROM - 1)
    if not (1 <= train <= most and 0 <= test < HELD_START):
        raise ValueError(f"train={train}, test={test}: toybirds draws 1..{most} train and 0..{HELD_START - 1} test pictures")
    held = test // 2
    starts = {TRAIN_START: train, HELD_START: held, TEST_START: test - held}
    found = []
    for start, count in starts.items():
        kinds, first = (
            (TEST_SPECIES if start == TEST_START else TRAIN_SPECIES),
            (_HELD_NAMES_FROM if start == HELD_START else 1),
        )
        for place in range(count):
            kind = kinds[place % len(kinds)]
            found.append((kind.number, first + place // len(kinds), start + place))
    pictures = []
    for number, (kind_number, name_number, index) in enumerate(sorted(found), start=1):
        kind = SPECIES[kind_number - 1]
        pictures.append(Picture(number, index, split_of(index), kind, f"{kind.folder}/{kind.stem}_{name_number:04d}"))
    return pictures


def _draw_one(root: Path, picture: Picture, seed: int) -> dict[str, object]:
    """Write the picture and its captions under root; return its record."""
    scene = draw_scene(seed, picture.index)
    rendering = render(scene)
    image = root / "CUB_200_2011" / "images" / f"{picture.key}.png"
    text = root / "text" / f"{picture.key}.txt"
    image.parent.mkdir(parents=True, exist_ok=True)
    text.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rendering.image).save(image, compress_level=1)
    told = describe(scene, seed, picture.index)
    text.write_text("".join(f"{sentence}\n" for sentence, _ in told), encoding="utf-8")
    line = {"id": picture.number, "key": picture.key, "seed": seed, "index": picture.index, "split": picture.split}
    line |= {"scene": asdict(scene), "mentioned": [said for _, said in told]}
    return {"id": picture.number, "box": rendering.box, "parts": rendering.parts.tolist(), "scene": json.dumps(line)}


def draw(root: Path, train: int, test: int, seed: int, worker: int, workers: int) -> Iterator[int]:
    """Draw every workers-th picture of the plan, from place worker on, and note records beside them.

    Yields the pictures drawn so far, every 50 and at the end.
    """
    share = plan(train, test)[worker::workers]
    with (root / f"records-{worker}.jsonl").open("w", encoding="utf-8") as notes:
        for done, picture in enumerate(share, start=1):
            notes.write(json.dumps(_draw_one(root, picture, seed)) + "\n")
            if done % _EVERY == 0 or done == len(share):
                yield done


def read_records(root: Path) -> dict[int, Record]:
    """Picture number -> record, of all workers together; takes their notes away."""
    records = {}
    for notes in sorted(root.glob("records-*.jsonl")):
        for line in notes.read_text(encoding="utf-8").splitlines():
            noted = json.loads(line)
            records[int(noted["id"])] = Record(noted["box"], noted["parts"], noted["scene"])
        notes.unlink()
    return records


def main(arguments: list[str]) -> None:
    """arguments: root, then train, test, seed, worker, workers; prints the pictures drawn so far, one number a line."""
    root, *numbers = arguments
    train, test, seed, worker, workers = map(int, numbers)
    for done in draw(Path(root), train, test, seed, worker, workers):
        print(done, flush=True)
