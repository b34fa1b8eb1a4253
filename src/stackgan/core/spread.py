"""How far pictures lie apart: what tells "the sentence is ignored" and "the noise is ignored" from a healthy generator."""

from torch import Tensor


def spread(x_NKCHW: Tensor, dim: int) -> float:
    """Root mean square distance over pixels of the pictures from their mean along dim.

    x_NKCHW: N sentences, each drawn with the same K noises, in [-1, 1] (the last three in any order). dim 1: only
    the noise changes (diversity/within). dim 0: only the sentence changes (diversity/across). At most 1, of black and white halves.
    """
    return float((x_NKCHW - x_NKCHW.mean(dim, keepdim=True)).square().mean().sqrt())
