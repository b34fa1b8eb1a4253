"""As test_plain_torch.py, for GAWWN with a box and with parts, and for its part generator, each by a loop of its own."""

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from plain_loops import agree, doubled, down, exact, floats, mean_of, should_be, toggle
from tiny_gawwn import KINDS, A, completing, located, placed_batches
from tiny_stages import BATCH, SEED, fit
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from stackgan.core import chance
from stackgan.core.shapes import Batch
from stackgan.networks.spatial import PlacedNoise, PlacedText
from stackgan.stage.gawwn import Gawwn

ITERATIONS, Z, HIDDEN = 2, 6, 0.5


@pytest.fixture(autouse=True)
def float_means_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in test_plain_torch.py."""
    monkeypatch.setattr(Tensor, "float", Tensor.double)


def noise(i: int) -> Tensor:
    return torch.randn(BATCH, Z, generator=chance.generator(SEED, "discriminator/noise", i)).double()


def in_double(stage: A) -> A:
    """Noise in float64 as well, of the same numbers."""
    normal = stage.normal
    stage.normal = lambda *words: normal(*words).double()  # type: ignore[method-assign]
    return stage.double()


def precise(batch: Batch) -> Batch:
    return replace(doubled(batch), extras={name: value.double() for name, value in batch.extras.items()})


class Plain:
    """Copies of both players, and Adam for each."""

    def __init__(self, stage: Any, g: float, d: float, betas: tuple[float, float]) -> None:
        copied = copy.deepcopy(stage)
        self.G, self.D = copied.generator.train(), copied.discriminator.train()
        self.average = copy.deepcopy(self.G) if stage.average is not None else None
        self.adam_G = torch.optim.Adam(self.G.parameters(), lr=g, betas=betas, fused=False, foreach=False)
        self.adam_D = torch.optim.Adam(self.D.parameters(), lr=d, betas=betas, fused=False, foreach=False)


def published(plain: Plain, batch: Batch, place: Tensor, i: int) -> None:
    """real + wrong / 2 + fake / 2, the wrong sentence being the next picture's; G is judged on the same fakes."""
    real, text = floats(batch.real_BCHW), batch.text_BT
    fake = plain.G(text, PlacedNoise(noise(i), place)).x_BCHW
    own, shifted = PlacedText(text, place), PlacedText(text[1:], place[:-1])
    trunk = plain.D.features(real)
    loss = should_be(1, plain.D.conditional(trunk, own)) + should_be(0, plain.D.conditional(trunk[:-1], shifted)) / 2
    down(plain.adam_D, loss + should_be(0, plain.D.conditional(plain.D.features(fake.detach()), own)) / 2)
    toggle(plain.D, False)
    down(plain.adam_G, should_be(1, plain.D.conditional(plain.D.features(fake), own)))
    toggle(plain.D, True)


def modern(plain: Plain, batch: Batch, place: Tensor, i: int) -> None:
    """Hinge, another class's sentence, R1 of 0.1 every 16th iteration, nothing moved."""
    real, text, wrong = floats(batch.real_BCHW), batch.text_BT, batch.mismatched_text_BT
    assert wrong is not None
    fake, own = plain.G(text, PlacedNoise(noise(i), place)).x_BCHW, PlacedText(text, place)
    with parametrize.cached():
        trunk = plain.D.features(real)
        yes, no = plain.D.conditional(trunk, own), plain.D.conditional(trunk, PlacedText(wrong, place))
        false = plain.D.conditional(plain.D.features(fake.detach()), own)
    loss = F.relu(1 - yes).mean() + F.relu(1 + no).mean() / 2 + F.relu(1 + false).mean() / 2
    if i % 16 == 0:
        leaf = real.clone().requires_grad_()
        (slope,) = torch.autograd.grad(plain.D(leaf, own)["conditional"].sum(), leaf, create_graph=True)
        loss = loss + 0.1 / 2 * 16 * (slope**2).sum(dim=(1, 2, 3)).mean()
    down(plain.adam_D, loss)
    toggle(plain.D, False)
    with parametrize.cached():
        judged = plain.D.conditional(plain.D.features(fake), own)
    down(plain.adam_G, -judged.mean())
    toggle(plain.D, True)


SYSTEMS = {"gawwn": (published, 2e-4, 2e-4, (0.5, 0.999)), "modern": (modern, 2e-4, 4e-4, (0.0, 0.99))}


def trained_both_ways(kind: str, recipe: str, *changes: str) -> tuple[Gawwn, Gawwn, Plain]:
    """The stage by Lightning, as it was before, and the copies trained by hand, without the changes."""
    step, g, d, betas = SYSTEMS[recipe]
    words = (f"stage/recipe={recipe}", f"stage/network={'light' if recipe == 'modern' else 'paper'}")
    stage = in_double(exact(located(kind, *words, *changes)))
    before, plain = copy.deepcopy(stage), Plain(stage, g, d, betas)
    data = [precise(batch) for batch in placed_batches(located(kind, *words), ITERATIONS)]
    for i, batch in enumerate(data):
        step(plain, batch, batch.extras[kind], i)
        if plain.average is not None:
            mean_of(plain.average, plain.G, i)
    return fit(stage, data), before, plain


@pytest.mark.parametrize("recipe", list(SYSTEMS))
@pytest.mark.parametrize("kind", KINDS)
def test_a_stage_is_the_plain_loop(kind: str, recipe: str) -> None:
    stage, before, plain = trained_both_ways(kind, recipe)
    assert agree(stage.generator, plain.G, before.generator, "G") > 10
    assert agree(stage.discriminator, plain.D, before.discriminator, "D") > 10
    if plain.average is not None:
        assert stage.average is not None
        assert agree(stage.average, plain.average, before.generator, "average") > 10


@pytest.mark.parametrize(
    "change", ["stage.recipe.redraw_noise=true", "stage.recipe.beta2=0.9", "stage.recipe.mismatched_pair=none"]
)
def test_the_comparison_notices(change: str) -> None:
    stage, before, plain = trained_both_ways("box", "gawwn", change)
    ours, theirs = nn.ModuleList([stage.generator, stage.discriminator]), nn.ModuleList([plain.G, plain.D])
    with pytest.raises(AssertionError, match="off"):
        agree(ours, theirs, nn.ModuleList([before.generator, before.discriminator]), "")


def test_the_part_generator_is_the_plain_loop() -> None:
    """real + fake; the generator is given the parts whose number is at least `hidden`, three zeros for the others."""
    stage: Any = in_double(completing(f"stage.hidden={HIDDEN}"))
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(1)
        for weight in stage.parameters():
            if weight.dim() > 1:
                nn.init.kaiming_normal_(weight)
    before, plain = copy.deepcopy(stage), Plain(stage, 2e-4, 2e-4, (0.5, 0.999))
    data = [precise(batch) for batch in placed_batches(stage, ITERATIONS)]
    for i, batch in enumerate(data):
        parts, text = batch.extras["parts"], batch.text_BT
        left = torch.rand(BATCH, parts.shape[1], generator=chance.generator(SEED, "discriminator/hidden", i)) >= HIDDEN
        given = torch.where(left[..., None], parts, 0.0)
        fake = plain.G(text, noise(i), given)
        down(plain.adam_D, should_be(1, plain.D(parts, text)) + should_be(0, plain.D(fake.detach(), text)))
        toggle(plain.D, False)
        down(plain.adam_G, should_be(1, plain.D(fake, text)))
        toggle(plain.D, True)
    fit(stage, data)
    assert agree(stage.generator, plain.G, before.generator, "G") > 10
    assert agree(stage.discriminator, plain.D, before.discriminator, "D") > 10
