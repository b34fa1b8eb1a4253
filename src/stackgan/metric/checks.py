"""What a score is computed from, looked at first: there, enough of it, and finite."""

import numpy as np
import torch
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.metric.score import Array, Seen


def checked(seen: Seen, array: str, score: str, what: str = "drawn pictures") -> Array:
    """The array of this name, (N, ...) with N >= 1. what: whose it is, in words.

    Raises UserError where it is missing, holds no row, or a number that is not finite.
    """
    if array not in seen.arrays:
        there = ", ".join(sorted(seen.arrays)) or "nothing"
        raise UserError(f"metric={score}: needs {array!r} of the {what}, but there is {there}; take a judge that gives it")
    found = seen.arrays[array]
    if not len(found):
        raise UserError(f"metric={score}: n=0, no {what} to score; set n to 1 or more and name a split that holds pictures")
    bad_N = ~np.isfinite(found.reshape(len(found), -1)).all(axis=1)
    if bad_N.any():
        where = f"{array!r} of {int(bad_N.sum())} of {len(found)} {what} is not finite (the first: number {int(bad_N.argmax())})"
        raise UserError(f"metric={score}: {where}; look at these pictures: the generator or the judge's weights are broken")
    return found


def refuse_one_picture(seen: Seen) -> None:
    """Raise UserError where a judge cannot tell any two of several drawn pictures apart."""
    features_NF = seen.arrays.get("features")
    if features_NF is not None and len(features_NF) > 1 and (features_NF == features_NF[0]).all():
        raise UserError(
            f"all {len(features_NF):,} drawn pictures are the same to the judge: there is nothing to score; look at a sheet, the "
            "generator has collapsed or its weights are broken"
        )


def rows(array_NF: Array) -> Tensor:
    """As float64, in which all scores are computed."""
    return torch.from_numpy(np.asarray(array_NF, np.float64))
