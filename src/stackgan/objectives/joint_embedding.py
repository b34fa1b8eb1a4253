"""The structured joint embedding of sentences and pictures (Reed et al., CVPR 2016, equations 1 to 4)."""

import torch
from torch import Tensor


def structured_joint_embedding(chosen_BE: Tensor, among_BE: Tensor, margin: float = 1.0) -> Tensor:
    """Hinge that wants each row of chosen_BE to score higher with its own row of among_BE than with every other one, by margin.

    Scores are inner products. (1 / B^2) sum_i sum_{j != i} max(0, s_ij - s_ii + margin): a scalar. Rows must be of different
    classes. The symmetric loss is the sum of this and of the same with the roles swapped.
    """
    precise = torch.promote_types(chosen_BE.dtype, torch.float32)
    with torch.autocast(chosen_BE.device.type, enabled=False):
        score_BB = chosen_BE.to(precise) @ among_BE.to(precise).T
    slack_BB = (score_BB - score_BB.diagonal().unsqueeze(1) + margin).clamp(min=0)
    others = 1 - torch.eye(len(score_BB), device=score_BB.device)
    return (slack_BB * others).sum() / len(score_BB) ** 2
