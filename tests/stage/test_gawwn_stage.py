"""GAWWN's stages: losses at zero logits, what is drawn where, what is refused, and what the part generator completes."""

from dataclasses import replace

import pytest
import torch
from tiny_gawwn import KINDS, PARTS, completing, located, placed_batches
from tiny_stages import BATCH, TEXT, fit, state
from torch import Tensor, nn

from stackgan.core.errors import UserError
from stackgan.stage.gawwn import Gawwn
from stackgan.stage.gawwn_part_generator import PartGeneratorStage


def silenced(stage: Gawwn | PartGeneratorStage) -> None:
    """All logits 0."""
    for parameter in stage.discriminator.logit[-1].parameters():  # type: ignore[index,union-attr]
        nn.init.zeros_(parameter)


@pytest.mark.parametrize("kind", [*KINDS, "part_generator"])
def test_losses_at_zero_logits(kind: str) -> None:
    """2 ln 2 and ln 2; with the mismatched pairs' half or without."""
    stage: Gawwn | PartGeneratorStage = completing() if kind == "part_generator" else located(kind)
    silenced(stage)
    (batch,) = placed_batches(stage, 1)
    fakes = stage.draw_fakes(batch, "discriminator")
    terms = stage.discriminator_terms(batch, fakes.detach())
    assert sum(term.item() for term in terms.values()) == pytest.approx(1.3863, abs=5e-5)
    assert ("mismatched_conditional" in terms) == isinstance(stage, Gawwn)
    drawn = stage.generator_terms(batch, fakes)
    assert {name: round(term.item(), 4) for name, term in drawn.items()} == {"adversarial_conditional": 0.6931}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("recipe", ["gawwn", "modern"])
def test_two_steps_change_both_players_and_stay_finite(kind: str, recipe: str) -> None:
    """With a box that has no area, and R1 through the spatial transformer (modern)."""
    stage = located(kind, f"stage/recipe={recipe}")
    before = state(stage)
    fit(stage, placed_batches(stage, 2))
    moved = {name.partition(".")[0] for name, value in stage.state_dict().items() if not torch.equal(value, before[name])}
    assert moved >= {"generator", "discriminator"}
    assert all(value.isfinite().all() for value in stage.state_dict().values())
    assert stage.images_seen == 2 * BATCH


@pytest.mark.parametrize("kind", KINDS)
def test_the_mismatched_sentence_comes_to_the_picture_s_own_place(kind: str) -> None:
    stage = located(kind, "stage/recipe=modern")
    (batch,) = placed_batches(stage, 1)
    fakes = stage.draw_fakes(batch, "discriminator")
    own, other = stage.given(batch, fakes), stage.other_given(batch, fakes)
    assert torch.equal(own.place, batch.extras[kind])
    assert torch.equal(other.place, batch.extras[kind])
    assert batch.mismatched_text_BT is not None
    assert torch.equal(own.text_BT, batch.text_BT)
    assert torch.equal(other.text_BT, batch.mismatched_text_BT)


def place(kind: str, rows: int) -> Tensor:
    return torch.tensor([0.2, 0.3, 0.4, 0.5]).expand(rows, -1) if kind == "box" else torch.rand(rows, PARTS, 3).round(decimals=2)


