"""As test_plain_torch.py, for the plain conditional GAN and for GAN-CLS's family, each by a loop of its own."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from plain_loops import agree, doubled, down, exact, floats, mean_of, moved, should_be
from tiny_stages import BATCH, SEED, batches_for, fit, tiny, tiny_reed
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from stackgan.core import chance
from stackgan.core.shapes import Batch
from stackgan.stage.reed import GanCls

ITERATIONS, HALF = 2, BATCH // 2
K, Z = 8, 6


@pytest.fixture(autouse=True)
def float_means_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in test_plain_torch.py."""
    monkeypatch.setattr(Tensor, "float", Tensor.double)


def noise(stream: str, i: int) -> Tensor:
    return torch.randn(BATCH, Z, generator=chance.generator(SEED, stream, i)).double()


def adam(net: nn.Module, lr: float, betas: tuple[float, float]) -> torch.optim.Optimizer:
    return torch.optim.Adam(net.parameters(), lr=lr, betas=betas, fused=False, foreach=False)


class Reed:
    """The published script by hand: biases of convolutions learn, and are set to 0 before every pass.

    weight, beta: of the interpolated sentences.
    """

    def __init__(self, stage: GanCls, weight: float, beta: float) -> None:
        copied = copy.deepcopy(stage)
        self.G, self.D = copied.generator.train(), copied.discriminator.train()
        both = nn.ModuleList([self.G, self.D])
        self.idle = [bias for bias in both.parameters() if not bias.requires_grad]
        both.requires_grad_(True)
        self.weight, self.beta = weight, beta

    def begin(self, g: float, d: float, betas: tuple[float, float]) -> None:
        self.adam_G, self.adam_D = adam(self.G, g, betas), adam(self.D, d, betas)

    def still(self) -> None:
        with torch.no_grad():
            for bias in self.idle:
                bias.zero_()

    def logit(self, x: Tensor, text: Tensor) -> Tensor:
        return self.D(x, text)["conditional"]

    def with_interpolated(self, text: Tensor, stream: str, i: int) -> tuple[Tensor, Tensor]:
        """Half as many sentences and pictures more, drawn together with the others."""
        mixed = self.beta * text[:HALF] + (1 - self.beta) * text[HALF:]
        all_text = torch.cat([text, mixed])
        z = torch.cat([noise(f"{stream}/noise", i), noise(f"{stream}/interpolated", i)[:HALF]])
        return all_text, self.G(all_text, z).x_BCHW

    def published(self, batch: Batch, i: int) -> None:
        """D: real + wrong / 2 + fake / 2, or real + fake; then G anew, on 3/2 of the batch, a weighted mean."""
        real, text = floats(batch.real_BCHW), batch.text_BT
        self.still()
        fake = self.G(text, noise("discriminator/noise", i)).x_BCHW.detach()
        share = 0.0
        loss = should_be(1, self.logit(real, text))
        if batch.mismatched_BCHW is not None:
            share = 0.5
            loss = loss + share * should_be(0, self.logit(floats(batch.mismatched_BCHW), text))
        down(self.adam_D, loss + (1 - share) * should_be(0, self.logit(fake, text)))
        self.still()
        if self.weight:
            all_text, x = self.with_interpolated(text, "generator", i)
            each = F.softplus(-self.logit(x, all_text))
            loss = (torch.cat([torch.ones(BATCH), torch.full((HALF,), self.weight)]) * each).mean()
        else:
            loss = should_be(1, self.logit(self.G(text, noise("generator/noise", i)).x_BCHW, text))
        down(self.adam_G, loss)
        self.still()

    def modern(self, batch: Batch, i: int) -> None:
        """Hinge on moved pictures, another class's sentence, R1; G's turn sees the fakes of D's turn, and the interpolated ones."""
        real, text = floats(batch.real_BCHW), batch.text_BT
        all_text, x = self.with_interpolated(text, "discriminator", i)
        fake = x[:BATCH].detach()
        with parametrize.cached():
            on_real = self.D.features(moved(real, "real", i))
            loss = F.relu(1 - self.D.conditional(on_real, text)).mean()
            assert batch.mismatched_text_BT is not None
            loss = loss + F.relu(1 + self.D.conditional(on_real, batch.mismatched_text_BT)).mean() / 2
            loss = loss + F.relu(1 + self.logit(moved(fake, "fake", i), text)).mean() / 2
        if i % 16 == 0:
            leaf = real.clone().requires_grad_()
            (slope,) = torch.autograd.grad(self.logit(leaf, text).sum(), leaf, create_graph=True)
            loss = loss + 0.1 / 2 * 16 * (slope**2).sum(dim=(1, 2, 3)).mean()
        down(self.adam_D, loss)
        with parametrize.cached():
            seen = torch.cat([moved(x[:BATCH], "generator", i), moved(x[BATCH:], "interpolated", i)])
            each = -self.logit(seen, all_text)
        down(self.adam_G, (each[:BATCH].sum() + self.weight * each[BATCH:].sum()) / (BATCH + HALF))
        self.still()


