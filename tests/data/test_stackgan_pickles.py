"""The authors' release: converted by prepare.py, once; opened by nothing else."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_sets import write_stackgan

from stackgan.core.errors import UserError
from stackgan.data import doctor, pickles
from stackgan.data.records import DataProblems
from stackgan.data.stackgan import StackganData
from stackgan.text.precomputed import PrecomputedEncoder

Make = Callable[..., StackganData]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_stackgan(tmp_path / "birds")
    return tmp_path / "birds"


@pytest.fixture
def make(root: Path, settings: dict[str, Any]) -> Make:
    return lambda **changed: StackganData(**{**settings, "name": "stackgan", "root": str(root), "batch_size": 4, **changed})


def test_training_opens_no_pickle(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stackgan.data.stackgan.read_pickle", lambda path: pytest.fail("opened"))
    with pytest.raises(
        UserError, match=r"not converted yet, and training opens none: python src/prepare\.py data=stackgan data\.root="
    ):
        make().prepare_data()


def test_prepare_converts_once_and_training_goes_on_from_there(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    report = doctor.prepare(make())
    assert "12 pictures, 24 captions" in str(report)
    assert "as in the pickles: 8 pictures in train, 4 in test" in str(report)
    monkeypatch.setattr("stackgan.data.stackgan.read_pickle", lambda path: pytest.fail("opened"))
    doctor.prepare(make())
    module = make()
    module.prepare_data()
    module.setup()
    first = module.source.records[0]
    assert (first.key, first.class_name, first.class_id, first.split) == ("002.Green_Bird/bird_0", "Green Bird", 2, "train")
    assert first.box == (20, 10, 30, 40)
    assert module.provides == {"classes", "boxes"}


def test_the_pictures_are_the_files_themselves(make: Make, root: Path) -> None:
    module = make()
    module.convert()
    for record in module.source.records:
        assert record.image.read_bytes() == (root / "CUB_200_2011" / "images" / f"{record.key}.png").read_bytes()


@pytest.mark.parametrize(
    "name", ["text/002.Green_Bird/bird_0.txt", "CUB_200_2011/images/002.Green_Bird/bird_0.png", "CUB_200_2011/bounding_boxes.txt"]
)
def test_what_comes_later_is_converted_anew(make: Make, root: Path, name: str) -> None:
    content = (root / name).read_bytes()
    (root / name).unlink()
    without = make(on_problem="skip")
    without.convert()
    assert without.source.problems if "boxes" not in name else without.source.records[0].box is None
    (root / name).write_bytes(content)
    module = make()
    assert module.folder != without.folder
    module.convert()
    assert not module.source.problems
    assert module.source.records[0].box == (20, 10, 30, 40)
    (root / "notes.md").write_text("nothing that is read")
    assert make().folder == module.folder


def test_a_cache_within_the_release_is_no_part_of_it(make: Make, root: Path) -> None:
    before = make(cache=str(root / "cache"))
    before.convert()
    assert before.folder.exists()
    assert make(cache=str(root / "cache")).folder == before.folder


def test_pickled_pictures_are_kept_to_the_bit(make: Make, root: Path) -> None:
    pictures = {part: [np.random.default_rng(i).integers(0, 256, (76, 76, 3), np.uint8) for i in range(count)]
                for part, count in (("train", 8), ("test", 4))}  # fmt: skip
    for part, several in pictures.items():
        (root / part / "76images.pickle").write_bytes(pickle.dumps(several, protocol=2))
    module = make()
    doctor.prepare(module)
    np.testing.assert_array_equal(module.arrays.pixels_NHWC, np.stack(pictures["train"] + pictures["test"]))
    assert module.source.records[0].box is None  # these are cropped already


def test_pickled_embeddings(make: Make, root: Path) -> None:
    rows = {
        part: np.random.default_rng(0).normal(size=(count, 2, 5)).astype(np.float32) for part, count in (("train", 8), ("test", 4))
    }
    for part, several in rows.items():
        (root / part / "char-CNN-RNN-embeddings.pickle").write_bytes(pickle.dumps(list(several), protocol=2))
    module = make(text=PrecomputedEncoder(name="precomputed", file=None))
    doctor.prepare(module)
    np.testing.assert_array_equal(module.arrays.text_NMT, np.concatenate([rows["train"], rows["test"]]))


@pytest.mark.parametrize("name", ["filenames", "class_info", "76images", "char-CNN-RNN-embeddings"])
def test_lists_that_do_not_fit(make: Make, root: Path, name: str) -> None:
    for value, what in (
        ([1, 2, 3], "not a list|a list of 3|no array|no arrays"),
        ((1,), "a tuple of 1, not a list|a tuple, not a list"),
        ({"a": 1}, "refused"),
    ):
        for part in ("train", "test"):
            (root / part / f"{name}.pickle").write_bytes(pickle.dumps(value, protocol=2))
        with pytest.raises(UserError, match=what):
            make().convert()
        assert not list(make().cache_root.rglob("captions.jsonl"))


@pytest.mark.parametrize(
    ("name", "said"),
    [("filenames", "holds a tuple, not a list of str"), ("class_info", "holds a tuple, not a list of int"),
     ("char-CNN-RNN-embeddings", "holds no arrays")],
)  # fmt: skip
def test_nested_tuples_are_never_spelled_out(make: Make, root: Path, name: str, said: str) -> None:
    """Fifty levels, each of two times the one below: as text they would fill any memory."""
    for part, count in (("train", 8), ("test", 4)):
        one = b"K\x01" + b"2\x86" * 50
        (root / part / f"{name}.pickle").write_bytes(b"\x80\x02](" + one * count + b"e.")
    with pytest.raises(UserError, match=said):
        make().convert()


def test_names_that_lead_outside(make: Make, root: Path) -> None:
    Image.new("RGB", (9, 9)).save(root.parent / "secret.jpg")
    names = ["../secret", str(root.parent / "secret"), *(f"002.Green_Bird/bird_{i}" for i in range(4)), "a", "b"]
    (root / "train" / "filenames.pickle").write_bytes(pickle.dumps(names, protocol=2))
    (root / "train" / "class_info.pickle").write_bytes(pickle.dumps([2] * 6 + [3] * 2, protocol=2))
    module = make(on_problem="skip", batch_size=2, mismatched="none")
    doctor.prepare(module)
    assert module.fingerprint["left_out"] == 4
    converted = list(module.folder.rglob("*"))
    assert not [path for path in converted if path.is_file() and path.read_bytes() == (root.parent / "secret.jpg").read_bytes()]


def test_a_malicious_release_is_refused_and_leaves_nothing(make: Make, root: Path, tmp_path: Path) -> None:
    class Payload:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path / 'marker'}",)

    for protocol in (0, 2, 4):
        (root / "test" / "class_info.pickle").write_bytes(pickle.dumps([Payload()], protocol=protocol))
        with pytest.raises(UserError, match=r"class_info\.pickle: refused, it contains the name \w+\.system"):
            doctor.prepare(make())
    assert not (tmp_path / "marker").exists()
    assert not list(make().cache_root.rglob("captions.jsonl"))


def test_pictures_that_are_not_there(make: Make, root: Path) -> None:
    (root / "CUB_200_2011" / "images" / "001.Red_Bird" / "bird_0.png").unlink()
    with pytest.raises(UserError, match=r"1 problem: .*picture is missing\. Expected: train/ and test/"):
        doctor.prepare(make())
    with pytest.raises(DataProblems):
        make().prepare_data()
    assert "left out 1 pictures" in str(doctor.prepare(make(on_problem="skip")))


def test_no_release_at_all(make: Make, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no train/filenames\.pickle in it\. Expected: train/ and test/"):
        make(root=str(tmp_path / "nowhere")).prepare_data()


def test_the_limit_holds_the_largest_file_that_was_published() -> None:
    assert pickles.LIMIT > 2_455_031_040
