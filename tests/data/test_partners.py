"""Who may be whose partner."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stackgan.core import chance
from stackgan.core.errors import UserError
from stackgan.data.module import CaptionedPictures
from stackgan.data.partners import Partners

Build = Callable[..., CaptionedPictures]


def uniform_of(iteration: int, width: int) -> Callable[[str], Tensor]:
    return lambda stream: torch.rand(width, generator=chance.generator(0, stream, iteration), dtype=torch.float64)


def drawn(partners: Partners, rows: list[int], times: int) -> list[set[int]]:
    seen: list[set[int]] = [set() for _ in rows]
    for iteration in range(times):
        for place, partner in enumerate(partners.draw(torch.tensor(rows), uniform_of(iteration, len(rows))).tolist()):
            seen[place].add(partner)
    return seen


def make(classes: list[int], sentences: list[list[int]], alike: list[int], rows: list[int] | None = None) -> Partners:
    training = np.arange(len(classes)) if rows is None else np.array(rows)
    return Partners(training, np.array(classes), np.array(sentences), np.array(alike))


def test_without_classes_it_is_any_other_picture() -> None:
    partners = make([-1] * 4, [[0], [1], [2], [3]], [0, 1, 2, 3], rows=[0, 1, 3])
    assert drawn(partners, [0, 1, 3], 60) == [{1, 3}, {0, 3}, {0, 1}]


def test_never_the_same_picture_or_sentence() -> None:
    """Row 1 is row 0's picture again; row 2 shares a sentence with row 0; -1 is no sentence."""
    partners = make([-1] * 5, [[0, 1], [2, -1], [1, 3], [4, -1], [5, 6]], [0, 0, 2, 3, 4])
    assert drawn(partners, [0, 1, 2], 80) == [{3, 4}, {2, 3, 4}, {1, 3, 4}]


def test_where_hardly_anyone_is_left_the_one_is_found() -> None:
    count = 300
    partners = make([-1] * count, [[0]] * (count - 1) + [[1]], list(range(count)))
    assert drawn(partners, [0, 7], 5) == [{count - 1}, {count - 1}]
    assert partners.lonely() is None


def test_a_row_without_a_partner_is_found() -> None:
    assert make([0, 0, 1], [[0], [1], [2]], [0, 1, 2]).lonely() is None
    assert make([0, 0, 1], [[0], [2], [2]], [0, 1, 2]).lonely() == 1
    assert make([0, 0, 1], [[0], [1], [2]], [0, 1, 0]).lonely() == 0
    assert make([-1], [[0]], [0]).lonely() == 0


def test_a_draw_that_is_allowed_stays_as_it_was() -> None:
    """The first number decides unless it is forbidden, as before there were forbidden ones."""
    free = make([0] * 5 + [1] * 5, [[i] for i in range(10)], list(range(10)))
    some = make([0] * 5 + [1] * 5, [[0], *([i] for i in range(1, 9)), [0]], list(range(10)))
    rows, changed = torch.tensor([0, 1, 2, 8, 9]), 0
    for iteration in range(40):
        before, after = (p.draw(rows, uniform_of(iteration, 5)) for p in (free, some))
        differ = before != after
        forbidden = ((rows == 0) & (before == 9)) | ((rows == 9) & (before == 0))
        assert torch.equal(differ, forbidden)
        changed += int(differ.sum())
    assert changed > 0


@pytest.mark.parametrize("mismatched", ["image", "sentence"])
def test_a_set_of_one_sentence_has_no_partners(build: Build, flowers: Path, mismatched: str) -> None:
    for path in (flowers / "text_c10").glob("*/*.txt"):
        path.write_text("a flower\n")
    module = build(mismatched=mismatched)
    module.prepare_data()
    with pytest.raises(UserError, match=rf"^data\.mismatched={mismatched}: image_\d+ .*has no partner.*mismatched_pair=roll"):
        module.setup()
    build(mismatched="none").setup()


def test_pictures_of_the_same_pixels_are_known(ready: Build, flowers: Path) -> None:
    shutil.copy(flowers / "jpg" / "image_00002.jpg", flowers / "jpg" / "image_00009.jpg")
    module = ready()
    expected = list(range(30))
    expected[8] = 1
    assert module.arrays.alike_N.tolist() == expected


def test_a_cache_of_earlier_versions_learns_it(ready: Build) -> None:
    first = ready()
    path = first.cache.alike(76)
    expected = np.load(path)
    path.unlink()
    np.testing.assert_array_equal(ready().arrays.alike_N, expected)


def test_batches_hold_them_apart(ready: Build, flowers: Path, settings: dict[str, Any]) -> None:
    """Every picture of class 2 is one of class 1 again: no pair of them, in either order."""
    for number in range(1, 30, 6):
        shutil.copy(flowers / "jpg" / f"image_{number:05d}.jpg", flowers / "jpg" / f"image_{number + 1:05d}.jpg")
    module = ready()
    module.plan(0, 1)
    batches: Any = module.train_dataloader().dataset
    for iteration in range(100):
        rows = batches._rows(iteration)
        partners = batches.partners.draw(rows, lambda stream, i=iteration: batches._uniform(stream, i))
        assert (module.arrays.alike_N[rows] != module.arrays.alike_N[partners]).all()
