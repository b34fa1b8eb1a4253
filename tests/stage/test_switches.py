"""Every switch of a recipe does what conf/stage/recipe/_base.yaml says, and every one of them does something."""

import copy
import dataclasses
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback
from tiny_stages import BATCH, TEXT, batches, batches_for, fit, settings, state, tiny
from torch import Tensor
from torch.nn import functional as F

from stackgan.core.pixels import to_unit_range
from stackgan.core.shapes import Batch
from stackgan.stage.recipe import Recipe
from stackgan.stage.stacked import Fakes, Stacked
from stackgan.stage.stackgan import StackGAN

Terms = dict[str, Tensor]


def turns(stage: StackGAN, batch: Batch) -> tuple[Fakes, Terms, Terms]:
    """Fakes and both players' terms, without a step."""
    fakes = stage.draw_fakes(batch, "discriminator")
    return fakes, stage.discriminator_terms(batch, fakes.detach()), stage.generator_terms(batch, fakes)


def first_turns(*words: str, stage: str = "stage1") -> tuple[StackGAN, Batch, Fakes, Terms, Terms]:
    made = tiny(*words, stage=stage)
    (batch,) = batches_for(made, 1)
    return made, batch, *turns(made, batch)


# --- conditioning augmentation


def test_kl_weight_and_reduction() -> None:
    _, _, fakes, _, two = first_turns()
    assert two["kl"] > 0
    _, _, _, _, none = first_turns("stage.recipe.kl_weight=0")
    assert none["kl"] == 0
    _, _, _, _, three = first_turns("stage.recipe.kl_weight=3")
    assert three["kl"].item() == pytest.approx(1.5 * two["kl"].item())
    _, _, _, _, summed = first_turns("stage.recipe.kl_weight=1", "stage.recipe.kl_reduction=sum")
    assert summed["kl"].item() == pytest.approx(two["kl"].item() / 2 * fakes.condition.mean_BK.shape[1])


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_without_conditioning_augmentation_the_condition_is_its_mean(stage: str) -> None:
    made, batch, fakes, _, terms = first_turns("stage.conditioning_augmentation=false", stage=stage)
    assert "kl" not in terms
    assert torch.equal(fakes.condition.sample_BK, fakes.condition.mean_BK)
    other = made.generator.condition(batch.text_BT, torch.randn_like(fakes.condition.mean_BK))
    assert torch.equal(other.sample_BK, fakes.condition.sample_BK)
    _, _, drawn, _, with_kl = first_turns(stage=stage)
    assert "kl" in with_kl
    assert not torch.equal(drawn.condition.sample_BK, drawn.condition.mean_BK)


@pytest.mark.parametrize(
    ("kind", "lowest"), [("leaky_relu", lambda x: F.leaky_relu(x, 0.2)), ("relu", F.relu), ("none", lambda x: x)]
)
def test_condition_activation(kind: str, lowest: Any) -> None:
    made, batch, fakes, _, _ = first_turns(f"stage.recipe.condition_activation={kind}")
    linear = made.generator.network.augmentation.linear
    mean_BK, log_sigma_BK = lowest(linear(batch.text_BT)).chunk(2, dim=1)
    assert torch.allclose(fakes.condition.mean_BK, mean_BK)
    assert torch.allclose(fakes.condition.log_sigma_BK, log_sigma_BK)


def test_sigma_parametrisation_halves_the_logarithm() -> None:
    _, _, sigma, _, _ = first_turns()
    _, _, variance, _, _ = first_turns("stage.recipe.sigma_parametrisation=log_variance")
    assert torch.allclose(variance.condition.log_sigma_BK, 0.5 * sigma.condition.log_sigma_BK)


def test_epsilon_truncated() -> None:
    def largest(flag: str) -> float:
        stage = tiny(f"stage.recipe.epsilon_truncated={flag}")
        return max(float(stage.normal(str(i), 400, stage.recipe.epsilon_truncated).abs().max()) for i in range(4))

    assert largest("true") <= 2 < largest("false")


def test_epsilon_at_test() -> None:
    text, key = torch.randn(3, TEXT), torch.tensor([5, 6, 7])
    zero = tiny("stage.recipe.epsilon_at_test=zero").eval()
    drawn = zero.sample(text, key)
    draws = zero.sample_draws(key, None, {})
    assert not draws.epsilon_BK.any()
    assert draws.noise_BZ.std() > 0.5
    with torch.no_grad():
        assert torch.equal(drawn.x_BCHW, zero.generator(text, draws).x_BCHW)
        condition = zero.generator.condition(text, draws.epsilon_BK)
    assert torch.equal(condition.sample_BK, condition.mean_BK)
    sampled = tiny("stage.recipe.epsilon_at_test=sampled")
    sampled.load_state_dict(zero.state_dict())
    assert not torch.equal(sampled.sample(text, key).x_BCHW, drawn.x_BCHW)


