"""Losses at zero logits as published, and against torch's own."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from stackgan.objectives.adversarial import DiscriminatorLoss, GeneratorLoss, fake_loss, generator_loss, real_loss
from stackgan.objectives.matching import discriminator_terms, generator_terms

LN2 = math.log(2)
ZERO = torch.zeros(4)


def total(terms: dict[str, Tensor]) -> float:
    return sum(term.item() for term in terms.values())


def test_bce_is_cross_entropy_with_logits() -> None:
    logit_B = torch.tensor([-30.0, -1.0, 0.0, 2.0, 30.0])
    assert torch.allclose(real_loss(logit_B, "bce"), binary_cross_entropy_with_logits(logit_B, torch.ones(5)))
    assert torch.allclose(fake_loss(logit_B, "bce"), binary_cross_entropy_with_logits(logit_B, torch.zeros(5)))
    assert torch.allclose(generator_loss(logit_B, "non_saturating"), binary_cross_entropy_with_logits(logit_B, torch.ones(5)))
    assert torch.allclose(generator_loss(logit_B, "saturating"), logsigmoid(-logit_B).mean())


def test_hinge_by_hand() -> None:
    logit_B = torch.tensor([-2.0, 0.5, 3.0])
    assert real_loss(logit_B, "hinge").item() == pytest.approx((3 + 0.5 + 0) / 3)
    assert fake_loss(logit_B, "hinge").item() == pytest.approx((0 + 1.5 + 4) / 3)
    assert generator_loss(logit_B, "hinge").item() == pytest.approx(-0.5)


@pytest.mark.parametrize("kind", ["non_saturating", "saturating", "hinge"])
def test_the_generator_always_wants_higher_logits(kind: GeneratorLoss) -> None:
    logit_B = torch.tensor([-3.0, 0.0, 3.0], requires_grad=True)
    generator_loss(logit_B, kind).backward()
    assert logit_B.grad is not None
    assert (logit_B.grad < 0).all()
    # Where D is sure that the picture is fake, the saturating form has almost no gradient and the other has its largest.
    assert (logit_B.grad[0].abs() > logit_B.grad[2].abs()).item() is (kind == "non_saturating")


@pytest.mark.parametrize("kind", ["bce", "hinge"])
def test_the_discriminator_wants_real_up_and_fake_down(kind: DiscriminatorLoss) -> None:
    low, high = torch.tensor([-2.0]), torch.tensor([2.0])
    assert real_loss(high, kind) < real_loss(low, kind)
    assert fake_loss(low, kind) < fake_loss(high, kind)


def test_tensorflow_code_at_zero_logits() -> None:
    terms = discriminator_terms({"conditional": ZERO}, {"conditional": ZERO}, {"conditional": ZERO}, "bce")
    assert {name: term.item() / LN2 for name, term in terms.items()} == pytest.approx(
        {"real_conditional": 1.0, "mismatched_conditional": 0.5, "fake_conditional": 0.5}
    )
    assert total(terms) == pytest.approx(1.3863, abs=5e-5)
    assert total(generator_terms({"conditional": ZERO}, "non_saturating")) == pytest.approx(0.6931, abs=5e-5)


def test_without_mismatched_pairs_fakes_count_in_full() -> None:
    terms = discriminator_terms({"conditional": ZERO}, {"conditional": ZERO}, None, "bce")
    assert {name: term.item() / LN2 for name, term in terms.items()} == pytest.approx(
        {"real_conditional": 1.0, "fake_conditional": 1.0}
    )


def test_pytorch_code_at_zero_logits() -> None:
    both = {"conditional": ZERO, "unconditional": ZERO}
    terms = discriminator_terms(both, both, {"conditional": torch.zeros(3)}, "bce")
    assert {name: term.item() / LN2 for name, term in terms.items()} == pytest.approx(
        {
            "real_conditional": 1 / 2,
            "real_unconditional": 1 / 2,
            "mismatched_conditional": 1 / 3,
            "fake_conditional": 1 / 3,
            "fake_unconditional": 1 / 3,
        }
    )
    assert total(terms) == pytest.approx(1.3863, abs=5e-5)
    assert total(generator_terms(both, "non_saturating")) == pytest.approx(1.3863, abs=5e-5)


def test_half_precision_logits_give_full_precision_losses() -> None:
    logit_B = torch.tensor([0.1, 5.0], dtype=torch.bfloat16)
    for loss in (real_loss(logit_B, "bce"), fake_loss(logit_B, "hinge"), generator_loss(logit_B, "hinge")):
        assert loss.dtype == torch.float32
    assert torch.equal(real_loss(logit_B, "bce"), real_loss(logit_B.float(), "bce"))


def test_balanced_heads_weigh_real_and_not_real_alike() -> None:
    ones = {head: torch.ones(4) for head in ("conditional", "unconditional")}
    code = discriminator_terms(ones, ones, {"conditional": torch.ones(4)}, "hinge")
    even = discriminator_terms(ones, ones, {"conditional": torch.ones(4)}, "hinge", balanced=True)
    weights = {name: float(term) / 2 for name, term in even.items() if not name.startswith("real")}
    assert weights == {"mismatched_conditional": 0.25, "fake_conditional": 0.25, "fake_unconditional": 0.5}
    assert float(code["fake_unconditional"]) == pytest.approx(2 / 3)
    alone = {"conditional": torch.ones(4)}
    assert discriminator_terms(alone, alone, alone, "bce", balanced=True) == discriminator_terms(alone, alone, alone, "bce")
