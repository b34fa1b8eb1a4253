"""Named loss terms, already weighted: their sum is the loss. One rule covers both code families and GAN-CLS.

D: what it should call real counts 1 in all, and what it should not counts 1 in all, each shared equally among its terms. That gives
real + (mismatched + fake) / 2 (TensorFlow code and GAN-CLS), real + fake without mismatched pairs, and with an unconditional head
(real_c + real_u) / 2 + (fake_c + mismatched + fake_u) / 3 (PyTorch code, Stage-II). G: the sum over heads, as in the PyTorch code.
"""

from collections import Counter
from collections.abc import Mapping

from torch import Tensor

from stackgan.objectives.adversarial import DiscriminatorLoss, GeneratorLoss, fake_loss, generator_loss, real_loss

Logits = Mapping[str, Tensor]
"""Logits (B,) by the name of D's head."""


def discriminator_terms(
    real: Logits, fake: Logits, mismatched: Logits | None, kind: DiscriminatorLoss, balanced: bool = False
) -> dict[str, Tensor]:
    """Terms named real_<head>, mismatched_<head>, fake_<head>.

    balanced: what a head should not call real weighs as much as what it should, head by head. In the PyTorch code's weights an
    unconditional head is paid for saying "real" to everything (1/2 against 1/3) and a conditional one for saying "fake", and
    under the hinge a small D rests there for a while. With one head both are the same.
    mismatched: pairs of a real picture and a sentence of another class, conditional head only; None leaves them out.
    Batches may differ in size (the PyTorch code has one mismatched pair less).
    """
    negatives = {f"mismatched_{head}": logit_B for head, logit_B in (mismatched or {}).items()}
    negatives |= {f"fake_{head}": logit_B for head, logit_B in fake.items()}
    terms = {f"real_{head}": real_loss(logit_B, kind) / len(real) for head, logit_B in real.items()}
    if balanced:
        heads = Counter(name.partition("_")[2] for name in negatives)
        shares = {name: len(real) * heads[name.partition("_")[2]] for name in negatives}
    else:
        shares = dict.fromkeys(negatives, len(negatives))
    return terms | {name: fake_loss(logit_B, kind) / shares[name] for name, logit_B in negatives.items()}


def generator_terms(fake: Logits, kind: GeneratorLoss) -> dict[str, Tensor]:
    """Terms named adversarial_<head>, weight 1 each."""
    return {f"adversarial_{head}": generator_loss(logit_B, kind) for head, logit_B in fake.items()}