# --- reading the sentence twice


def test_without_text_twice_only_the_discriminator_reads_the_sentence_again() -> None:
    made, batch, fakes, terms, for_generator = first_turns("stage.text_twice=false", stage="stage2")
    assert isinstance(made.generator, Stacked)
    assert "kl" not in for_generator
    first_BCHW, epsilon = fakes.first_BCHW, torch.randn(BATCH, 8)
    assert first_BCHW is not None
    again = made.generator.network(first_BCHW, torch.randn_like(batch.text_BT), epsilon)
    assert torch.equal(again.x_BCHW, made.generator.network(first_BCHW, batch.text_BT, 0 * epsilon).x_BCHW)
    others = dataclasses.replace(batch, text_BT=torch.randn_like(batch.text_BT))
    assert made.discriminator_terms(others, fakes.detach())["real_conditional"] != terms["real_conditional"]


def test_with_text_twice_stage_two_reads_the_sentence() -> None:
    made, batch, fakes, _, for_generator = first_turns(stage="stage2")
    assert "kl" in for_generator
    network, epsilon = made.generator.network, torch.zeros(BATCH, 8)
    other = network(fakes.first_BCHW, torch.randn_like(batch.text_BT), epsilon)  # type: ignore[call-arg]
    assert not torch.equal(other.x_BCHW, network(fakes.first_BCHW, batch.text_BT, epsilon).x_BCHW)  # type: ignore[call-arg]


# --- mismatched pairs


def test_mismatched_image_is_another_picture_with_this_sentence() -> None:
    made, batch, _, terms, _ = first_turns()
    assert batch.mismatched_BCHW is not None
    logit_B = made.discriminator(to_unit_range(batch.mismatched_BCHW), batch.text_BT)["conditional"]
    assert terms["mismatched_conditional"].item() == pytest.approx(F.softplus(logit_B).mean().item() / 2, rel=1e-5)


@pytest.mark.parametrize("network", ["paper", "pytorch"])
def test_mismatched_sentence_is_this_picture_with_another_sentence(network: str) -> None:
    made, batch, fakes, terms, _ = first_turns("stage.recipe.mismatched_pair=sentence", f"stage/network={network}")
    assert batch.mismatched_text_BT is not None
    wrong = batch.mismatched_text_BT
    if network == "pytorch":  # whose D reads the mean of G's condition
        wrong = made.generator.condition(wrong, torch.zeros_like(fakes.condition.mean_BK)).mean_BK
    logit_B = made.discriminator(to_unit_range(batch.real_BCHW), wrong)["conditional"]
    assert terms["mismatched_conditional"].item() == pytest.approx(F.softplus(logit_B).mean().item() / 2, rel=1e-5)


def test_mismatched_roll_shifts_the_batch_by_one() -> None:
    made, batch, _, terms, _ = first_turns("stage.recipe.mismatched_pair=roll")
    # With batch norm in D's encoder the pictures have to be read together.
    features = made.discriminator.features(to_unit_range(batch.real_BCHW))
    logit_B = made.discriminator.conditional(features[:3], batch.text_BT[1:])
    assert terms["mismatched_conditional"].item() == pytest.approx(F.softplus(logit_B).mean().item() / 2, rel=1e-5)


def test_balance_heads_gives_each_head_equal_sides() -> None:
    words = ("stage/network=pytorch", "stage.recipe.mismatched_pair=sentence")
    _, _, _, code, _ = first_turns(*words, stage="stage2")
    _, _, _, balanced, _ = first_turns(*words, "stage.recipe.balance_heads=true", stage="stage2")
    factors = {name: balanced[name].item() / code[name].item() for name in code}
    assert factors == pytest.approx(
        {
            "real_conditional": 1,
            "real_unconditional": 1,
            "mismatched_conditional": 3 / 4,
            "fake_conditional": 3 / 4,
            "fake_unconditional": 3 / 2,
        },
        rel=1e-4,
    )


def test_without_mismatched_pairs_fakes_count_in_full() -> None:
    _, _, _, terms, _ = first_turns("stage.recipe.mismatched_pair=none")
    assert set(terms) == {"real_conditional", "fake_conditional"}
    _, _, _, half, _ = first_turns()
    assert terms["fake_conditional"].item() == pytest.approx(2 * half["fake_conditional"].item(), rel=1e-4)


