"""The one definition of how far pictures lie apart."""

import pytest
import torch

from stackgan.core.spread import spread


def test_spread_along_either_way() -> None:
    x_NKCHW = torch.zeros(2, 2, 1, 1, 1)
    x_NKCHW[:, 1] = 0.5  # noises differ by 0.5, sentences not at all
    assert spread(x_NKCHW, 1) == 0.25
    assert spread(x_NKCHW, 0) == 0.0


def test_it_is_one_at_most() -> None:
    x_NKCHW = torch.tensor([-1.0, 1.0]).reshape(2, 1, 1, 1, 1).expand(2, 3, 3, 4, 4)
    assert spread(x_NKCHW, 0) == pytest.approx(1.0)
    assert spread(x_NKCHW, 1) == 0.0
