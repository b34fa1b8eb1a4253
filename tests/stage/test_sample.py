"""Sampling: a picture is a function of weights, sentence and key, and looking changes nothing."""

import pytest
import torch
from tiny_stages import TEXT, state, tiny

from stackgan.core.shapes import Walk
from stackgan.stage.stackgan import StackGAN

STAGES = [("stage1", "paper"), ("stage2", "paper"), ("stage1", "modern"), ("stage2", "modern")]


def built(stage: str, recipe: str, *words: str) -> StackGAN:
    return tiny(f"stage/recipe={recipe}", *words, stage=stage)


@pytest.mark.parametrize(("stage", "recipe"), STAGES)
def test_key_and_sentence_decide_whatever_is_drawn_beside(stage: str, recipe: str) -> None:
    made = built(stage, recipe)
    text, key = torch.randn(5, TEXT), torch.tensor([3, 900_000_000_007, 5, 3, 1])
    together = made.sample(text, key)
    assert together.x_BCHW.shape == (5, 3, made.resolution, made.resolution)
    assert together.x_BCHW.abs().max() <= 1
    assert (together.first_BCHW is not None) == (stage == "stage2")
    for row in (0, 1, 4):
        alone = made.sample(text[row : row + 1], key[row : row + 1]).x_BCHW
        assert torch.allclose(alone[0], together.x_BCHW[row], atol=1e-5)
    turned = made.sample(text.flip(0), key.flip(0)).x_BCHW.flip(0)
    assert torch.allclose(turned, together.x_BCHW, atol=1e-5)


@pytest.mark.parametrize(("stage", "recipe"), STAGES)
def test_other_key_other_picture_other_seed_the_same(stage: str, recipe: str) -> None:
    made, text = built(stage, recipe), torch.randn(1, TEXT)
    one, two = (made.sample(text, torch.tensor([key])).x_BCHW for key in (1, 2))
    assert not torch.equal(one, two)
    other = built(stage, recipe, "seed=99")
    other.load_state_dict(made.state_dict())
    other.images_seen = 400
    assert torch.equal(other.sample(text, torch.tensor([1])).x_BCHW, one)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("stage", "recipe"), STAGES)
def test_looking_changes_nothing(stage: str, recipe: str, training: bool) -> None:
    made = built(stage, recipe).train(training)
    modes = {name: module.training for name, module in made.named_modules()}
    before, chance = state(made), torch.get_rng_state()
    for weights in ("average", "live"):
        made.sample(torch.randn(3, TEXT, generator=torch.Generator().manual_seed(1)), torch.arange(3), weights)
    assert {name: module.training for name, module in made.named_modules()} == modes
    assert torch.equal(torch.get_rng_state(), chance)
    assert all(torch.equal(value, before[name]) for name, value in made.state_dict().items())
    assert made.images_seen == 0


def test_a_second_stage_stands_on_the_picture_its_first_draws_alone() -> None:
    key = torch.tensor([4, 8])
    one, two = built("stage1", "paper").sample_draws(key, None, {}), built("stage2", "paper").sample_draws(key, None, {})
    assert torch.equal(one.noise_BZ, two.noise_BZ)
    assert torch.equal(one.epsilon_BK, two.first_epsilon_BK)
    assert not torch.equal(two.epsilon_BK, two.first_epsilon_BK)


@pytest.mark.parametrize(("stage", "recipe"), STAGES)
def test_a_walk_leads_from_one_picture_to_another(stage: str, recipe: str) -> None:
    made = built(stage, recipe)
    text_BT, here_B, there_B = torch.randn(1, TEXT).expand(3, -1), torch.full((3,), 4), torch.full((3,), 9)
    start, middle, end = made.sample(text_BT, here_B, walk=Walk(there_B, torch.tensor([0.0, 0.5, 1.0]))).x_BCHW
    assert torch.allclose(start, made.sample(text_BT, here_B).x_BCHW[0], atol=1e-5)
    assert torch.allclose(end, made.sample(text_BT, there_B).x_BCHW[0], atol=1e-5)
    assert not torch.allclose(middle, start, atol=1e-5)
    assert not torch.allclose(middle, end, atol=1e-5)
