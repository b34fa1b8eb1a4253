"""Two whole iterations of each stage are what a loop written straight from the formulas does, weight by weight.

The loop below shares with the package the networks (tested in their own room) and the keyed streams of chance; losses, draws,
pictures' moves, optimisers and turns are its own.
"""

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from plain_loops import agree, doubled, down, exact, floats, mean_of, moved, should_be, toggle
from tiny_stages import BATCH, SEED, batches_for, fit, tiny
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from stackgan.core import chance
from stackgan.core.shapes import Batch
from stackgan.stage.stackgan import StackGAN

ITERATIONS = 2
K, Z = 8, 6
Terms = dict[str, Tensor]


@dataclass
class Plain:
    """Copies of a stage's networks, trained by hand. G: the stage's own generator; first: Stage-I's, under a Stage-II's."""

    G: Any
    D: Any
    first: Any
    adam_G: torch.optim.Optimizer = field(init=False)
    adam_D: torch.optim.Optimizer = field(init=False)

    @classmethod
    def of(cls, stage: StackGAN) -> "Plain":
        copied = copy.deepcopy(stage)
        return cls(copied.generator.network, copied.discriminator, getattr(copied.generator, "first", None))

    def optimise(self, g: float, d: float, betas: tuple[float, float]) -> None:
        self.adam_G = torch.optim.Adam(self.G.parameters(), lr=g, betas=betas, fused=False, foreach=False)
        self.adam_D = torch.optim.Adam(self.D.parameters(), lr=d, betas=betas, fused=False, foreach=False)

    def draw(self, text: Tensor, stream: str, i: int, truncated: bool) -> tuple[Tensor, Any]:
        """Pictures and their condition, with the noise of this stream and iteration."""

        def numbers(name: str, width: int, cut: bool) -> Tensor:
            return chance.normal((BATCH, width), chance.generator(SEED, f"{stream}/{name}", i), cut)

        z, epsilon, below = numbers("noise", Z, False), numbers("epsilon", K, truncated), numbers("first_epsilon", K, truncated)
        if self.first is None:
            drawn = self.G(text, z, epsilon)
        else:
            with torch.no_grad():
                small = self.first(text, z, below).x_BCHW
            drawn = self.G(small, text, epsilon)
        return drawn.x_BCHW, drawn.condition


def mean_kl(condition: Any) -> Tensor:
    mu, log_sigma = condition.mean_BK, condition.log_sigma_BK
    return (-log_sigma + 0.5 * (-1 + torch.exp(2 * log_sigma) + mu**2)).mean()


def paper(plain: Plain, batch: Batch, i: int) -> None:
    """The TensorFlow code: wrong picture with the right sentence, G's turn draws anew, 2 KL as a mean over everything."""
    real, wrong, text = floats(batch.real_BCHW), floats(batch.mismatched_BCHW), batch.text_BT  # type: ignore[arg-type]
    with torch.no_grad():
        fake, _ = plain.draw(text, "discriminator", i, truncated=True)
    logit = {name: plain.D(x, text)["conditional"] for name, x in (("real", real), ("wrong", wrong), ("fake", fake))}
    loss = should_be(1, logit["real"]) + should_be(0, logit["wrong"]) / 2 + should_be(0, logit["fake"]) / 2
    down(plain.adam_D, loss)
    fake, condition = plain.draw(text, "generator", i, truncated=True)
    toggle(plain.D, False)
    down(plain.adam_G, should_be(1, plain.D(fake, text)["conditional"]) + 2.0 * mean_kl(condition))
    toggle(plain.D, True)


def pytorch(plain: Plain, batch: Batch, i: int) -> None:
    """The PyTorch code: D reads mu, the batch shifted by one is the wrong pair, G's turn reuses fakes; two heads in Stage-II."""
    real, text = floats(batch.real_BCHW), batch.text_BT
    fake, condition = plain.draw(text, "discriminator", i, truncated=False)
    mu = condition.mean_BK.detach()
    on_real, on_fake = plain.D.features(real), plain.D.features(fake.detach())
    real_c = plain.D.conditional(on_real, mu)
    wrong = plain.D.conditional(on_real[: BATCH - 1], mu[1:])
    fake_c = plain.D.conditional(on_fake, mu)
    if plain.D.unconditional_head is None:
        loss = should_be(1, real_c) + 0.5 * (should_be(0, fake_c) + should_be(0, wrong))
    else:
        real_u, fake_u = plain.D.unconditional(on_real), plain.D.unconditional(on_fake)
        loss = should_be(1, real_c) / 2 + should_be(1, real_u) / 2
        loss = loss + should_be(0, wrong) / 3 + should_be(0, fake_c) / 3 + should_be(0, fake_u) / 3
    down(plain.adam_D, loss)
    toggle(plain.D, False)
    features = plain.D.features(fake)
    loss = should_be(1, plain.D.conditional(features, mu)) + 2.0 * mean_kl(condition)
    if plain.D.unconditional_head is not None:
        loss = loss + should_be(1, plain.D.unconditional(features))
    down(plain.adam_G, loss)
    toggle(plain.D, True)