def test_the_data_averages_captions_and_draws_the_partner() -> None:
    assert settings()["data"]["captions_averaged"] == 4
    changed = settings("stage.recipe.captions_averaged=2", "stage.recipe.mismatched_pair=sentence")
    assert (changed["data"]["captions_averaged"], changed["data"]["mismatched"]) == (2, "sentence")


# --- losses and turns


def test_generator_loss_forms() -> None:
    found = {}
    for kind in ("non_saturating", "saturating"):
        made, batch, fakes, _, terms = first_turns(f"stage.recipe.generator_loss={kind}")
        logit_B = made.discriminator(fakes.x_BCHW, batch.text_BT)["conditional"]
        found[kind] = terms["adversarial_conditional"].item()
        wanted = F.softplus(-logit_B) if kind == "non_saturating" else -F.softplus(logit_B)
        assert found[kind] == pytest.approx(wanted.mean().item(), rel=1e-5)
    assert found["saturating"] < 0 < found["non_saturating"]


@pytest.mark.parametrize("redraw", [True, False])
def test_redraw_noise(redraw: bool) -> None:
    made = tiny(f"stage.recipe.redraw_noise={str(redraw).lower()}")
    seen: list[str] = []
    draw = made.draw_fakes

    def listening(batch: Batch, stream: str) -> Fakes:
        seen.append(stream)
        return draw(batch, stream)

    made.draw_fakes = listening  # type: ignore[method-assign]
    fit(made, batches(1))
    assert seen == (["discriminator", "generator"] if redraw else ["discriminator"])


def test_both_streams_differ_and_so_do_iterations() -> None:
    made = tiny()
    first = made.normal("discriminator/noise", 6)
    assert torch.equal(first, made.normal("discriminator/noise", 6))
    assert not torch.equal(first, made.normal("generator/noise", 6))
    made.images_seen = BATCH
    assert not torch.equal(first, made.normal("discriminator/noise", 6))


def test_r1_comes_every_so_many_iterations() -> None:
    made = tiny("stage/network=light", "stage/recipe=modern", "stage.recipe.r1_every=2")
    (batch,) = batches_for(made, 1)
    present = []
    for iteration in range(4):
        made.images_seen = iteration * BATCH
        present.append("r1" in turns(made, batch)[1])
    assert present == [True, False, True, False]


# --- Stage-II's Stage-I


def first_moves(*words: str) -> tuple[float, float, bool]:
    """The largest step of Stage-I's weights and of Stage-II's own in one iteration; whether running statistics moved."""
    made = tiny(*words, stage="stage2")
    assert isinstance(made.generator, Stacked)
    before = copy.deepcopy(made.generator)
    fit(made, batches_for(made, 1))

    def largest(part: str) -> float:
        pairs = zip(getattr(before, part).parameters(), getattr(made.generator, part).parameters(), strict=True)
        return max((a - b).abs().max().item() for a, b in pairs)

    buffers = zip(before.first.buffers(), made.generator.first.buffers(), strict=True)
    return largest("first"), largest("network"), any(not torch.equal(a, b) for a, b in buffers)


def test_a_frozen_stage_one_does_not_move() -> None:
    first, own, statistics = first_moves()
    assert (first, statistics) == (0, True)
    assert own == pytest.approx(2e-4, rel=1e-3)


def test_a_trained_stage_one_moves_at_its_share_of_the_rate() -> None:
    first, own, _ = first_moves("stage.recipe.first_trained=true", "stage.recipe.first_lr_factor=0.25")
    # Adam's first step is as long as the learning rate.
    assert first == pytest.approx(0.25 * 2e-4, rel=1e-3)
    assert own == pytest.approx(2e-4, rel=1e-3)


def test_running_statistics_stay_where_they_are_used() -> None:
    first, _, statistics = first_moves("stage.recipe.first_norm=running")
    assert (first, statistics) == (0, False)


@pytest.mark.parametrize("norm", ["batch", "running"])
def test_the_mode_of_stage_one_does_not_depend_on_how_it_arrives(norm: Any) -> None:
    made = tiny(f"stage.recipe.first_norm={norm}", stage="stage2")
    assert isinstance(made.generator, Stacked)
    for arrives in (True, False):  # an averaged one arrives in evaluation mode
        stacked = Stacked(made.generator.first.train(arrives), made.generator.network, False, norm)
        assert stacked.first.training == (norm == "batch")
        assert not stacked.eval().first.training
        assert stacked.train().first.training == (norm == "batch")


# --- learning rates


def recipe_of(name: str, stage: str) -> Recipe:
    node = settings(f"stage/recipe={name}", stage=stage)["stage"]["recipe"]
    return Recipe(**{key: value for key, value in node.items() if key != "_target_"})


