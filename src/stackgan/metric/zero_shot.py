"""How well sentences name classes they were not trained on (Reed et al., CVPR 2016, section 5): pure functions of embeddings."""

import torch
from torch import Tensor


def class_sentences(text_NME: Tensor, count_N: Tensor, class_N: Tensor) -> tuple[Tensor, Tensor]:
    """The mean embedding of all captions of each class: class ids (C,), ascending, and (C, E). Beyond count_N text is ignored."""
    real_NM = torch.arange(text_NME.shape[1]) < count_N.unsqueeze(1)
    classes_C, place_N = torch.unique(class_N, return_inverse=True)
    sum_CE = torch.zeros(len(classes_C), text_NME.shape[2]).index_add_(0, place_N, (text_NME * real_NM.unsqueeze(2)).sum(1))
    count_C = torch.zeros(len(classes_C)).index_add_(0, place_N, count_N.float())
    return classes_C, sum_CE / count_C.unsqueeze(1)


def accuracy(picture_NE: Tensor, class_N: Tensor, classes_C: Tensor, class_CE: Tensor) -> float:
    """Share of pictures whose own class's sentences score highest by inner product, averaged over classes, in [0, 1]."""
    right_N = (classes_C[(picture_NE @ class_CE.T).argmax(1)] == class_N).float()
    return float(torch.stack([right_N[class_N == one].mean() for one in classes_C]).mean())


def average_precision(picture_NE: Tensor, class_N: Tensor, classes_C: Tensor, class_CE: Tensor, at: int = 50) -> float:
    """AP@at: of the pictures that score highest with a class's sentences, the share that shows it; mean over classes, in [0, 1].

    A class with fewer pictures than `at` cannot reach 1.
    """
    ranked_CN = (class_CE @ picture_NE.T).argsort(dim=1, descending=True, stable=True)[:, :at]
    return float((class_N[ranked_CN] == classes_C.unsqueeze(1)).float().mean())
