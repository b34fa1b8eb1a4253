"""The plain conditional GAN: Stage-I's networks without conditioning augmentation and without mismatched pairs, at any size."""

import pytest
import torch
from tiny_stages import TEXT, batches_for, settings, tiny

from stackgan.launch import build


@pytest.mark.parametrize(("resolution", "generator", "discriminator"), [(64, 14_264_192, 4_029_824), (256, 71_034_752, 4_152_704)])
def test_its_networks_are_stage_one_s(resolution: int, generator: int, discriminator: int) -> None:
    widths = [f"stage.network.stage1.{player}.width={width}" for player, width in (("generator", 128), ("discriminator", 64))]
    sizes = ("stage.network.condition_dim=128", "stage.network.noise_dim=100", f"stage.resolution={resolution}")
    config = settings(*sizes, *widths, stage="vanilla")
    with torch.device("meta"):
        stage = build.stage(config, {"text_dim": 1024, "train_size": 8})
    counts = [sum(weight.numel() for weight in player.parameters()) for player in (stage.generator, stage.discriminator)]
    assert counts == [generator, discriminator]


@pytest.mark.parametrize("words", [(), ("stage/network=light", "stage/recipe=modern")])
def test_only_real_and_drawn_pictures(words: tuple[str, ...]) -> None:
    stage = tiny(*words, stage="vanilla")
    (batch,) = batches_for(stage, 1)
    assert batch.mismatched_BCHW is None
    assert batch.mismatched_text_BT is None
    fakes = stage.draw_fakes(batch, "discriminator")
    assert set(stage.discriminator_terms(batch, fakes.detach())) - {"r1"} == {"real_conditional", "fake_conditional"}
    assert set(stage.generator_terms(batch, fakes)) == {"adversarial_conditional"}


def test_a_sentence_s_condition_is_not_drawn() -> None:
    stage = tiny(stage="vanilla")
    text, key = torch.randn(2, TEXT), torch.tensor([1, 2])
    draws = stage.sample_draws(key, None, {})
    condition = stage.generator(text, draws).condition
    assert torch.equal(condition.sample_BK, condition.mean_BK)


def test_the_pytorch_recipe_reads_the_mean() -> None:
    """Its D reads G's condition: which it has without augmentation too."""
    stage = tiny("stage/network=pytorch", "stage/recipe=pytorch", stage="vanilla")
    (batch,) = batches_for(stage, 1)
    fakes = stage.draw_fakes(batch, "discriminator")
    assert torch.equal(stage.given(batch, fakes), fakes.condition.mean_BK)
