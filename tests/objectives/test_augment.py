"""Translation and cutout: by hand, at the edges, gradients of first and second order, types and memory formats."""

import pytest
import torch
from torch import Tensor

from stackgan.objectives.augment import cutout, translate


def by_slices(x_BCHW: Tensor, shift_B2: Tensor) -> Tensor:
    """The plain way: copy the part of each picture that stays inside."""
    out = torch.zeros_like(x_BCHW)
    height, width = x_BCHW.shape[2:]
    for row in range(len(x_BCHW)):
        down, right = shift_B2[row].tolist()
        for y in range(max(down, 0), min(height + down, height)):
            for x in range(max(right, 0), min(width + right, width)):
                out[row, :, y, x] = x_BCHW[row, :, y - down, x - right]
    return out


def test_translation_by_hand() -> None:
    x_BCHW = torch.arange(1.0, 10).view(1, 1, 3, 3)
    assert translate(x_BCHW, torch.tensor([[1, 0]]))[0, 0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert translate(x_BCHW, torch.tensor([[0, -1]]))[0, 0].tolist() == [[2, 3, 0], [5, 6, 0], [8, 9, 0]]
    assert torch.equal(translate(x_BCHW, torch.tensor([[0, 0]])), x_BCHW)
    assert not translate(x_BCHW, torch.tensor([[-3, 1]])).any()


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_translation_is_the_slow_ways(memory_format: torch.memory_format, dtype: torch.dtype) -> None:
    x_BCHW = torch.randn(6, 3, 7, 9).to(dtype).contiguous(memory_format=memory_format)
    shift_B2 = torch.randint(-10, 11, (6, 2))
    moved = translate(x_BCHW, shift_B2)
    assert moved.dtype == dtype
    assert moved.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(moved, by_slices(x_BCHW, shift_B2))


def test_gradients_of_both() -> None:
    x_BCHW = torch.randn(3, 2, 4, 5, dtype=torch.double, requires_grad=True)
    shift_B2, centre_B2 = torch.tensor([[1, -2], [0, 3], [-1, 0]]), torch.tensor([[0, 0], [4, 2], [2, 5]])
    for change in (lambda x: translate(x, shift_B2) ** 2, lambda x: cutout(x, centre_B2, 3) ** 2):
        assert torch.autograd.gradcheck(change, x_BCHW)
        assert torch.autograd.gradgradcheck(change, x_BCHW)


def test_cutout_by_hand() -> None:
    x_BCHW = torch.ones(2, 1, 4, 4)
    holed = cutout(x_BCHW, torch.tensor([[2, 1], [0, 4]]), 2)
    assert holed[0, 0].tolist() == [[1, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1]]
    assert holed[1, 0].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    assert torch.equal(cutout(x_BCHW, torch.tensor([[2, 1], [0, 4]]), 0), x_BCHW)
    assert x_BCHW.all()


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_cutout_keeps_type_and_memory_format(memory_format: torch.memory_format) -> None:
    x_BCHW = torch.ones(2, 3, 8, 8, dtype=torch.bfloat16).contiguous(memory_format=memory_format)
    holed = cutout(x_BCHW, torch.tensor([[4, 4], [0, 8]]), 4)
    assert holed.dtype == torch.bfloat16
    assert holed.is_contiguous(memory_format=memory_format)
