"""GAN-CLS's family: which pictures and sentences enter which loss, with which weight."""

from typing import Any

import pytest
import torch
from tiny_stages import BATCH, TEXT, batches_for, tiny_reed
from torch import Tensor
from torch.nn.functional import softplus

from stackgan.core.errors import UserError
from stackgan.stage.base import Stage
from stackgan.stage.reed import GanCls

LN2 = 0.693147
FAMILY = ("gan_cls", "gan_int", "gan_int_cls")
MODERN = ("stage/network=light", "stage/recipe=modern")


def terms(stage: GanCls) -> tuple[dict[str, float], dict[str, float]]:
    """Of D's and of G's turn of one iteration, as the recipe takes them."""
    (batch,) = batches_for(stage, 1)
    fakes = stage.draw_fakes(batch, "discriminator")
    for_d = stage.discriminator_terms(batch, fakes.detach())
    if stage.recipe.redraw_noise:
        fakes = stage.draw_fakes(batch, "generator")
    for_g = stage.generator_terms(batch, fakes)
    return {name: term.item() for name, term in for_d.items()}, {name: term.item() for name, term in for_g.items()}


@pytest.mark.parametrize(
    ("name", "mismatched", "interpolated"), [("gan_cls", True, False), ("gan_int", False, True), ("gan_int_cls", True, True)]
)
def test_published_constants_and_what_each_is_made_of(name: str, mismatched: bool, interpolated: bool) -> None:
    stage = tiny_reed(stage=name)
    for parameter in stage.discriminator.conditional_head.logit.parameters():
        torch.nn.init.zeros_(parameter)
    for_d, for_g = terms(stage)
    wanted = {"real_conditional": LN2, "fake_conditional": LN2 / 2 if mismatched else LN2}
    assert for_d == pytest.approx(wanted | ({"mismatched_conditional": LN2 / 2} if mismatched else {}), abs=1e-5)
    whole = {"adversarial_conditional": LN2}
    shared = {"adversarial_conditional": LN2 * 2 / 3, "interpolated_conditional": LN2 / 3}
    assert for_g == pytest.approx(shared if interpolated else whole, abs=1e-5)


@pytest.mark.parametrize("weight", [0.25, 1.0])
def test_g_minds_the_mean_over_all_it_drew(weight: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Logits 0..3 for the batch, 4 and 5 for what was interpolated: six numbers, the last two by weight."""
    stage = tiny_reed(f"stage.interpolation_weight={weight}")
    (batch,) = batches_for(stage, 1)
    fakes = stage.draw_fakes(batch, "generator")
    monkeypatch.setattr(stage, "logits", lambda features, given: {"conditional": torch.arange(float(len(given)))})
    found = stage.generator_terms(batch, fakes)
    of = softplus(-torch.arange(6.0))
    assert found["adversarial_conditional"].item() == pytest.approx(of[:4].sum().item() / 6)
    assert found["interpolated_conditional"].item() == pytest.approx(weight * of[4:].sum().item() / 6)


def seen_by(module: Any, monkeypatch: pytest.MonkeyPatch, method: str) -> list[int]:
    """Rows of each call's first argument."""
    counts: list[int] = []
    inner = getattr(module, method)

    def counted(value: Tensor, *words: Any) -> Any:
        counts.append(len(value))
        return inner(value, *words)

    monkeypatch.setattr(module, method, counted)
    return counts


@pytest.mark.parametrize("words", [(), MODERN])
@pytest.mark.parametrize("name", FAMILY)
def test_batches_of_g_and_d(name: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Interpolated sentences share G's pass, and so its batch norm; D's turn never sees what they became."""
    stage = tiny_reed(*words, "stage.recipe.r1_weight=0", stage=name)
    by_g, by_d = seen_by(stage.generator, monkeypatch, "forward"), seen_by(stage.discriminator, monkeypatch, "features")
    terms(stage)
    more = 0 if name == "gan_cls" else BATCH // 2
    other = 1 if name != "gan_int" and not words else 0  # another class's picture; the modern recipe pairs features again
    assert by_g == ([BATCH + more] if words else [BATCH, BATCH + more])
    assert by_d == [BATCH] * (2 + other) + [BATCH + more]


def test_beta_is_the_first_ones_share() -> None:
    text = torch.arange(4.0)[:, None].expand(4, TEXT)
    assert tiny_reed("stage.interpolation_beta=0.5").between(text)[:, 0].tolist() == [1.0, 2.0]
    assert tiny_reed("stage.interpolation_beta=0.75").between(text)[:, 0].tolist() == [0.5, 1.5]
    assert tiny_reed("stage.interpolation_beta=1").between(text)[:, 0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("world", [2, 4])
def test_ranks_pair_what_one_rank_pairs(world: int) -> None:
    """Strided rows, an even share each: the pairs i and i + B/2 of the global batch."""
    stage, text = tiny_reed(), torch.randn(16, TEXT)
    shares = torch.stack([stage.between(text[rank::world]) for rank in range(world)], dim=1).flatten(0, 1)
    assert torch.equal(shares, stage.between(text))


@pytest.mark.parametrize(
    ("batch_size", "ranks", "weight", "fine"),
    [(6, 1, 1.0, True), (5, 1, 1.0, False), (5, 1, 0.0, True), (6, 2, 1.0, False), (6, 2, 0.0, True), (8, 2, 1.0, True)],
)
def test_an_odd_share_cannot_be_paired(batch_size: int, ranks: int, weight: float, fine: bool) -> None:
    objection = GanCls.objection({"recipe": {"batch_size": batch_size}, "interpolation_weight": weight}, ranks)
    assert (objection is None) == fine
    assert Stage.objection({}, ranks) is None
    if objection is not None:
        assert objection.startswith(f"stage.recipe.batch_size={batch_size}: interpolation pairs the sentences")
        assert objection.endswith(f"set a multiple of {2 * ranks}, or stage.interpolation_weight=0")


@pytest.mark.parametrize("words", [(), MODERN])
def test_drawing_for_people(words: tuple[str, ...]) -> None:
    """Key and sentence decide; noise may come from elsewhere, and pairs up with other systems'."""
    stage = tiny_reed(*words).eval()
    text, key = torch.randn(3, TEXT), torch.tensor([3, 1, 4])
    drawn = stage.sample(text, key).x_BCHW
    assert drawn.shape == (3, 3, 64, 64)
    alone = stage.sample(text[1:], key[1:]).x_BCHW
    torch.testing.assert_close(alone, drawn[1:], rtol=0, atol=1e-3 * drawn.std().item())
    assert not torch.equal(stage.sample(text, key + 1).x_BCHW, drawn)
    noise = stage.keyed(key, 6, "noise")
    assert torch.equal(stage.sample(text, key + 1, extras={"noise": noise}).x_BCHW, drawn)
    with pytest.raises(UserError, match="gan_int_cls: reads 6 numbers of noise"):
        stage.sample(text, key, extras={"noise": noise[:, :5]})
