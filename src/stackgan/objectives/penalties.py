"""Penalties on D's gradients."""

import torch
from torch import Tensor


def r1(logit_B: Tensor, real_BCHW: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): squared gradient of D's logits by real pictures, a mean over the batch, in float32.

    real_BCHW must require grad before D sees it, and logit_B must depend on it row by row (no batch norm in D).
    The caller multiplies by gamma / 2, and by the interval where the penalty is lazy.
    """
    (gradient_BCHW,) = torch.autograd.grad(logit_B.float().sum(), real_BCHW, create_graph=True)
    return gradient_BCHW.float().square().flatten(1).sum(dim=1).mean()
