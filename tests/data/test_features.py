"""Image features in the cache and in batches, and batches of different classes."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from stackgan.core.errors import UserError
from stackgan.core.shapes import Batch
from stackgan.data.decode import squares
from stackgan.data.module import CaptionedPictures
from stackgan.text.hashing import HashingEncoder

Build = Callable[..., CaptionedPictures]


class Halves:
    """An image encoder that tells the mean of a picture's left half from that of its right half."""

    size, dim = 10, 2

    def __init__(self, version: str = "1") -> None:
        self.fingerprint, self.seen, self.broken = f"halves{version}", 0, False

    def check(self) -> None:
        if self.broken:
            raise UserError("broken")

    def encode(self, pictures_NHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen += len(pictures_NHWC)
        left, right = pictures_NHWC[:, :, :5].mean((1, 2, 3)), pictures_NHWC[:, :, 5:].mean((1, 2, 3))
        return np.stack([left, right], axis=1).astype(np.float32)


def served(module: CaptionedPictures, count: int, rank: int = 0, world: int = 1) -> list[Batch]:
    strategy = SimpleNamespace(root_device=torch.device("cpu"))
    module.trainer = SimpleNamespace(world_size=world, global_rank=rank, strategy=strategy)  # type: ignore[assignment]
    module.plan(0, count)
    return list(module.train_dataloader())


def test_features_of_pictures_and_of_mirrored_ones(ready: Build) -> None:
    encoder = Halves()
    module = ready(image_encoder=encoder)
    features = module.arrays.features_NVF
    assert (features.shape, features.dtype) == ((30, 2, 2), np.float32)
    for row in (0, 17, 29):
        expected = encoder.encode(squares(module.records[row].image, (10,), False)[0][None])[0]
        np.testing.assert_array_equal(features[row, 0], expected)
        np.testing.assert_array_equal(features[row, 1], expected[::-1])


def test_a_second_time_no_picture_is_looked_at_and_another_encoder_looks_again(ready: Build, build: Build) -> None:
    ready(image_encoder=Halves())
    again, other = Halves(), Halves("2")
    again.broken = True
    build(image_encoder=again).prepare_data()
    build(image_encoder=other).prepare_data()
    assert (again.seen, other.seen) == (0, 60)


class Choosy(HashingEncoder):
    """A text encoder that has nothing for the sixth picture."""

    def encode_records(self, keys: Any, captions: Any, into: Any, progress: Any = None) -> dict[int, str]:
        super().encode_records(keys, captions, into, progress)
        return {5: "has no text"}


def test_a_picture_without_a_text_has_features_and_a_broken_one_none(build: Build, flowers: Path) -> None:
    (flowers / "jpg" / "image_00010.jpg").write_bytes(b"no picture")
    encoder = Halves()
    module = build(on_problem="skip", image_encoder=encoder, text=Choosy(name="hashing", dim=16, window=2))
    module.prepare_data()
    assert sorted(module.skipped()) == [5, 9]
    features = np.load(module.cache.features(encoder))
    assert np.flatnonzero(~features.any((1, 2))).tolist() == [9]
    expected = encoder.encode(squares(module.records[5].image, (10,), False)[0][None])[0]
    np.testing.assert_array_equal(features[5, 0], expected)


def test_a_broken_encoder_is_told_before_pictures_are_decoded(build: Build) -> None:
    encoder = Halves()
    encoder.broken = True
    module = build(image_encoder=encoder)
    with pytest.raises(UserError, match="broken"):
        module.prepare_data()
    assert not list(module.cache.folder.glob("*.npy"))


def test_batches_bring_the_features_of_the_picture_as_it_is_shown(ready: Build) -> None:
    module = ready(image_encoder=Halves(), crop=False, captions_averaged=1)
    mirrored = 0
    for batch in served(module, 6):
        found = batch.extras["features"]
        for row, key in enumerate(batch.key_B.tolist()):
            as_is, flipped = torch.from_numpy(module.arrays.features_NVF[key])
            assert torch.equal(found[row], as_is) or torch.equal(found[row], flipped)
            shown = batch.real_BCHW[row].float().mean((0, 1))
            flips = bool((shown[:32].mean() < shown[32:].mean()) != (as_is[0] < as_is[1]))
            mirrored += flips
            assert torch.equal(found[row], flipped if flips else as_is)
    assert 5 < mirrored < 40


def test_no_features_where_nobody_asks(ready: Build) -> None:
    module = ready()
    assert served(module, 1)[0].extras == {}
    with pytest.raises(RuntimeError, match="no image encoder"):
        _ = module.arrays.features_NVF


def test_every_picture_of_a_batch_is_of_another_class(ready: Build) -> None:
    module = ready(distinct_classes=True, batch_size=4, mismatched="none")
    seen = torch.zeros(len(module.records), dtype=torch.int64)
    for batch in served(module, 150):
        classes = [module.records[key].class_id for key in batch.key_B.tolist()]
        assert len(set(classes)) == 4
        seen += batch.key_B.bincount(minlength=len(seen))
    train = torch.tensor([record.split == "train" for record in module.records])
    assert not seen[~train].any()
    assert seen[train].min() > 0.4 * 600 / 25
    shares = [served(module, 5, rank, 2) for rank in (0, 1)]
    for whole, *parts in zip(served(module, 5), *shares, strict=True):
        for rank, part in enumerate(parts):
            assert torch.equal(whole.key_B[rank::2], part.key_B)


def test_too_few_classes_for_a_batch(build: Build) -> None:
    with pytest.raises(UserError, match=r"data.batch_size=8: each picture of a batch is of another class, .* has 5 train classes"):
        build(distinct_classes=True).prepare_data()


def test_described_is_all_of_a_split(ready: Build) -> None:
    module = ready(image_encoder=Halves())
    described = module.described("test")
    rows = [row for row, record in enumerate(module.records) if record.split == "test"]
    assert torch.equal(described.features_NF, torch.from_numpy(module.arrays.features_NVF[rows, 0]))
    assert described.text_NMT.shape == (5, 4, 16)
    assert described.count_N.tolist() == [len(module.records[row].captions) for row in rows]
    assert set(described.class_N.tolist()) == {module.records[row].class_id for row in rows}