@pytest.mark.parametrize("kind", KINDS)
def test_sentence_key_and_place_decide_a_picture(kind: str) -> None:
    stage = located(kind)
    text, key, at = torch.randn(3, TEXT), torch.tensor([3, 5, 7]), {kind: place(kind, 3)}
    drawn = stage.sample(text, key, extras=at).x_BCHW
    assert drawn.shape == (3, 3, 128, 128)
    alone = stage.sample(text[1:2], key[1:2], extras={kind: at[kind][1:2]}).x_BCHW
    assert torch.allclose(alone[0], drawn[1], atol=1e-5)
    elsewhere = at[kind].clone()
    elsewhere[..., 0] = 0.7
    assert not torch.allclose(stage.sample(text, key, extras={kind: elsewhere}).x_BCHW, drawn, atol=1e-6)
    noise = torch.randn(3, 6)
    styled = stage.sample(text, key, extras={**at, "noise": noise}).x_BCHW
    assert torch.equal(styled, stage.sample(text, key + 1, extras={**at, "noise": noise}).x_BCHW)
    assert not torch.equal(styled, drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_that_is_missing_or_of_another_shape_is_refused(kind: str) -> None:
    stage = located(kind)
    with pytest.raises(UserError, match=f"gawwn_{kind}: draws with a {kind}"):
        stage.sample(torch.randn(1, TEXT), torch.tensor([1]))
    with pytest.raises(UserError, match=rf"gawwn_{kind}: {kind} of shape \(2, 2\) for 1 pictures; give \(1, "):
        stage.sample(torch.randn(1, TEXT), torch.tensor([1]), extras={kind: torch.zeros(2, 2)})


@pytest.mark.parametrize("kind", KINDS)
def test_what_would_part_pictures_from_places_is_refused(kind: str) -> None:
    of = type(located(kind))
    good = {"augment_translation": 0.0, "mismatched_pair": "roll", "discriminator_norm": "batch", "batch_size": 6}
    assert of.objection({"recipe": good}, 2) is None
    assert "augment_translation=0.1: would move" in str(of.objection({"recipe": {**good, "augment_translation": 0.1}}, 1))
    assert "mismatched_pair=image: another" in str(of.objection({"recipe": {**good, "mismatched_pair": "image"}}, 1))
    assert "of each device needs two mismatched pairs, one fewer than pictures; set 9" in str(of.objection({"recipe": good}, 3))
    assert of.objection({"recipe": {**good, "discriminator_norm": "none"}}, 3) is None


def test_the_part_generator_refuses_what_belongs_to_pictures() -> None:
    good = {"mismatched_pair": "none", "r1_weight": 0.0, "augment_translation": 0.0, "augment_cutout": 0.0}
    node = {"name": "gawwn_part_generator", "recipe": good}
    assert PartGeneratorStage.objection(node, 1) is None
    for key, value in {"mismatched_pair": "roll", "r1_weight": 0.1, "augment_translation": 0.1, "augment_cutout": 0.5}.items():
        complaint = PartGeneratorStage.objection({**node, "recipe": {**good, key: value}}, 1)
        assert complaint is not None
        assert complaint.startswith(f"stage.recipe.{key}={value}: ")


def test_hidden_parts_are_the_share_asked_for() -> None:
    """All of them at 1, none at 0; both players' turns see what the generator was given and what it made of it."""
    for hidden in (0, 1):
        stage = completing(f"stage.hidden={hidden}")
        (batch,) = placed_batches(stage, 1)
        fakes, real = stage.draw_fakes(batch, "discriminator"), batch.extras["parts"]
        seen = real[..., 2] > 0
        assert torch.equal(fakes[seen], real[seen]) == (hidden == 0)


def test_completing_keeps_what_is_given_and_depends_on_its_key() -> None:
    stage = completing("stage.recipe.average_decay=0.9")
    text, key = torch.randn(2, TEXT), torch.tensor([4, 9])
    given = torch.zeros(2, PARTS, 3)
    given[:, 0] = torch.tensor([0.25, 0.5, 1.0])
    before = state(stage)
    found = stage.complete(text, given, key)
    assert found.shape == (2, PARTS, 3)
    assert torch.equal(found[:, 0], given[:, 0])
    assert set(found[..., 2].unique().tolist()) <= {0.0, 1.0}
    assert ((found[..., :2] >= 0) & (found[..., :2] <= 1)).all()
    assert torch.allclose(stage.complete(text[1:], given[1:], key[1:]), found[1:], atol=1e-6)
    assert not torch.equal(stage.complete(text, given, key + 1), found)
    assert all(torch.equal(value, before[name]) for name, value in stage.state_dict().items())
    with pytest.raises(UserError, match=r"parts of shape \(2, 2, 3\) for 2 sentences; give \(2, 3, 3\)"):
        stage.complete(text, given[:, :2], key)


def test_parts_that_are_found_invisible_are_nowhere() -> None:
    stage = completing()
    last = stage.generator.place[-1][0]  # type: ignore[index]
    with torch.no_grad():
        last.weight.zero_()  # type: ignore[union-attr]
        last.bias.copy_(torch.tensor([0.0, 0.0, -3.0, 0.0, 0.0, -2.0, 1.0, 1.0, 3.0]))  # type: ignore[union-attr,operator]
    found = stage.complete(torch.randn(1, TEXT), torch.zeros(1, PARTS, 3), torch.tensor([0]))
    # sigmoid(-3) is 0.047, sigmoid(-2) 0.119: the published limit of 0.1 lies between.
    assert found[0, 0].tolist() == [0, 0, 0]
    assert found[0, 1].tolist() == [0.5, 0.5, 1]
    assert found[0, 2, 2] == 1


def test_the_part_generator_reads_no_pictures() -> None:
    stages = completing(), completing()
    (batch,) = placed_batches(stages[0], 1)
    other = replace(batch, real_BCHW=255 - batch.real_BCHW)
    one, two = (state(fit(stage, [each])) for stage, each in zip(stages, (batch, other), strict=True))
    assert all(torch.equal(value, two[name]) for name, value in one.items())
