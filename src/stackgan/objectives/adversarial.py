"""What D and G want of one batch of logits: raw (no sigmoid), shape (B,). Results are means over the batch."""

from typing import Literal

from torch import Tensor
from torch.nn import functional

DiscriminatorLoss = Literal["bce", "hinge"]
"""bce: sigmoid cross-entropy without label smoothing, as all StackGAN code has it. hinge: Lim and Ye 2017."""
GeneratorLoss = Literal["non_saturating", "saturating", "hinge"]
"""non_saturating: cross-entropy of fakes against 'real' (the code). saturating: log(1 - D) (the paper). hinge: -logit."""


def real_loss(logit_B: Tensor, kind: DiscriminatorLoss) -> Tensor:
    """D's loss on pairs it should call real."""
    logit_B = logit_B.float()
    return (functional.softplus(-logit_B) if kind == "bce" else functional.relu(1 - logit_B)).mean()


def fake_loss(logit_B: Tensor, kind: DiscriminatorLoss) -> Tensor:
    """D's loss on pairs it should call fake: drawn pictures, and real pictures with another class's sentence."""
    logit_B = logit_B.float()
    return (functional.softplus(logit_B) if kind == "bce" else functional.relu(1 + logit_B)).mean()


def generator_loss(logit_B: Tensor, kind: GeneratorLoss) -> Tensor:
    """G's loss on D's logits of what G drew."""
    logit_B = logit_B.float()
    if kind == "non_saturating":
        return functional.softplus(-logit_B).mean()
    return (-functional.softplus(logit_B) if kind == "saturating" else -logit_B).mean()