@pytest.mark.parametrize(
    ("name", "stage", "by_epoch"),
    [
        ("paper", "stage1", {0: 0, 49: 0, 50: 1, 99: 1, 100: 2, 550: 11, 599: 11}),
        # Epoch 0 is the code's 594; it halves at 700, 800, ... 1100.
        ("paper", "stage2", {0: 0, 5: 0, 6: 0, 105: 0, 106: 1, 205: 1, 206: 2, 506: 5, 605: 5}),
        ("pytorch", "stage1", {0: 0, 19: 0, 20: 1, 119: 5}),
        ("pytorch", "stage2", {0: 0, 19: 0, 20: 1, 99: 4}),
        ("modern", "stage1", {0: 0, 599: 0}),
    ],
)
def test_learning_rates_are_halved_when_the_code_does(name: str, stage: str, by_epoch: dict[int, int]) -> None:
    recipe = recipe_of(name, stage)
    assert {epoch: recipe.halvings(epoch) for epoch in by_epoch} == by_epoch


class Rates(Callback):
    """Both players' rates before each iteration."""

    def __init__(self) -> None:
        self.seen: list[list[float]] = []

    def on_train_batch_start(self, trainer: Any, *_: Any) -> None:
        self.seen.append([group["lr"] for optimizer in trainer.optimizers for group in optimizer.param_groups])


def test_rates_in_training() -> None:
    # Two iterations an epoch; epochs 0 and 1 at the full rate, then halved in each.
    made = tiny(
        "stage.recipe.lr_halve_every=1", "stage.recipe.lr_halve_offset=1", "stage.recipe.first_trained=true", stage="stage2"
    )
    rates = Rates()
    fit(made, batches_for(made, 7), rates)
    full = [2e-4, 2e-5, 2e-4]
    assert rates.seen == [pytest.approx([rate * factor for rate in full]) for factor in (1, 1, 1, 1, 0.5, 0.5, 0.25)]


# --- all of them

# switch: another value, and the words that make a base on which it acts.
ACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "batch_size": ("", ()),
    "generator_lr": ("1e-3", ()),
    "discriminator_lr": ("1e-3", ()),
    "beta1": ("0.9", ()),
    "beta2": ("0.9", ()),
    "epochs": ("7", ()),
    "lr_halve_every": ("1", ("stage.recipe.lr_halve_offset=0",)),
    "lr_halve_offset": ("0", ("stage.recipe.lr_halve_every=1", "stage.recipe.lr_halve_offset=9")),
    "discriminator_loss": ("hinge", ("stage.recipe.generator_loss=hinge",)),
    "generator_loss": ("saturating", ()),
    "balance_heads": ("true", ("stage/network=pytorch",)),
    "mismatched_pair": ("none", ()),
    "captions_averaged": ("1", ()),
    "redraw_noise": ("false", ()),
    "kl_weight": ("1.0", ()),
    "kl_reduction": ("sum", ()),
    "condition_activation": ("none", ()),
    "sigma_parametrisation": ("log_variance", ()),
    "epsilon_truncated": ("false", ()),
    "epsilon_at_test": ("zero", ()),
    "discriminator_norm": ("none", ()),
    "spectral_norm": ("true", ()),
    "average_decay": ("0.5", ()),
    "r1_weight": ("1.0", ("stage.recipe.discriminator_norm=none",)),
    "r1_every": ("1", ("stage.recipe.discriminator_norm=none", "stage.recipe.r1_weight=1.0")),
    "augment_translation": ("0.125", ()),
    "augment_cutout": ("0.5", ()),
    "first_trained": ("true", ()),
    "first_lr_factor": ("0.5", ("stage.recipe.first_trained=true",)),
    "first_norm": ("running", ()),
}
WITHOUT_EFFECT_HERE = {"epochs", "captions_averaged", "epsilon_at_test"}
"""The launcher, the data and sampling read these; they have tests of their own."""


def test_all_switches_are_listed() -> None:
    assert set(ACTS) == {field.name for field in dataclasses.fields(Recipe)} - {"name"}


@pytest.mark.slow
@pytest.mark.parametrize("switch", sorted(set(ACTS) - {"batch_size"}))
def test_a_switch_changes_training_and_the_same_words_do_not(switch: str) -> None:
    value, base = ACTS[switch]

    def trained(*words: str) -> dict[str, Tensor]:
        torch.manual_seed(0)
        made = tiny(*base, *words, stage="stage2")
        data = batches(4, 128, made.recipe.mismatched_pair if made.recipe.mismatched_pair != "none" else "image")
        fit(made, data)
        return state(made)

    plain, again, other = trained(), trained(), trained(f"stage.recipe.{switch}={value}")
    assert same(plain, again)
    assert same(plain, other) == (switch in WITHOUT_EFFECT_HERE)


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
