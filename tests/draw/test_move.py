"""mode=move: where the box and the parts go, and what is drawn to show it."""

import numpy as np
import pytest
import torch

from stackgan.draw.move import YELLOW, marked, moved


def test_a_box_goes_from_corner_to_corner_and_keeps_its_size() -> None:
    box_N4 = moved({"box": torch.tensor([[0.3, 0.3, 0.5, 0.2]])}, 3)["box"]
    assert box_N4[:, 2:].unique(dim=0).tolist() == [pytest.approx([0.5, 0.2])]
    assert box_N4[0, :2].tolist() == [0, 0]
    assert box_N4[2, :2].tolist() == pytest.approx([0.5, 0])  # across first
    assert box_N4[-1, :2].tolist() == pytest.approx([0.5, 0.8])
    assert moved({"box": torch.tensor([[0.3, 0.3, 0.5, 0.2]])}, 1)["box"][0].tolist() == pytest.approx([0.25, 0.4, 0.5, 0.2])


def test_parts_move_together_and_stay_inside() -> None:
    parts_1P3 = torch.tensor([[[0.4, 0.5, 1], [0.6, 0.2, 1], [0, 0, 0]]])
    parts_NP3 = moved({"parts": parts_1P3}, 3)["parts"]
    assert ((parts_NP3[..., :2] >= 0) & (parts_NP3[..., :2] < 1)).all()
    apart_N2 = parts_NP3[:, 1, :2] - parts_NP3[:, 0, :2]
    assert torch.allclose(apart_N2, torch.tensor([0.2, -0.3]).expand(9, 2), atol=1e-6)
    assert parts_NP3[0, 0, 0] == pytest.approx(0, abs=1e-6)
    assert parts_NP3[0, 1, 1] == pytest.approx(0, abs=1e-6)
    assert (parts_NP3[:, 2] == 0).all()


def test_the_place_is_marked_in_a_copy() -> None:
    plain = np.zeros((1, 16, 16, 3), np.uint8)
    box = marked(plain, {"box": torch.tensor([[0.25, 0.5, 0.25, 0.25]])})
    yellow = (box[0] == YELLOW).all(2)
    assert yellow[8, 4:9].all()
    assert yellow[12, 4:9].all()
    assert yellow.sum() == 16  # the edge alone
    dots = marked(plain, {"parts": torch.tensor([[[0.5, 0.5, 1.0], [0.9, 0.9, 0.0]]])})
    assert (dots[0] == YELLOW).all(2).sum() == 16
    assert not plain.any()
