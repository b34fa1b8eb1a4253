"""Floor 1: nn.Module only. Sizes are arguments; no loss, no config object.

Families: paper (the paper's TensorFlow code) and pytorch (the authors' PyTorch code).
"""

from stackgan.networks.conditioning import Condition, ConditioningAugmentation, Drawn
from stackgan.networks.discriminators import Discriminator, Head, TextInput
from stackgan.networks.generators import StageOneBase, StageTwoGenerator

__all__ = [
    "Condition",
    "ConditioningAugmentation",
    "Discriminator",
    "Drawn",
    "Head",
    "StageOneBase",
    "StageTwoGenerator",
    "TextInput",
]