def modern(plain: Plain, batch: Batch, i: int) -> None:
    """Hinge, another class's sentence, moved pictures, R1 of 0.1 every 16th iteration; a power iteration a turn and one for R1."""
    real, text, wrong = floats(batch.real_BCHW), batch.text_BT, batch.mismatched_text_BT
    fake, condition = plain.draw(text, "discriminator", i, truncated=False)
    heads = ("conditional",) if plain.D.unconditional_head is None else ("conditional", "unconditional")

    def judged(features: Tensor) -> list[Tensor]:
        return [plain.D.conditional(features, text) if h == "conditional" else plain.D.unconditional(features) for h in heads]

    with parametrize.cached():
        on_real = plain.D.features(moved(real, "real", i))
        reals, mismatched = judged(on_real), plain.D.conditional(on_real, wrong)
        fakes = judged(plain.D.features(moved(fake.detach(), "fake", i)))
    loss = sum(F.relu(1 - logit).mean() for logit in reals) / len(heads)
    # Each head weighs what is not real as much as what is; the conditional one has two kinds of it.
    loss = loss + (F.relu(1 + mismatched).mean() + F.relu(1 + fakes[0]).mean()) / (2 * len(heads))
    loss = loss + sum(F.relu(1 + logit).mean() for logit in fakes[1:]) / len(heads)
    if i % 16 == 0:
        leaf = real.clone().requires_grad_()
        (slope,) = torch.autograd.grad(plain.D(leaf, text)["conditional"].sum(), leaf, create_graph=True)
        loss = loss + 0.1 / 2 * 16 * (slope**2).sum(dim=(1, 2, 3)).mean()
    down(plain.adam_D, loss)
    toggle(plain.D, False)
    with parametrize.cached():
        on_fake = judged(plain.D.features(moved(fake, "generator", i)))
    down(plain.adam_G, -sum(logit.mean() for logit in on_fake) + 0.1 * mean_kl(condition))
    toggle(plain.D, True)


SYSTEMS = {
    "paper": (paper, "paper", "paper", (2e-4, 2e-4, (0.5, 0.999))),
    "pytorch": (pytorch, "pytorch", "pytorch", (2e-4, 2e-4, (0.5, 0.999))),
    "modern": (modern, "light", "modern", (2e-4, 4e-4, (0.0, 0.99))),
}


@pytest.fixture(autouse=True)
def float_means_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the package lifts half precision to float32, these tests stay in float64.

    Adam's first steps are as long as the learning rate however small a gradient is: in float32 the rounding of one that should be
    zero (a bias before batch norm) would show as a whole step.
    """
    monkeypatch.setattr(Tensor, "float", Tensor.double)


@pytest.mark.parametrize("number", ["stage1", "stage2"])
@pytest.mark.parametrize("system", list(SYSTEMS))
def test_a_stage_is_the_plain_loop(system: str, number: str) -> None:
    stage, before, plain, average = trained_both_ways(system, number)
    assert stage.images_seen == ITERATIONS * BATCH
    assert agree(stage.generator.network, plain.G, before.generator.network, "G") > 10
    assert agree(stage.discriminator, plain.D, before.discriminator, "D") > 10
    if average is not None:
        assert stage.average is not None
        assert agree(stage.average.network, average, before.generator.network, "average") > 10
    if number == "stage2":
        first, untouched = stage.generator.first, before.generator.first  # type: ignore[union-attr]
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), untouched.parameters(), strict=True))
        # In batch mode its running statistics move, as in both codes.
        assert (agree(first, plain.first, untouched, "first") > 0) == (stage.recipe.first_norm == "batch")


@pytest.mark.parametrize(
    "change",
    [
        "stage.recipe.kl_weight=2.1",
        "stage.recipe.beta2=0.9",
        "stage.recipe.discriminator_lr=2.1e-4",
        "stage.recipe.redraw_noise=false",
        "stage.recipe.epsilon_truncated=false",
        "stage.recipe.sigma_parametrisation=log_variance",
    ],
)
def test_the_comparison_notices(change: str) -> None:
    stage, before, plain, _ = trained_both_ways("paper", "stage1", change)
    ours, theirs = nn.ModuleList([stage.generator.network, stage.discriminator]), nn.ModuleList([plain.G, plain.D])
    with pytest.raises(AssertionError, match="off"):
        agree(ours, theirs, nn.ModuleList([before.generator.network, before.discriminator]), "")


def trained_both_ways(system: str, number: str, *changes: str) -> tuple[StackGAN, StackGAN, Plain, nn.Module | None]:
    """The stage by Lightning, as it was before, the plain copies trained by hand, and their averaged generator or None."""
    step, network, recipe, (g, d, betas) = SYSTEMS[system]
    words = (f"stage/network={network}", f"stage/recipe={recipe}")
    stage = exact(tiny(*words, *changes, stage=number))
    before, data = copy.deepcopy(stage), [doubled(batch) for batch in batches_for(stage, ITERATIONS)]
    # Changes are this package's alone: the plain loop knows only the published recipe, on the same first weights.
    plain = Plain.of(exact(tiny(*words, stage=number)) if changes else stage)
    plain.optimise(g, d, betas)
    plain.G.train(), plain.D.train()
    average = copy.deepcopy(plain.G) if stage.average is not None else None
    for i, batch in enumerate(data):
        step(plain, batch, i)
        if average is not None:
            mean_of(average, plain.G, i)
    return fit(stage, data), before, plain, average
