"""The averaged generator by hand, and that it is what is drawn."""

import pytest
import torch
from tiny_stages import TEXT, batches_for, fit, state, tiny
from torch import nn

from stackgan.stage.average import frozen_copy, move_towards, warmed_up


def test_by_hand() -> None:
    live = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    average = frozen_copy(live)
    with torch.no_grad():
        live[0].weight.fill_(3.0)
        average[0].weight.fill_(1.0)
        live[1].running_mean.fill_(7.0)  # type: ignore[union-attr, operator]
        live[1].num_batches_tracked.fill_(5)  # type: ignore[union-attr, operator]
    move_towards(average, live, 0.75)
    assert average[0].weight.item() == pytest.approx(1.5)
    assert average[1].running_mean.item() == 7.0  # type: ignore[union-attr, operator]
    assert average[1].num_batches_tracked.item() == 5  # type: ignore[union-attr, operator]
    assert live[0].weight.item() == 3.0


def test_the_copy_is_apart_and_frozen() -> None:
    live = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).train()
    average = frozen_copy(live)
    assert not average.training
    assert not any(parameter.requires_grad for parameter in average.parameters())
    assert live.training
    assert all(parameter.requires_grad for parameter in live.parameters())


def test_warm_up() -> None:
    assert [warmed_up(0.999, i) for i in (0, 1, 8)] == pytest.approx([0.1, 2 / 11, 0.5])
    assert warmed_up(0.999, 8_989) < 0.999 == warmed_up(0.999, 8_992)
    assert warmed_up(0.3, 100) == 0.3


def test_in_training_it_follows_and_is_what_is_drawn() -> None:
    stage = tiny("stage.recipe.average_decay=0.999")
    assert stage.average is not None
    before = state(stage.average)
    fit(stage, batches_for(stage, 1))
    live, average = stage.generator.state_dict(), stage.average.state_dict()
    for name, value in average.items():
        wanted = live[name] if "running" in name or "num_b" in name else 0.1 * before[name] + 0.9 * live[name]
        assert torch.allclose(value, wanted, atol=1e-7), name
    text, key = torch.randn(2, TEXT), torch.tensor([1, 2])
    drawn, from_live = stage.sample(text, key).x_BCHW, stage.sample(text, key, "live").x_BCHW
    assert not torch.equal(drawn, from_live)
    with torch.no_grad():
        assert torch.equal(drawn, stage.average(text, stage.sample_draws(key, None, {})).x_BCHW)
    assert not any(name.startswith("average") for name in tiny().state_dict())
