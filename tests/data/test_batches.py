"""What a batch holds, and that it depends on nothing but (seed, iteration)."""

import pickle
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.core.shapes import Batch
from stackgan.data.batches import Batches
from stackgan.data.module import CaptionedPictures

Build = Callable[..., CaptionedPictures]


def served(module: CaptionedPictures, start: int, stop: int, rank: int = 0, world: int = 1) -> list[Batch]:
    strategy = SimpleNamespace(root_device=torch.device("cpu"))
    module.trainer = SimpleNamespace(world_size=world, global_rank=rank, strategy=strategy)  # type: ignore[assignment]
    module.plan(start, stop)
    return list(module.train_dataloader())


def tensors(batch: Batch) -> dict[str, Tensor]:
    return {name: value for name, value in vars(batch).items() if isinstance(value, Tensor)}


def assert_same(one: Batch, other: Batch) -> None:
    assert one.iteration == other.iteration
    assert tensors(one).keys() == tensors(other).keys()
    for name, value in tensors(one).items():
        assert torch.equal(value, tensors(other)[name]), name


def class_of(module: CaptionedPictures, key_B: Tensor) -> Tensor:
    return torch.tensor([module.records[key].class_id for key in key_B.tolist()])


def test_shapes_types_and_memory(ready: Build) -> None:
    (batch,) = served(ready(), 0, 1)
    assert batch.mismatched_BCHW is not None
    for pictures in (batch.real_BCHW, batch.mismatched_BCHW):
        assert pictures.shape == (8, 3, 64, 64)
        assert pictures.dtype == torch.uint8
        assert pictures.is_contiguous(memory_format=torch.channels_last)
    assert (batch.text_BT.shape, batch.text_BT.dtype) == ((8, 16), torch.float32)
    assert batch.key_B.dtype == torch.int64
    assert batch.mismatched_text_BT is None


@pytest.mark.parametrize("mismatched", ["image", "sentence"])
@pytest.mark.parametrize("world", [2, 4])
def test_ranks_together_see_what_one_rank_sees(ready: Build, world: int, mismatched: str) -> None:
    module = ready(mismatched=mismatched)
    whole = served(module, 0, 5)
    shares = [served(module, 0, 5, rank, world) for rank in range(world)]
    for iteration, batch in enumerate(whole):
        for name, value in tensors(batch).items():
            for rank in range(world):
                assert torch.equal(tensors(shares[rank][iteration])[name], value[rank::world]), name


@pytest.mark.parametrize("workers", [0, 2])
def test_going_on_in_the_middle_is_the_tail(ready: Build, workers: int) -> None:
    whole = served(ready(), 0, 9)
    for one, other in zip(whole[4:], served(ready(workers=workers), 4, 9), strict=True):
        assert_same(one, other)


def test_other_seeds_draw_otherwise(ready: Build) -> None:
    one, other = (served(ready(seed=seed), 0, 1)[0] for seed in (0, 1))
    assert not torch.equal(one.key_B, other.key_B)


def test_an_epoch_visits_no_picture_twice_and_epochs_differ(ready: Build) -> None:
    module = ready()
    assert (module.train_size, module.batches_per_epoch) == (25, 3)
    batches = served(module, 0, 6)
    epochs = [torch.cat([batch.key_B for batch in batches[i : i + 3]]) for i in (0, 3)]
    for keys in epochs:
        assert len(keys.unique()) == 24
        assert all(module.records[key].split == "train" for key in keys.tolist())
    assert not torch.equal(*epochs)


def test_partners_are_of_another_train_class(ready: Build) -> None:
    module = ready()
    draws = module_batches(module)
    seen = torch.zeros(len(module.records), dtype=torch.int64)
    for iteration in range(200):
        rows = draws._rows(iteration)
        partners = draws.partners.draw(rows, lambda stream, i=iteration: draws._uniform(stream, i))
        assert (class_of(module, rows) != class_of(module, partners)).all()
        seen += partners.bincount(minlength=len(seen))
    train = torch.tensor([record.split == "train" for record in module.records])
    assert (seen[~train] == 0).all()
    assert (seen[train] > 200 * 8 / 25 * 0.6).all()


def module_batches(module: CaptionedPictures) -> Any:
    module.plan(0, 1)
    return module.train_dataloader().dataset


def test_the_partners_sentence_is_of_another_class(ready: Build) -> None:
    module = ready(mismatched="sentence", captions_averaged=1)
    classes = {tuple(e): r.class_id for r in module.records for e in module.text.encode(r.captions).tolist()}
    for batch in served(module, 0, 6):
        assert batch.mismatched_BCHW is None
        assert batch.mismatched_text_BT is not None
        for key, text in zip(batch.key_B.tolist(), batch.mismatched_text_BT.tolist(), strict=True):
            assert classes[tuple(text)] != module.records[key].class_id


