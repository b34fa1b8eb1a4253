"""The files on disk:

CUB's layout, consistent with the pictures, whole or not there at all, and the same from any number of workers.
"""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from stackgan.toybirds import PARTS, SPECIES, TEST_SPECIES, draw_scene, fingerprint, parse, render, write

TRAIN, TEST, SEED = 45, 24, 5


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    place = tmp_path_factory.mktemp("data") / "toybirds"
    calls = []
    write(place, TRAIN, TEST, SEED, workers=2, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (TRAIN + TEST, TRAIN + TEST)
    assert calls == sorted(calls)
    return place


def table(root, name):
    return [line.split() for line in (root / "CUB_200_2011" / name).read_text().splitlines()]


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_one_worker_writes_the_same_bytes(root, tmp_path):
    write(tmp_path / "again", TRAIN, TEST, SEED, workers=1)
    assert digests(root) == digests(tmp_path / "again")


def test_drawing_fewer_changes_no_picture(root, tmp_path):
    write(tmp_path / "few", 31, 5, SEED, workers=1)
    many, few = digests(root), digests(tmp_path / "few")
    kept = [name for name in few if name.endswith(".png") or name.startswith("text/")]
    assert len(kept) == 2 * 36
    assert all(few[name] == many[name] for name in kept)
    write(tmp_path / "other", 31, 5, SEED + 1, workers=1)
    assert not set(digests(tmp_path / "other").values()) & {few[name] for name in kept if name.endswith(".png")}


def test_tables_agree_with_each_other_and_with_cub(root):
    images, labels = table(root, "images.txt"), dict(table(root, "image_class_labels.txt"))
    classes, split = dict(table(root, "classes.txt")), dict(table(root, "train_test_split.txt"))
    assert [number for number, _ in images] == [str(n) for n in range(1, TRAIN + TEST + 1)]
    assert list(classes.values()) == [kind.folder for kind in SPECIES]
    assert [name for _, name in images] == sorted(name for _, name in images)
    for number, name in images:
        assert name.split("/")[0] == classes[labels[number]]
        assert (root / "CUB_200_2011/images" / name).is_file()
    assert sum(flag == "1" for flag in split.values()) == TRAIN
    unseen = (root / "testclasses.txt").read_text().split()
    assert unseen == [kind.folder for kind in TEST_SPECIES]
    held = [name for number, name in images if split[number] == "0" and name.split("/")[0] not in unseen]
    assert len(held) == TEST // 2
    assert not [name for number, name in images if split[number] == "1" and name.split("/")[0] in unseen]
    parts = table(root, "parts/parts.txt")
    assert [" ".join(words[1:]) for words in parts] == list(PARTS)
    assert parts[0] == ["1", "back"]


def test_boxes_and_parts_belong_to_the_pictures(root):
    boxes = {row[0]: np.array(row[1:], float) for row in table(root, "bounding_boxes.txt")}
    places = np.array(table(root, "parts/part_locs.txt"), float).reshape(TRAIN + TEST, 15, 5)
    for number, rows in enumerate(places, start=1):
        assert (rows[:, 0] == number).all()
        assert rows[:, 1].tolist() == list(range(1, 16))
        x, y, width, height = boxes[str(number)]
        seen = rows[rows[:, 4] == 1, 2:4]
        assert len(seen) == 12
        assert (seen >= (x, y)).all()
        assert (seen <= (x + width, y + height)).all()
        assert not rows[rows[:, 4] == 0, 2:].any()


def test_scene_records_draw_the_pictures_and_explain_the_captions(root):
    records = [json.loads(line) for line in (root / "scenes.jsonl").read_text().splitlines()]
    assert [record["id"] for record in records] == list(range(1, TRAIN + TEST + 1))
    for record in records[::6]:
        scene = draw_scene(record["seed"], record["index"])
        assert {name: record["scene"][name] for name in scene.attributes()} == scene.attributes()
        with Image.open(root / "CUB_200_2011/images" / f"{record['key']}.png") as image:
            assert np.array_equal(np.asarray(image), render(scene).image)
        sentences = (root / "text" / f"{record['key']}.txt").read_text().splitlines()
        assert len(sentences) == 10
        assert [parse(sentence) for sentence in sentences] == record["mentioned"]


def test_nothing_is_left_when_drawing_fails(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "toybirds", 5, 2, 0, workers=1, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("train", "test", "seed", "workers"), [(0, 5, 0, 1), (5, -1, 0, 1), (5, 5, -1, 1), (5, 5, 0, 0)])
def test_senseless_orders_are_refused_before_drawing(tmp_path, train, test, seed, workers):
    with pytest.raises(ValueError, match="toybirds"):
        write(tmp_path / "toybirds", train, test, seed, workers)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_never_overwritten(root):
    before = digests(root)
    with pytest.raises(FileExistsError, match="toybirds"):
        write(root, TRAIN, TEST, SEED)
    assert digests(root) == before


def test_a_script_without_main_guard_may_write(tmp_path):
    """Workers are fresh interpreters that never run the caller's script again."""
    script = tmp_path / "script.py"
    script.write_text(
        "import sys, pathlib\nfrom stackgan.toybirds import write\nprint('once')\n"
        f"write(pathlib.Path({str(tmp_path / 'out')!r}), 4, 2, 0, workers=2)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == "once\n"
    assert done.stderr == ""
    assert (tmp_path / "out" / "scenes.jsonl").is_file()


def test_fingerprint_names_the_parameters():
    assert fingerprint() == fingerprint(6000, 1500, 0) == "8caddcf3cc43"
    assert len({fingerprint(), fingerprint(5999), fingerprint(6000, 1499), fingerprint(seed=1)}) == 4
