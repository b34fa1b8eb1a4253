"""Keyed chance: every random number is a function of (seed, stream, place), never of what was drawn before.

So the samples of an iteration do not depend on the number of ranks, on metrics or plots, or on how often a run was cut and resumed.
"""

import hashlib
import math

import torch
from torch import Tensor


def key(seed: int, stream: str, *place: int) -> int:
    """A 63-bit number for this place of this stream."""
    text = "/".join([str(seed), stream, *map(str, place)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(seed: int, stream: str, *place: int) -> torch.Generator:
    """A CPU generator for this place. On the CPU whatever the device, so that all devices see the same numbers."""
    return torch.Generator().manual_seed(key(seed, stream, *place))


def normal(shape: tuple[int, ...], chance: torch.Generator, truncated: bool = False) -> Tensor:
    """N(0, 1) in float32; truncated: confined to (-2, 2), as TensorFlow's truncated normal (StackGAN's code for epsilon)."""
    if not truncated:
        return torch.randn(shape, generator=chance)
    # Inverse distribution function: one draw a number, so that the stream does not depend on how many were rejected.
    edge = torch.special.ndtr(torch.tensor(-2.0, dtype=torch.float64))
    u = torch.rand(shape, generator=chance, dtype=torch.float64) * (1 - 2 * edge) + edge
    number: Tensor = torch.special.ndtri(u)
    return number.to(torch.float32)


def normal_rows(key_B: Tensor, width: int, seed: int, stream: str, truncated: bool = False) -> Tensor:
    """(B, width) standard normal numbers, each row a function of its key alone."""
    rows = [normal((width,), generator(seed, stream, k), truncated) for k in key_B.tolist()]
    return torch.stack(rows) if rows else torch.empty(0, width)


def between(here_BZ: Tensor, there_BZ: Tensor, share_B: Tensor) -> Tensor:
    """(B, Z) numbers on the great circle from here (share 0) to there (share 1).

    Two independent draws of N(0, 1) are nearly at right angles, and cos * here + sin * there is N(0, 1) at every place on the way;
    on the straight line between them numbers would shrink by up to 0.7, to lengths that a generator never saw.
    """
    angle_B1 = share_B.to(torch.float32)[:, None] * (math.pi / 2)
    return angle_B1.cos() * here_BZ + angle_B1.sin() * there_BZ


def order(size: int, seed: int, epoch: int) -> Tensor:
    """The order (size,) in which epoch visits a data set of that size."""
    return torch.randperm(size, generator=generator(seed, "order", epoch))
