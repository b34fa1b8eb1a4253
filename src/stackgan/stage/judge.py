"""Training a judge: a classifier of the data set's own classes, through whose eyes pictures are scored."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from stackgan.core.ranges import Decay, Natural, NonNegativeFloat, Positive, PositiveFloat
from stackgan.core.shapes import Batch
from stackgan.metric.looking import look, scaled
from stackgan.metric.score import Pixels
from stackgan.networks.pretrained_classifiers import EfficientNetLite0Classifier, InceptionV3Classifier
from stackgan.networks.small_classifier import SmallClassifier
from stackgan.stage.average import frozen_copy, move_towards, warmed_up
from stackgan.stage.base import remember_first_rates
from stackgan.stage.plans import JudgePlan
from stackgan.stage.supervised import Supervised


@dataclass(frozen=True)
class JudgeRecipe:
    """How the judge learns; conf/stage/judge.yaml says what each is."""

    name: str
    batch_size: Positive
    captions_averaged: Positive
    mismatched_pair: Literal["none"]
    epochs: Positive
    lr: PositiveFloat
    lr_epochs: Positive
    warm_up: Decay
    body_lr_factor: PositiveFloat
    weight_decay: NonNegativeFloat
    label_smoothing: Decay
    body_norm: Literal["batch", "running"]
    average_decay: Decay
    coarse_resolution: Positive | None


class JudgeStage(JudgePlan, Supervised):
    """A classifier that names the class of a picture.

    classifier: the network. class_names: by class id, as text, what its outputs stand for, in this order. resolution: pixels a
    side that it judges at. epoch_images: training pictures.
    """

    player = "classifier"
    requires: ClassVar[frozenset[str]] = frozenset({"classes"})
    provides: ClassVar[frozenset[str]] = frozenset({"classifier"})

    def __init__(
        self,
        *,
        name: Literal["judge"],
        classifier: SmallClassifier | EfficientNetLite0Classifier | InceptionV3Classifier,
        class_names: Mapping[str, str],
        recipe: JudgeRecipe,
        resolution: Positive,
        seed: Natural,
        epoch_images: Positive,
    ) -> None:
        super().__init__(name, seed, recipe.batch_size, epoch_images)
        self.classifier, self.recipe, self.resolution = classifier, recipe, resolution
        self.average = frozen_copy(classifier) if recipe.average_decay else None
        self.class_id_C: Tensor
        self.register_buffer("class_id_C", torch.tensor(sorted(map(int, class_names))))
        self.train()  # Lightning leaves the modes as they are

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take a published network's body before the first step; the head stays as it was drawn."""
        assert not isinstance(self.classifier, SmallClassifier)
        self.classifier.begin_with(weights)
        if self.average is not None:
            self.average.load_state_dict(self.classifier.state_dict())

    def train(self, mode: bool = True) -> "JudgeStage":
        """The average never learns, and with body_norm=running batch norm stays at the statistics that it came with."""
        super().train(mode)
        if self.average is not None:
            self.average.eval()
        if self.recipe.body_norm == "running":
            for module in self.classifier.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def loss_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Cross entropy against the class, smoothed (Szegedy et al. 2016, section 7); every other batch is coarse."""
        x_BCHW = batch.real_BCHW
        if self.recipe.coarse_resolution and self.iteration % 2:
            x_BCHW = scaled(x_BCHW, self.recipe.coarse_resolution)
        x_BCHW = scaled(x_BCHW, self.resolution)
        logits_BC = self.classifier(x_BCHW.contiguous(memory_format=torch.channels_last))
        place_B = self.places(batch.extras["class"])
        smoothing = self.recipe.label_smoothing
        return {"cross_entropy": nn.functional.cross_entropy(logits_BC.float(), place_B, label_smoothing=smoothing)}

    @property
    def coarse_resolution(self) -> int | None:
        """Pixels a side of the coarsest pictures that it learns from; None where it learns from whole ones alone."""
        return self.recipe.coarse_resolution

    def places(self, class_B: Tensor) -> Tensor:
        """Class ids of the data set, each one the judge's own, to positions among its outputs."""
        return torch.searchsorted(self.class_id_C, class_B)

    def rate_factor(self) -> float:
        """Linearly up in the first share warm_up of lr_epochs, then down half a cosine to a hundredth, where it stays."""
        steps = self.recipe.lr_epochs * max(1, self.epoch_images // self.batch_size)
        rising = round(self.recipe.warm_up * steps)
        if self.iteration < rising:
            return (self.iteration + 1) / rising
        progress = min(1.0, (self.iteration - rising) / max(1, steps - rising))
        return 0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2

    def learners(self) -> list[nn.Module]:
        """The classifier."""
        return [self.classifier]

    def training_step(self, batch: Batch, batch_index: int) -> None:
        """One step; the average follows."""
        iteration = self.iteration
        super().training_step(batch, batch_index)
        if self.average is not None:
            move_towards(self.average, self.classifier, warmed_up(self.recipe.average_decay, iteration))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW (Loshchilov and Hutter 2019): the body at its own rate; norms and biases do not decay."""
        recipe, head = self.recipe, set(self.classifier.head.parameters())
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for weight in self.weights():
            groups.setdefault((weight in head, weight.ndim > 1), []).append(weight)
        settings = [
            {
                "params": weights,
                "lr": recipe.lr * (1.0 if in_head else recipe.body_lr_factor),
                "weight_decay": recipe.weight_decay if decays else 0.0,
            }
            for (in_head, decays), weights in groups.items()
        ]
        return remember_first_rates(torch.optim.AdamW(settings, fused=True))

    def classify(self, pictures_NHWC: Pixels) -> tuple[Tensor, Tensor]:
        """uint8 pictures of any size to class ids (N,) and logits (N, C) on the CPU: as this judge will see them."""
        network = self.average if self.average is not None else self.classifier
        mode = self.training
        self.eval()
        logits_NC = torch.from_numpy(look(network, pictures_NHWC, self.resolution, self.device)["logits"])
        self.train(mode)
        return self.class_id_C.cpu()[logits_NC.argmax(1)], logits_NC
