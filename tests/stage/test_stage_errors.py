"""A term that is not finite stops the run in one line, before it changes a weight."""

import pytest
import torch
from tiny_stages import batches, fit, state, tiny
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.core.shapes import Batch
from stackgan.stage.stacked import Fakes


def weights(state: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    """Trained weights alone: statistics of batch norm move with every forward pass."""
    return {name: value for name, value in state.items() if name.startswith(part) and "running" not in name and "num_b" not in name}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_discriminators_turn(value: float) -> None:
    stage = tiny()
    before, terms = state(stage), stage.discriminator_terms

    def broken(batch: Batch, fakes: Fakes) -> dict[str, Tensor]:
        found = terms(batch, fakes)
        return found | {"fake_conditional": found["fake_conditional"] * value}

    stage.discriminator_terms = broken  # type: ignore[method-assign]
    with pytest.raises(UserError) as caught:
        fit(stage, batches(1))
    line = str(caught.value)
    assert "\n" not in line
    for words in ("stage1", "discriminator's term fake_conditional", "at iteration 0", "stage.recipe.discriminator_lr", str(value)):
        assert words in line
    assert equal(weights(before, ""), state(stage))


def test_the_generators_turn_after_good_iterations() -> None:
    stage = tiny()
    snapshots: list[dict[str, Tensor]] = []
    terms = stage.generator_terms

    def broken(batch: Batch, fakes: Fakes) -> dict[str, Tensor]:
        snapshots.append(state(stage))
        found = terms(batch, fakes)
        return found | {"kl": found["kl"] + float("nan")} if stage.iteration == 2 else found

    stage.generator_terms = broken  # type: ignore[method-assign]
    with pytest.raises(UserError, match=r"stage1: the generator's term kl is nan at iteration 2 \(8 images seen\)"):
        fit(stage, batches(3))
    assert equal(weights(snapshots[-1], "generator"), state(stage))
    assert not equal(weights(snapshots[0], "generator"), state(stage))


def test_a_sentence_that_is_not_finite_names_every_bad_term() -> None:
    stage = tiny()
    batch = batches(1)[0]
    batch.text_BT[0, 0] = float("nan")
    before = state(stage)
    with pytest.raises(UserError, match="real_conditional and mismatched_conditional and fake_conditional is nan"):
        fit(stage, [batch])
    assert equal(weights(before, ""), state(stage))
