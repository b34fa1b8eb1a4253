"""A judge's split: by picture, fixed, and never seen in training."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from stackgan.core.errors import UserError
from stackgan.data.oxford import OxfordData
from stackgan.data.records import Record
from stackgan.data.splits import by_picture

Build = Callable[..., OxfordData]


def record(number: int, class_id: int, split: str = "train") -> Record:
    return Record(f"p{number}", Path("x"), ("a",), class_id, f"c{class_id}", split)  # type: ignore[arg-type]


MANY = [record(n, n % 10, "test" if n % 10 < 3 else "train") for n in range(9000)]


def test_of_many_pictures_1600_are_held_out_of_all_classes() -> None:
    found = by_picture(MANY, "all")
    assert Counter(r.split for r in found) == {"held_out": 1600, "train": 7400}
    held_out = Counter(r.class_id for r in found if r.split == "held_out")
    assert len(held_out) == 10
    assert 120 < min(held_out.values()) <= max(held_out.values()) < 200
    assert found == by_picture(MANY, "all")


def test_of_the_test_classes_a_fifth() -> None:
    found = by_picture(MANY, "test")
    assert Counter(r.split for r in found) == {"skipped": 6300, "held_out": 540, "train": 2160}
    assert {r.class_id for r in found if r.split != "skipped"} == {0, 1, 2}


def test_the_choice_hangs_on_the_picture_not_on_its_place() -> None:
    there = {r.key for r in by_picture(MANY, "all") if r.split == "held_out"}
    assert there == {r.key for r in by_picture(MANY[::-1], "all") if r.split == "held_out"}


def test_every_class_keeps_a_picture_to_train_on() -> None:
    few = [record(n, n) for n in range(40)] + [record(100 + n, 99) for n in range(3)]
    found = by_picture(few, "all")
    assert {r.class_id for r in found if r.split == "train"} == {*range(40), 99}
    assert Counter(r.split for r in found)["held_out"] == 2


def test_too_few_classes() -> None:
    with pytest.raises(UserError, match=r"^stage\.classes=test: the data set has 0 such classes, a judge needs two; set stage\."):
        by_picture([record(n, n) for n in range(5)], "test")


def test_held_out_pictures_are_in_no_batch_and_labels_are_right(ready: Build, build: Build) -> None:
    module = ready(classes="all", batch_size=4, mismatched="none")
    held_out = {row for row, r in enumerate(module.records) if r.split == "held_out"}
    assert len(held_out) == 6
    assert module.train_size == 24
    module.plan(0, 12)
    seen = set()
    for batch in module.train_dataloader():
        seen |= set(batch.key_B.tolist())
        assert batch.extras["class"].tolist() == [module.records[row].class_id for row in batch.key_B.tolist()]
    assert seen == set(range(30)) - held_out
    examples = module.examples("held_out", 100)
    assert set(examples.key_N.tolist()) == held_out
    assert examples.class_N is not None
    assert examples.class_N.tolist() == [module.records[row].class_id for row in examples.key_N.tolist()]


def test_one_cache_serves_both_splits_and_the_run_knows_which(build: Build) -> None:
    plain, judged, tests = build(), build(classes="all"), build(classes="test")
    assert plain.cache.folder == judged.cache.folder
    assert judged.fingerprint["classes"] == "all"
    assert judged.fingerprint != tests.fingerprint != plain.fingerprint
    assert "classes" not in plain.fingerprint
    assert list(judged.class_names) == sorted({r.class_id for r in plain.source.records})
    assert torch.tensor(list(judged.class_names)).dtype == torch.int64
