"""How many images a run is to see."""

import pytest

from stackgan.runs.budget import images_to_see


@pytest.mark.parametrize(("images", "epochs", "budget"), [(9, None, 12), (8, None, 8), (None, None, 2 * 8), (None, 3, 3 * 8)])
def test_budgets_are_whole_batches(images: int | None, epochs: int | None, budget: int) -> None:
    stage = {"images": images, "epochs": epochs, "recipe": {"batch_size": 4, "epochs": 2}}
    assert images_to_see({"stage": stage}, 11) == budget
