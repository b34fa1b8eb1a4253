"""The averaged generator: an exponential moving average of weights, buffers copied."""

import copy
from typing import TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


def frozen_copy(module: M) -> M:
    """A copy in evaluation mode whose weights no optimiser sees."""
    return copy.deepcopy(module).requires_grad_(False).eval()


@torch.no_grad()
def move_towards(average: nn.Module, live: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * live for weights; buffers (batch norm's statistics) are copied.

    Lightning's EMAWeightAveraging does not serve: it averages the discriminator too and counts optimiser steps, two an iteration.
    """
    weights = [parameter.detach() for parameter in live.parameters()]
    torch._foreach_lerp_([parameter.detach() for parameter in average.parameters()], weights, 1 - decay)
    if buffers := list(live.buffers()):
        torch._foreach_copy_(list(average.buffers()), buffers)


def warmed_up(decay: float, iteration: int) -> float:
    """The decay of this iteration: short at first, so that the average leaves the untrained weights behind."""
    return min(decay, (1 + iteration) / (10 + iteration))
