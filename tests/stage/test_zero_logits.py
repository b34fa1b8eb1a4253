"""Losses of real stages whose discriminators answer 0: the published constants (1.3863 is 2 ln 2, 0.6931 is ln 2)."""

import pytest
import torch
from tiny_stages import batches_for, tiny
from torch import Tensor

from stackgan.networks.discriminators import Discriminator


def silenced(discriminator: Discriminator) -> None:
    """All logits 0."""
    for head in (discriminator.conditional_head.logit, discriminator.unconditional_head):
        if head is not None:
            for parameter in head.parameters():
                torch.nn.init.zeros_(parameter)


def adversarial(terms: dict[str, Tensor]) -> float:
    return sum(term.item() for name, term in terms.items() if name.startswith("adversarial"))


@pytest.mark.parametrize(
    ("system", "number", "for_discriminator", "for_generator"),
    [
        ("paper", "stage1", 1.3863, 0.6931),
        ("paper", "stage2", 1.3863, 0.6931),
        ("pytorch", "stage1", 1.3863, 0.6931),
        ("pytorch", "stage2", 1.3863, 1.3863),
        ("paper", "vanilla", 1.3863, 0.6931),
    ],
)
def test_published_constants(system: str, number: str, for_discriminator: float, for_generator: float) -> None:
    stage = tiny(f"stage/network={system}", f"stage/recipe={system}", stage=number)
    silenced(stage.discriminator)
    (batch,) = batches_for(stage, 1)
    fakes = stage.draw_fakes(batch, "discriminator")
    terms = stage.discriminator_terms(batch, fakes.detach())
    assert sum(term.item() for term in terms.values()) == pytest.approx(for_discriminator, abs=5e-5)
    assert adversarial(stage.generator_terms(batch, fakes)) == pytest.approx(for_generator, abs=5e-5)
