"""A term that is not finite stops the run in one line, before it changes a weight."""

import pytest
import torch
from tiny_stages import batches, fit, state, tiny
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.core.shapes import Batch
from stackgan.stage import base
from stackgan.stage.stacked import Fakes
from stackgan.stage.stackgan import StackGAN


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


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_where_asking_means_waiting_no_weight_changes_and_the_complaint_comes_later(
    player: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU: the step that must not be taken is left out on the device, and the host learns of it before a checkpoint."""
    monkeypatch.setattr(StackGAN, "asking_waits", property(lambda stage: True))
    stage, sound = tiny(), tiny()
    terms = getattr(stage, f"{player}_terms")

    def broken(batch: Batch, fakes: Fakes) -> dict[str, Tensor]:
        found = terms(batch, fakes)
        return {name: term * float("inf") for name, term in found.items()} if stage.iteration == 1 else found

    setattr(stage, f"{player}_terms", broken)
    fit(stage, batches(2))
    fit(sound, batches(1))
    kept, other = f"{player}.", "generator." if player == "discriminator" else "discriminator."
    assert equal(weights(state(sound), kept), state(stage))
    assert not equal(weights(state(sound), other), state(stage))
    with pytest.raises(UserError, match=rf"stage1: the {player}'s term .* at iteration 1 \(4 images seen\)"):
        stage.check_finite()
    stage.check_finite()  # said once


def test_the_later_complaint_comes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StackGAN, "asking_waits", property(lambda stage: True))
    monkeypatch.setattr(base, "CHECK_EVERY", 2)
    stage = tiny()
    broken = batches(4)
    broken[0].text_BT[0, 0] = float("nan")
    with pytest.raises(UserError, match=r"discriminator's term .* at iteration 0"):
        fit(stage, broken)
    assert stage.iteration == 2  # CHECK_EVERY iterations later


def test_weights_that_are_not_finite_are_not_given_to_a_checkpoint() -> None:
    stage = fit(tiny(), batches(1))
    name, weight = next(iter(stage.generator.named_parameters()))
    with torch.no_grad():
        weight[0] = float("inf")
    with pytest.raises(UserError, match=f"stage1: the weight generator.{name} is not finite after 4 images, and is not saved"):
        stage.run_state()


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_a_finite_loss_with_a_gradient_that_is_not(player: str) -> None:
    """The root of 0 is 0, and its slope is infinite."""
    stage, sound = tiny(), tiny()
    terms = getattr(stage, f"{player}_terms")

    def broken(batch: Batch, fakes: Fakes) -> dict[str, Tensor]:
        found = terms(batch, fakes)
        return found | {"root": sum(found.values()).mul(0).sqrt()} if stage.iteration == 1 else found  # type: ignore[union-attr]

    setattr(stage, f"{player}_terms", broken)
    with pytest.raises(UserError, match=rf"stage1: the {player}'s gradient is nan at iteration 1 \(4 images seen\)"):
        fit(stage, batches(2))
    fit(sound, batches(1))
    assert equal(weights(state(sound), f"{player}."), state(stage))
