"""Pixels, files, fingerprints, errors, batches."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from stackgan.core import atomic
from stackgan.core.errors import UserError, did_you_mean
from stackgan.core.fingerprint import fingerprint
from stackgan.core.pixels import to_bytes_NHWC, to_unit_range
from stackgan.core.shapes import Batch


def test_every_byte_survives_the_way_to_the_networks_and_back() -> None:
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16).expand(2, 3, 16, 16)
    x_BCHW = to_unit_range(every.contiguous(memory_format=torch.channels_last))
    assert (x_BCHW.min(), x_BCHW.max()) == (-1, 1)
    assert x_BCHW.dtype == torch.float32
    assert x_BCHW.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(to_bytes_NHWC(x_BCHW), every.permute(0, 2, 3, 1).numpy())


def test_what_lies_outside_is_clamped_and_the_rest_rounded() -> None:
    x_NCHW = torch.tensor([-3.0, -1.0, 0.0, 1 / 255, 1.0, 3.0]).reshape(1, 1, 1, 6)
    # (0 + 1) * 127.5 = 127.5 rounds to the even 128.
    assert to_bytes_NHWC(x_NCHW).ravel().tolist() == [0, 0, 128, 128, 255, 255]
    assert to_bytes_NHWC(x_NCHW.bfloat16()).dtype == np.uint8


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def half(beside: Path) -> None:
        beside.write_text("ha")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        atomic.write(path, half)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    atomic.write_json(path, {"näme": [1, None]})
    assert json.loads(path.read_text()) == {"näme": [1, None]}
    assert list(tmp_path.iterdir()) == [path]


def test_fingerprints_are_frozen_and_do_not_mind_the_order_of_keys() -> None:
    assert fingerprint({}) == "44136fa3"  # sha256 of "{}"
    assert fingerprint({"a": 1, "b": [1.5, None]}) == fingerprint({"b": [1.5, None], "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
    assert len(fingerprint({}, digits=12)) == 12
    with pytest.raises(TypeError):
        fingerprint({"a": Path("/")})


def test_a_user_error_is_one_line() -> None:
    assert str(UserError("a:\n  b\tc ")) == "a: b c"


@pytest.mark.parametrize(
    ("word", "answer"), [("hing", "; did you mean hinge?"), ("hinge", "; did you mean hinge?"), ("xyz", ""), ("", "")]
)
def test_the_nearest_name(word: str, answer: str) -> None:
    assert did_you_mean(word, ["bce", "hinge"]) == answer


def test_a_batch_moves_whole() -> None:
    pictures, text, key = torch.zeros(2, 3, 4, 4, dtype=torch.uint8), torch.zeros(2, 5), torch.arange(2)
    batch = Batch(3, pictures, text, key, mismatched_text_BT=text, extras={"box": text})
    moved = batch.to("meta")
    assert {t.device.type for t in (moved.real_BCHW, moved.text_BT, moved.key_B, moved.extras["box"])} == {"meta"}
    assert moved.mismatched_text_BT is not None
    assert moved.mismatched_text_BT.device.type == "meta"
    assert moved.mismatched_BCHW is None
    assert moved.iteration == 3
    assert batch.text_BT.device.type == "cpu"


def test_json_of_numbers_that_json_lacks(tmp_path: Path) -> None:
    atomic.write_json(tmp_path / "x.json", {"a": float("nan"), "b": [float("inf"), 1.5]})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": None, "b": [None, 1.5]}


def test_a_folder_is_new_and_whole_or_not_there(tmp_path: Path) -> None:
    def fill(beside: Path) -> None:
        (beside / "a").write_text("a")

    (tmp_path / "x-2").mkdir()
    (tmp_path / "x-2" / "old").touch()
    assert [atomic.write_folder(tmp_path, "x", fill).name for _ in range(2)] == ["x-1", "x-3"]
    assert [path.name for path in (tmp_path / "x-2").iterdir()] == ["old"]

    def half(beside: Path) -> None:
        fill(beside)
        raise ValueError("half")

    with pytest.raises(ValueError, match="half"):
        atomic.write_folder(tmp_path, "x", half)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x-1", "x-2", "x-3"]


def test_a_number_that_another_process_took_meanwhile_is_left_to_it(tmp_path: Path) -> None:
    def fill(beside: Path) -> None:
        (beside / "a").touch()

    whole, looks = Path.exists, iter([False])  # the first look at x-1 comes before the other process made it
    atomic.write_folder(tmp_path, "x", fill)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "exists", lambda path: next(looks, True) if path.name == "x-1" else whole(path))
        assert atomic.write_folder(tmp_path, "x", fill).name == "x-2"
