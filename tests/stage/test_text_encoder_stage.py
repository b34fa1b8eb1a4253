"""Training a text encoder: its steps are those of a loop written by hand, and what it leaves behind can be read."""

import copy
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_dir
from tiny_stages import fit

from stackgan.core.errors import UserError
from stackgan.core.shapes import Batch
from stackgan.launch import build, cli, schema
from stackgan.launch.places import CONF
from stackgan.stage.text_encoder import TextEncoderStage

B, F = 5, 6
FACTS = {"text_dim": 201, "feature_dim": F, "train_size": 50}


def settings(*words: str) -> dict[str, Any]:
    tiny = ["stage=text_encoder", "stage.encoder.network.dim=7", f"stage.recipe.batch_size={B}", "stage.recipe.lr_decay_every=2"]
    cli.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return schema.check(compose("train", [*tiny, *words]))


def built(*words: str, **facts: int) -> TextEncoderStage:
    stage = build.stage(settings(*words), FACTS | facts)
    assert isinstance(stage, TextEncoderStage)
    return stage


def batches(count: int, kind: torch.dtype = torch.float32) -> list[Batch]:
    chance = torch.Generator().manual_seed(5)
    return [
        Batch(
            i, torch.zeros(B, 3, 64, 64, dtype=torch.uint8), torch.randint(0, 71, (B, 201), generator=chance).float(),
            torch.arange(B), extras={"features": torch.rand(B, F, generator=chance, dtype=kind)},
        )
        for i in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("symmetric", [True, False])
def test_three_steps_are_plain_torchs(symmetric: bool) -> None:
    stage = built(f"stage.recipe.symmetric={symmetric}").double()
    text, picture = copy.deepcopy(stage.text), copy.deepcopy(stage.image_map)
    weights = [*text.parameters(), *picture.parameters()]
    square = [torch.zeros_like(weight) for weight in weights]
    mean_square = 1.0
    fit(stage, batches(3, torch.float64))
    for i, batch in enumerate(batches(3, torch.float64)):
        u, v = text(batch.text_BT), picture(batch.extras["features"])
        mean_square += (float(u.detach().square().mean()) - mean_square) / (i + 1)
        score = v @ u.T
        loss = sum((score[a, b] - score[a, a] + 1).clamp(min=0) for a in range(B) for b in range(B) if a != b) / B**2
        if symmetric:
            loss = loss + sum((score[b, a] - score[a, a] + 1).clamp(min=0) for a in range(B) for b in range(B) if a != b) / B**2
        gradients = torch.autograd.grad(loss, weights)
        rate = 7e-4 * 0.98 ** (i // 2)
        with torch.no_grad():
            for weight, gradient, average in zip(weights, gradients, square, strict=True):
                average.mul_(0.99).add_(0.01 * gradient**2)
                weight.sub_(rate * gradient / (average.sqrt() + 1e-8))
    for ours, theirs in zip([*stage.text.parameters(), *stage.image_map.parameters()], weights, strict=True):
        apart = (ours - theirs).detach().abs()
        # RMSprop's first steps are whole ones however small the gradient is. A last bias has none while all pairs are within the
        # margin (it cancels out), so that its steps follow rounding.
        if ours.dim() > 1:
            assert float(apart.max()) < 1e-6
    assert float(stage.mean_square) == pytest.approx(mean_square, rel=1e-3)
    assert stage.images_seen == 3 * B


def test_a_linear_map_learns_what_the_features_say() -> None:
    stage = built("stage/encoder=linear", "stage.encoder.network.dim=7", "text=hashing", "stage.recipe.lr=0.01", text_dim=4)
    chance = torch.Generator().manual_seed(0)
    rows = torch.randn(B, 4, generator=chance)
    features = rows @ torch.randn(4, F, generator=chance)
    pictures = torch.zeros(B, 3, 64, 64, dtype=torch.uint8)

    def agreement() -> float:
        score = stage.embed_pictures(features) @ stage.embed_text(rows).T
        return float((score.argmax(1) == torch.arange(B)).float().mean())

    fit(stage, [Batch(i, pictures, rows, torch.arange(B), extras={"features": features}) for i in range(150)])
    assert agreement() == 1.0


@pytest.mark.parametrize("optimiser", ["rmsprop", "adam"])
def test_a_device_that_one_waits_for_keeps_its_weights_too(optimiser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a GPU: fused Adam holds the step back by itself, RMSprop is asked at once."""
    monkeypatch.setattr(TextEncoderStage, "asking_waits", property(lambda stage: True))
    stage, sound = (built(f"stage.recipe.optimiser={optimiser}") for _ in range(2))
    broken = batches(2)
    broken[1].extras["features"][0, 0] = float("nan")  # type: ignore[index]
    fit(sound, batches(1))

    def train() -> None:
        fit(stage, broken)
        stage.check_finite()

    with pytest.raises(UserError, match=r"the encoder's term .* at iteration 1 .* a lower stage\.recipe\.lr or another seed"):
        train()
    for ours, theirs in zip(stage.weights(), sound.weights(), strict=True):
        assert torch.equal(ours, theirs)


def test_looking_changes_no_mode() -> None:
    stage = built().train()
    found = stage.embed_text(torch.zeros(300, 201))
    assert (found.shape, found.dtype, found.requires_grad) == ((300, 7), torch.float32, False)
    assert stage.text.training
