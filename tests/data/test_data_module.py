from collections.abc import Callable

import numpy as np
import pytest
import torch

from stackgan.core.errors import UserError
from stackgan.data.module import CaptionedPictures, cached_size

Build = Callable[..., CaptionedPictures]


@pytest.mark.parametrize(("resolution", "side"), [(64, 76), (128, 152), (256, 304)])
def test_cached_sizes_are_stackgans(resolution: int, side: int) -> None:
    assert cached_size(resolution) == side


def test_attributes(ready: Build) -> None:
    module = ready()
    assert (module.name, module.text_dim, module.train_size) == ("oxford", 16, 25)
    assert "classes" in module.provides
    assert module.fingerprint == {"name": "oxford", "images": module.cache.folder.name, "validation_classes": 0}


def test_validation_classes_are_the_last_train_classes(ready: Build) -> None:
    whole, module = ready(), ready(validate=True)
    train = sorted({r.class_id for r in whole.records if r.split == "train"})
    held_out = {r.class_id for r in module.records if r.split == "validation"}
    assert held_out == set(train[-2:])
    assert {r.class_id for r in module.records if r.split == "train"} == set(train[:-2])
    assert module.train_size == 15
    assert module.fingerprint != whole.fingerprint
    assert module.cache == whole.cache


def test_some_class_must_be_left(build: Build) -> None:
    with pytest.raises(UserError, match=r"^data\.validation_classes=5: there are 5 train classes"):
        build(validate=True, validation_classes=5).prepare_data()


def test_examples_are_fixed_and_spread_over_classes(ready: Build) -> None:
    module = ready()
    examples = module.examples("train", 7, seed=3)
    assert examples.real_NHWC.shape == (7, 64, 64, 3)
    assert examples.real_NHWC.dtype == np.uint8
    assert examples.text_NT.shape == (7, 16)
    records = [module.records[key] for key in examples.key_N.tolist()]
    assert len({record.class_id for record in records}) == 5
    assert all(sentence in record.captions for sentence, record in zip(examples.sentences, records, strict=True))
    np.testing.assert_array_equal(examples.text_NT.numpy(), module.text.encode(examples.sentences))
    cached = module.arrays.pixels_NHWC[examples.key_N.numpy(), 6:70, 6:70]
    np.testing.assert_array_equal(examples.real_NHWC, cached)
    again = ready(seed=9, batch_size=2).examples("train", 7, seed=3)
    assert again.sentences == examples.sentences
    assert torch.equal(again.key_N, examples.key_N)
    assert not torch.equal(module.examples("train", 7, seed=4).key_N, examples.key_N)


def test_more_examples_than_there_are(ready: Build) -> None:
    examples = ready().examples("test", 99)
    assert sorted(examples.key_N.tolist()) == sorted(set(examples.key_N.tolist()))
    assert len(examples.key_N) == len(examples.sentences) == 5


def test_a_split_that_is_not_there(ready: Build) -> None:
    with pytest.raises(UserError, match=r"no picture in split validation, only in test, train; data\.validate=true makes"):
        ready().examples("validation", 4)


def test_a_batch_larger_than_the_training_set(build: Build) -> None:
    with pytest.raises(UserError, match=r"^data\.batch_size=26: there are only 25 training pictures"):
        build(batch_size=26).prepare_data()
    build(batch_size=25).prepare_data()


def test_one_train_class_has_no_partner(build: Build) -> None:
    one = {"validate": True, "validation_classes": 4, "batch_size": 5}
    with pytest.raises(UserError, match=r"^data\.mismatched=image: needs two train classes.*mismatched_pair=roll"):
        build(**one).prepare_data()
    build(**one, mismatched="roll").prepare_data()


def test_steps_out_of_order_are_named(build: Build) -> None:
    module = build()
    with pytest.raises(RuntimeError, match="prepare_data"):
        _ = module.arrays
    with pytest.raises(RuntimeError, match="plan"):
        module.train_dataloader()
