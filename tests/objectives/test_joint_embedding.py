"""The structured joint embedding against numbers worked out by hand."""

import pytest
import torch

from stackgan.objectives.joint_embedding import structured_joint_embedding


def test_hand_computed() -> None:
    chosen, among = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[3.0, 0.5], [2.5, 1.0]])
    # Scores: row 0: 3, 2.5; row 1: 1, 2. Slack: 0 against 1: 2.5 - 3 + 1 = 0.5; 1 against 0: 1 - 2 + 1 = 0. Over B^2 = 4.
    assert float(structured_joint_embedding(chosen, among)) == 0.125
    # The other way round: scores 3, 1; 2.5, 2. 0: 1 - 3 + 1 < 0; 1: 2.5 - 2 + 1 = 1.5.
    assert float(structured_joint_embedding(among, chosen)) == 0.375
    assert float(structured_joint_embedding(chosen, among, margin=2.0)) == (1.5 + 1.0) / 4


def test_matching_pairs_far_ahead_cost_nothing_and_have_no_gradient() -> None:
    rows = (10 * torch.eye(4)).requires_grad_()
    loss = structured_joint_embedding(rows, rows)
    loss.backward()
    assert float(loss.detach()) == 0
    assert rows.grad is not None
    assert not rows.grad.any()


def test_equal_rows_cost_the_margin_for_every_other_pair() -> None:
    rows = torch.ones(5, 3)
    assert float(structured_joint_embedding(rows, rows)) == pytest.approx(20 / 25)
