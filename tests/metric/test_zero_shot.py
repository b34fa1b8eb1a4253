"""Zero-shot accuracy and AP@50 against small cases done by hand."""

import pytest
import torch

from stackgan.metric import zero_shot

CLASS = torch.tensor([7, 7, 7, 3, 3])
PICTURES = torch.tensor([[1.0, 0.0], [0.9, 0.2], [0.1, 1.0], [0.0, 1.0], [1.0, 0.9]])
SENTENCES = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
"""Of class 3, then of class 7."""


def test_a_class_is_the_mean_of_all_its_captions() -> None:
    text = torch.tensor([[[2.0], [4.0]], [[6.0], [99.0]], [[1.0], [1.0]]])
    classes, means = zero_shot.class_sentences(text, torch.tensor([2, 1, 2]), torch.tensor([5, 5, 2]))
    assert classes.tolist() == [2, 5]
    assert means.flatten().tolist() == [1.0, 4.0]


def test_accuracy_is_averaged_over_classes() -> None:
    # Class 7: two of three right; class 3: one of two (the last picture scores 1.0 with class 7's sentences, 0.9 with its own).
    found = zero_shot.accuracy(PICTURES, CLASS, torch.tensor([3, 7]), SENTENCES)
    assert found == pytest.approx((2 / 3 + 1 / 2) / 2)


@pytest.mark.parametrize("at", [1, 2, 5])
def test_average_precision(at: int) -> None:
    pictures = PICTURES.clone()
    pictures[2, 1] = 0.95
    # By class 3's sentences: pictures 3 (3), 2 (7), 4 (3), 1 (7), 0 (7). By class 7's: 0 (7) and 4 (3) at 1.0, 1 (7), 2 (7), 3 (3).
    precision3 = {1: 1, 2: 1 / 2, 5: 2 / 5}[at]
    precision7 = {1: 1, 2: 1 / 2, 5: 3 / 5}[at]
    found = zero_shot.average_precision(pictures, CLASS, torch.tensor([3, 7]), SENTENCES, at)
    assert found == pytest.approx((precision3 + precision7) / 2)
