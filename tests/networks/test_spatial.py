"""Boxes and parts on maps, against places worked out by hand and against coordinates sampled without a grid."""

import pytest
import torch
from torch import Tensor

from stackgan.networks.spatial import PlacedText, covered, crop, part_maps, place

QUARTER = torch.tensor([[0.5, 0.25, 0.25, 0.5]])
"""x 0.5 to 0.75, y 0.25 to 0.75: on 16 pixels columns 8 to 11, rows 4 to 11."""


def coordinates(side: int = 16) -> Tensor:
    """(1, 2, side, side): each pixel's own x and y, as fractions at its centre."""
    axis = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    return torch.stack([axis.expand(side, -1), axis[:, None].expand(-1, side)])[None]


def test_a_crop_shows_the_box_from_edge_to_edge() -> None:
    """Each pixel of the crop knows where it came from: the centre of a sixteenth of the box."""
    found = crop(coordinates(), QUARTER)
    axis = coordinates()[0, 0, 0]
    assert torch.allclose(found[0, 0], (0.5 + 0.25 * axis).expand(16, -1))
    assert torch.allclose(found[0, 1], (0.25 + 0.5 * axis)[:, None].expand(-1, 16))


def test_what_lies_outside_the_box_is_not_seen() -> None:
    """Up to the half pixel that bilinear sampling reaches over an edge when a box is enlarged."""
    inside, outside = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    outside[:, :, 3:13, 7:13] = inside[:, :, 3:13, 7:13]
    assert torch.equal(crop(inside, QUARTER), crop(outside, QUARTER))
    outside[:, :, 8, 9] += 1
    assert not torch.equal(crop(inside, QUARTER), crop(outside, QUARTER))


def test_placing_puts_the_whole_map_into_the_box_and_zeros_elsewhere() -> None:
    found = place(coordinates() + 1, QUARTER)
    rows, columns = torch.arange(16)[:, None], torch.arange(16)[None]
    within = (rows >= 4) & (rows < 12) & (columns >= 8) & (columns < 12)
    assert torch.equal((found != 0).all(1)[0], within)
    x = (torch.arange(8, 12) + 0.5) / 16
    assert torch.allclose(found[0, 0, 6, 8:12], ((x - 0.5) / 0.25 + 1).double())


def test_cropping_undoes_placing() -> None:
    """A smooth map, since a box of 8 by 8 pixels keeps a quarter of the numbers."""
    smooth, box = coordinates(), torch.tensor([[0.25, 0.25, 0.5, 0.5]])
    back = crop(place(smooth, box), box)
    assert torch.allclose(back[..., 1:-1, 1:-1], smooth[..., 1:-1, 1:-1])


def test_the_whole_picture_is_a_box_that_changes_nothing() -> None:
    x, whole = torch.randn(2, 3, 16, 16), torch.tensor([[0.0, 0.0, 1.0, 1.0]]).expand(2, -1)
    assert torch.allclose(crop(x, whole), x, atol=1e-6)
    assert torch.allclose(place(x, whole), x, atol=1e-6)


@pytest.mark.parametrize("move", [crop, place])
@pytest.mark.parametrize("box", [[0.3, 0.3, 0.0, 0.0], [0.3, 0.0, 0.0, 1.0], [0.0, 1.0, 0.5, 0.0]])
def test_a_box_without_area_gives_zeros_and_finite_gradients(move: object, box: list[float]) -> None:
    x = torch.randn(2, 3, 16, 16, requires_grad=True)
    found = move(x, torch.tensor([box, [0.1, 0.1, 0.5, 0.5]]))  # type: ignore[operator]
    found.square().sum().backward()
    assert not found[0].any()
    assert found[1].any()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert not x.grad[0].any()


def test_each_picture_has_its_own_box() -> None:
    x, boxes = torch.randn(3, 2, 16, 16), torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5], [0.1, 0.2, 0.7, 0.3]])
    together = crop(x, boxes)
    for row in range(3):
        assert torch.equal(crop(x[row : row + 1], boxes[row : row + 1])[0], together[row])


def test_low_precision_does_not_move_a_box() -> None:
    x, box = torch.rand(1, 1, 16, 16), torch.tensor([[0.37, 0.21, 0.33, 0.41]])
    assert torch.allclose(crop(x.bfloat16(), box), crop(x.bfloat16().float(), box))


def test_parts_are_marked_in_their_pixel() -> None:
    parts = torch.tensor(
        [[[0.0, 0.0, 1.0], [0.99, 0.5, 1.0], [0.5, 0.5, 0.05], [0.5, 0.5, 0.2], [1.0, 0.5, 1.0], [0.2, -0.1, 1.0]]]
    )
    maps = part_maps(parts, 16)
    assert maps.shape == (1, 6, 16, 16)
    assert maps.dtype == torch.float32
    assert maps[0].nonzero().tolist() == [[0, 0, 0], [1, 8, 15], [3, 8, 8]]
    assert maps.max() == 1
    assert covered(maps)[0, 0].nonzero().tolist() == [[0, 0], [8, 8], [8, 15]]


def test_two_parts_in_one_pixel_cover_it_once() -> None:
    parts = torch.tensor([[[0.51, 0.51, 1.0], [0.52, 0.52, 1.0]]])
    assert covered(part_maps(parts, 16)).max() == 1


def test_invisible_parts_may_be_at_no_number() -> None:
    maps = part_maps(torch.tensor([[[float("nan"), float("inf"), 0.0], [0.5, 0.5, 1.0]]]), 16)
    assert maps.isfinite().all()
    assert maps.sum() == 1


def test_rows_of_a_placed_sentence() -> None:
    both = PlacedText(torch.arange(8.0).view(4, 2), torch.arange(16.0).view(4, 4))
    some = both[:3]
    assert torch.equal(some.text_BT, both.text_BT[:3])
    assert torch.equal(some.place, both.place[:3])