def test_no_partner_where_none_is_wanted(ready: Build) -> None:
    batch = served(ready(mismatched="none"), 0, 1)[0]
    assert batch.mismatched_BCHW is None
    assert batch.mismatched_text_BT is None


@pytest.mark.parametrize("world", [1, 2])
def test_roll_gives_each_picture_the_next_ones_sentence_of_the_global_batch(ready: Build, world: int) -> None:
    module = ready(mismatched="roll")
    rows = np.array([row for row, record in enumerate(module.records) if record.split == "train"])
    whole = Batches(module.arrays, rows, module.draw, 0, 1)[3].text_BT.roll(-1, 0)
    for rank in range(world):
        batch = Batches(module.arrays, rows, module.draw, rank, world)[3]
        assert batch.mismatched_BCHW is None
        assert batch.mismatched_text_BT is not None
        torch.testing.assert_close(batch.mismatched_text_BT, whole[rank::world], rtol=0, atol=0)


def test_without_chance_it_is_the_centre(ready: Build) -> None:
    module = ready(crop=False, mirror=False, first_resolution=64)
    batch = served(module, 0, 1)[0]
    cached = module.arrays.pixels_NHWC[batch.key_B.numpy(), 6:70, 6:70]
    np.testing.assert_array_equal(batch.real_BCHW.permute(0, 2, 3, 1).numpy(), cached)


def test_crops_reach_every_offset_and_flips_happen(ready: Build) -> None:
    module = ready(captions_averaged=1)
    offsets, flips = set(), 0
    for batch in served(module, 0, 30):
        for key, real in zip(batch.key_B.tolist(), batch.real_BCHW.permute(0, 2, 3, 1).numpy(), strict=True):
            top, left, flipped = find(module.arrays.pixels_NHWC[key], real)
            offsets |= {("top", top), ("left", left)}
            flips += flipped
    assert offsets == {(side, offset) for side in ("top", "left") for offset in range(13)}
    assert 0.15 < flips / 240 < 0.4  # half of the pictures with a safe caption, and those are about half


def find(whole: Any, part: Any) -> tuple[int, int, bool]:
    """Where the crop was cut, the mirrored one last."""
    for flipped, candidate in ((False, part), (True, part[:, ::-1])):
        for top in range(13):
            for left in range(13):
                if np.array_equal(whole[top : top + 64, left : left + 64], candidate):
                    return top, left, flipped
    raise AssertionError("not a crop of its picture")


def test_captions_that_say_a_side_are_never_mirrored(ready: Build) -> None:
    module = ready(captions_averaged=1)
    draws = module_batches(module)
    sided = mirrored = 0
    for iteration in range(30):
        rows = draws._rows(iteration)
        chosen, _ = draws._sentences(rows, iteration, "caption")
        batch = draws[iteration]
        for key, caption, real in zip(rows.tolist(), chosen[:, 0].tolist(), batch.real_BCHW, strict=True):
            flipped = find(module.arrays.pixels_NHWC[key], real.permute(1, 2, 0).numpy())[2]
            mirrored += flipped
            if caption >= 2:  # "on the left", "leaning right"
                sided += 1
                assert not flipped
    assert min(sided, mirrored) > 20


def test_the_words_that_name_a_side(ready: Build) -> None:
    safe = ready().arrays.mirror_safe_NM
    assert safe[0].tolist() == [True, True, False, False]
    assert safe[6].tolist() == [True, True, True, True]


@pytest.mark.parametrize("averaged", [1, 3, 9])
def test_the_text_is_the_mean_of_distinct_captions(ready: Build, averaged: int) -> None:
    module = ready(captions_averaged=averaged)
    draws = module_batches(module)
    for iteration in range(6):
        rows = draws._rows(iteration)
        chosen, text_BT = draws._sentences(rows, iteration, "caption")
        for row, picks, text in zip(rows.tolist(), chosen.tolist(), text_BT.numpy(), strict=True):
            captions = module.records[row].captions
            kept = [pick for pick in picks if pick >= 0]
            assert len(set(kept)) == len(kept) == min(averaged, len(captions))
            expected = module.text.encode([captions[pick] for pick in kept]).mean(0)
            np.testing.assert_allclose(text, expected, atol=1e-6)


def test_a_foreign_sampler_fails_at_once(ready: Build) -> None:
    with pytest.raises(TypeError):
        torch.utils.data.DistributedSampler(module_batches(ready()), num_replicas=2, rank=0)


def test_it_travels_without_its_pixels(ready: Build) -> None:
    draws = module_batches(ready())
    batch = draws[2]
    packed = pickle.dumps(draws)
    assert len(packed) < 50_000
    assert_same(pickle.loads(packed)[2], batch)


def test_ranks_must_share_equally(ready: Build) -> None:
    with pytest.raises(UserError, match=r"^data\.batch_size=8: 3 devices cannot share it equally; take a multiple of 3"):
        served(ready(), 0, 1, rank=0, world=3)
