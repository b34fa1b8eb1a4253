"""How a GAN is trained: every point where paper, TensorFlow code and PyTorch code disagree is one named switch here."""

from dataclasses import dataclass
from typing import Literal

from stackgan.core.ranges import Decay, Fraction, Natural, NonNegativeFloat, Positive, PositiveFloat


@dataclass(frozen=True)
class Recipe:
    """The switches of `stage/recipe`; conf/stage/recipe/_base.yaml says what each does and who chose what.

    Learning rates are Adam's; epochs and halvings count passes over the training pictures; pixels and images are numbers.
    """

    name: str
    batch_size: Positive
    generator_lr: PositiveFloat
    discriminator_lr: PositiveFloat
    beta1: Decay
    beta2: Decay
    epochs: Positive
    lr_halve_every: Natural
    lr_halve_offset: Natural
    discriminator_loss: Literal["bce", "hinge"]
    generator_loss: Literal["non_saturating", "saturating", "hinge"]
    balance_heads: bool
    mismatched_pair: Literal["image", "sentence", "roll", "none"]
    captions_averaged: Positive
    redraw_noise: bool
    kl_weight: NonNegativeFloat
    kl_reduction: Literal["mean", "sum"]
    condition_activation: Literal["leaky_relu", "relu", "none"]
    sigma_parametrisation: Literal["log_sigma", "log_variance"]
    epsilon_truncated: bool
    epsilon_at_test: Literal["sampled", "zero"]
    discriminator_norm: Literal["batch", "none"]
    spectral_norm: bool
    average_decay: Decay
    r1_weight: NonNegativeFloat
    r1_every: Positive
    augment_translation: Fraction
    augment_cutout: Fraction
    first_trained: bool
    first_lr_factor: PositiveFloat
    first_norm: Literal["batch", "running"]

    def halvings(self, epoch: int) -> int:
        """How often the learning rates were halved before this epoch (counted from 0)."""
        if not self.lr_halve_every:
            return 0
        return max(0, (epoch - self.lr_halve_offset) // self.lr_halve_every)