PUBLISHED = (2e-4, 2e-4, (0.5, 0.999))
CASES: dict[str, tuple[str, tuple[str, ...], float, float]] = {
    "gan_cls": ("gan_cls", (), 0.0, 0.5),
    "gan_int": ("gan_int", (), 1.0, 0.5),
    "gan_int_cls": ("gan_int_cls", (), 1.0, 0.5),
    "weighed": ("gan_int_cls", ("stage.interpolation_weight=0.5", "stage.interpolation_beta=0.25"), 0.5, 0.25),
}


def trained(stage: GanCls, by_hand: Reed, step: Callable[[Batch, int], None]) -> tuple[GanCls, GanCls, nn.Module]:
    """The stage by Lightning, as it was before, and the mean of the hand-trained generator's weights."""
    before, data, average = copy.deepcopy(stage), [doubled(batch) for batch in batches_for(stage, ITERATIONS)], by_hand.G
    average = copy.deepcopy(average)
    for i, batch in enumerate(data):
        step(batch, i)
        mean_of(average, by_hand.G, i)
    return fit(stage, data), before, average


@pytest.mark.parametrize("case", list(CASES))
def test_the_family_is_the_published_loop(case: str) -> None:
    name, words, weight, beta = CASES[case]
    stage = exact(tiny_reed(*words, stage=name))
    by_hand = Reed(stage, weight, beta)
    by_hand.begin(*PUBLISHED)
    stage, before, _ = trained(stage, by_hand, by_hand.published)
    assert agree(stage.generator, by_hand.G, before.generator, "G") > 10
    assert agree(stage.discriminator, by_hand.D, before.discriminator, "D") > 10


@pytest.mark.parametrize("change", ["stage.interpolation_weight=0.9", "stage.interpolation_beta=0.45", "stage.recipe.beta1=0.4"])
def test_the_comparison_notices(change: str) -> None:
    by_hand = Reed(exact(tiny_reed()), 1.0, 0.5)
    by_hand.begin(*PUBLISHED)
    stage, before, _ = trained(exact(tiny_reed(change)), by_hand, by_hand.published)
    with pytest.raises(AssertionError, match="off"):
        agree(stage.generator, by_hand.G, before.generator, "G")


def test_the_modern_recipe_with_interpolated_sentences() -> None:
    words = ("stage/network=light", "stage/recipe=modern", "stage.interpolation_beta=0.25")
    stage = exact(tiny_reed(*words))
    by_hand = Reed(stage, 1.0, 0.25)
    by_hand.begin(2e-4, 4e-4, (0.0, 0.99))
    stage, before, average = trained(stage, by_hand, by_hand.modern)
    assert agree(stage.generator, by_hand.G, before.generator, "G") > 10
    assert agree(stage.discriminator, by_hand.D, before.discriminator, "D") > 10
    assert stage.average is not None
    assert agree(stage.average, average, before.generator, "average") > 10


def test_vanilla_is_a_plain_conditional_gan() -> None:
    """No other pair, no KL, and no epsilon: the condition is the mean."""
    stage = exact(tiny(stage="vanilla"))
    before, data = copy.deepcopy(stage), [doubled(batch) for batch in batches_for(stage, ITERATIONS)]
    copied = copy.deepcopy(stage)
    G, D = copied.generator.network.train(), copied.discriminator.train()
    adam_G, adam_D = adam(G, 2e-4, (0.5, 0.999)), adam(D, 2e-4, (0.5, 0.999))

    def draw(text: Tensor, stream: str, i: int) -> Any:
        return G(text, noise(f"{stream}/noise", i), torch.full((BATCH, K), 7.0)).x_BCHW

    for i, batch in enumerate(data):
        text = batch.text_BT
        loss = should_be(1, D(floats(batch.real_BCHW), text)["conditional"])
        down(adam_D, loss + should_be(0, D(draw(text, "discriminator", i).detach(), text)["conditional"]))
        down(adam_G, should_be(1, D(draw(text, "generator", i), text)["conditional"]))
    stage = fit(stage, data)
    assert agree(stage.generator.network, G, before.generator.network, "G") > 10
    assert agree(stage.discriminator, D, before.discriminator, "D") > 10
