"""Training a style encoder: its steps are those of a loop written by hand, and the generator under it never moves."""

import copy
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from tiny_stages import BATCH, EPOCH_IMAGES, SEED, TEXT, batches, fit, state, tiny

from stackgan.core import chance
from stackgan.launch import build, cli, schema
from stackgan.launch.places import CONF
from stackgan.stage.style_encoder import StyleEncoderStage

WORDS = ("stage=style_encoder", "stage/network=light", "stage.style.network.width=4", f"stage.recipe.batch_size={BATCH}")


def settings(*words: str) -> dict[str, Any]:
    OmegaConf.register_new_resolver("by_stage", cli.by_stage, replace=True)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return schema.check(compose("train", [*WORDS, f"seed={SEED}", *words]))


def built(*words: str, stage: str = "stage1") -> StyleEncoderStage:
    generator = tiny(stage=stage)
    generator.discriminator = torch.nn.Identity()
    facts = {"text_dim": TEXT, "train_size": EPOCH_IMAGES}
    made = build.stage(settings(f"stage.resolution={generator.resolution}", *words), facts, generator)
    assert isinstance(made, StyleEncoderStage)
    return made


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_three_steps_are_plain_torchs(stage: str) -> None:
    made = built(stage=stage)
    encoder, generator = copy.deepcopy(made.encoder), copy.deepcopy(made.generator)
    before = state(made.generator)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=2e-4, betas=(0.5, 0.999), fused=True)
    for i, batch in enumerate(batches(3)):
        noise = torch.randn(BATCH, 6, generator=chance.generator(SEED, "style/noise", i))
        keys = torch.randint(2**62, (BATCH,), generator=chance.generator(SEED, "style/key", i))
        draws = generator.sample_draws(keys, None, {"noise": noise})
        with torch.no_grad():
            drawn = generator.eval().generator(batch.text_BT, draws).x_BCHW
        loss = (encoder(drawn) - noise).square().sum() / (BATCH * 6)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    fit(made, batches(3))
    torch.testing.assert_close(made.terms["encoder/noise"], loss.detach())
    torch.testing.assert_close(dict(made.encoder.state_dict()), dict(encoder.state_dict()))
    after = state(made.generator)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert made.images_seen == 3 * BATCH


def test_an_encoder_that_says_nothing_has_a_loss_of_one() -> None:
    made = built(f"stage.recipe.batch_size={64 * BATCH}")
    torch.nn.init.zeros_(made.encoder.head.weight)
    (batch,) = batches(1)
    many = type(batch)(0, batch.real_BCHW, batch.text_BT.repeat(64, 1), batch.key_B)
    assert float(made.loss_terms(many)["noise"].detach()) == pytest.approx(1, abs=0.15)


def test_it_draws_as_the_generator_and_its_style_takes_the_noise_s_place() -> None:
    made = built()
    (batch,) = batches(1)
    key_B = torch.arange(BATCH)
    drawn = made.sample(batch.text_BT, key_B).x_BCHW
    assert torch.equal(drawn, made.generator.sample(batch.text_BT, key_B).x_BCHW)
    style_NZ = made.invert(batch.real_BCHW)
    assert style_NZ.shape == (BATCH, 6)
    assert made.encoder.training
    assert not made.generator.training
    styled = made.sample(batch.text_BT, key_B, extras={"noise": style_NZ}).x_BCHW
    assert not torch.equal(styled, drawn)
    assert torch.equal(styled, made.sample(batch.text_BT, key_B, extras={"noise": style_NZ}).x_BCHW)
    # Pictures are read one by one: batch norm's statistics are those of training.
    torch.testing.assert_close(made.invert(batch.real_BCHW[:1]), style_NZ[:1])
    assert made.invert(batch.real_BCHW[:0]).shape == (0, 6)


def test_a_style_is_standardised_unless_the_recipe_says_as_published() -> None:
    made, published = built(), built("stage.recipe.standardised=false")
    fit(made, batches(3))
    published.load_state_dict(made.state_dict())
    real_BCHW = batches(1)[0].real_BCHW
    read_NZ = made.read(real_BCHW)
    assert torch.equal(published.invert(real_BCHW), read_NZ)
    assert torch.equal(published.read(real_BCHW), read_NZ)
    spread = made.encoder.spread
    assert int(spread.num_batches_tracked) == 3
    expected_NZ = (read_NZ - spread.running_mean) / (spread.running_var + spread.eps).sqrt()
    expected_NZ *= 6**0.5 / expected_NZ.norm(dim=1, keepdim=True)
    torch.testing.assert_close(made.invert(real_BCHW), expected_NZ)
    assert not torch.allclose(expected_NZ, read_NZ)
