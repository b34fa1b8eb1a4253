"""Training a judge: its loss and steps by hand, its index of classes, and what it leaves alone."""

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from tiny_stages import fit

from stackgan.core.shapes import Batch
from stackgan.launch import build, cli, schema
from stackgan.launch.places import CONF
from stackgan.stage.judge import JudgeStage

B = 4
NAMES = {"3": "c", "7": "g", "21": "u"}
FACTS = {"text_dim": 8, "train_size": 40, "classes": NAMES}


def built(*words: str, **facts: Any) -> JudgeStage:
    tiny = [
        "stage=judge", "data=toybirds", "stage.classifier.network.width=4", f"stage.recipe.batch_size={B}", "stage.resolution=16",
        "stage.recipe.epochs=2",
    ]  # fmt: skip
    cli.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = schema.check(compose("train", [*tiny, *words]))
    stage = build.stage(config, FACTS | facts)
    assert isinstance(stage, JudgeStage)
    return stage


def batches(count: int) -> list[Batch]:
    chance = torch.Generator().manual_seed(5)
    ids = torch.tensor([21, 3, 7, 3])
    return [
        Batch(
            i, torch.randint(0, 256, (B, 3, 16, 16), generator=chance, dtype=torch.uint8), torch.zeros(B, 8), torch.arange(B),
            extras={"class": ids.roll(i)},
        )
        for i in range(count)
    ]  # fmt: skip


def test_class_ids_become_places_among_the_outputs() -> None:
    assert built().places(torch.tensor([21, 3, 7, 3])).tolist() == [2, 0, 1, 0]


def test_the_loss_is_smoothed_cross_entropy() -> None:
    stage = built("stage.recipe.label_smoothing=0.3").eval()
    (batch,) = batches(1)
    log = stage.classifier(batch.real_BCHW.float()).log_softmax(1)
    target = torch.full((B, 3), 0.1)
    target[range(B), [2, 0, 1, 0]] += 0.7
    (found,) = stage.loss_terms(batch).values()
    assert found.item() == pytest.approx(-(target * log).sum(1).mean().item(), rel=1e-5)


def test_every_other_batch_is_coarse() -> None:
    stage = built("stage.recipe.coarse_resolution=8").eval()
    with torch.no_grad():
        stage.classifier.head.weight.mul_(1e6)  # an untrained network hardly tells pictures apart
    (batch,) = batches(1)

    @torch.no_grad()
    def loss_of(x_BCHW: torch.Tensor) -> float:
        logits_BC = stage.classifier(x_BCHW)
        places_B = torch.tensor([2, 0, 1, 0])
        return float(torch.nn.functional.cross_entropy(logits_BC, places_B, label_smoothing=0.1))

    def resized(x_BCHW: torch.Tensor, side: int) -> torch.Tensor:
        return torch.nn.functional.interpolate(x_BCHW, (side, side), mode="bilinear", antialias=True)

    whole_BCHW = batch.real_BCHW.float()
    expected = loss_of(whole_BCHW), loss_of(resized(resized(whole_BCHW, 8), 16))
    assert expected[0] != pytest.approx(expected[1], rel=1e-3)
    for iteration, value in enumerate([*expected, expected[0]]):
        stage.images_seen = iteration * B
        (found,) = stage.loss_terms(batch).values()
        assert found.item() == pytest.approx(value, rel=1e-5)
    assert built().coarse_resolution is None


def test_three_steps_are_plain_torchs() -> None:
    words = ("stage.recipe.average_decay=0.5", "stage.recipe.body_lr_factor=0.25", "stage.recipe.weight_decay=0.1")
    stage = built(*words, "stage.recipe.warm_up=0.1")
    network = copy.deepcopy(stage.classifier).train()
    average = copy.deepcopy(stage.classifier).eval()
    head = list(network.head.parameters())
    groups = [
        {"params": [w for w in network.parameters() if (any(w is h for h in head)) == own and (w.ndim > 1) == wide],
         "lr": rate, "weight_decay": 0.1 if wide else 0.0, "first": rate}
        for own, rate in ((True, 2e-3), (False, 5e-4)) for wide in (True, False)
    ]  # fmt: skip
    optimizer = torch.optim.AdamW(groups)
    for i, batch in enumerate(batches(3)):
        # 2 epochs of 10 batches: 2 rise, 18 fall.
        factor = (i + 1) / 2 if i < 2 else 0.01 + 0.99 * (1 + math.cos(math.pi * (i - 2) / 18)) / 2
        for group in optimizer.param_groups:
            group["lr"] = group["first"] * factor
        place = torch.tensor([[3, 7, 21].index(int(c)) for c in batch.extras["class"]])
        loss = torch.nn.functional.cross_entropy(network(batch.real_BCHW.float()), place, label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay = min(0.5, (1 + i) / (10 + i))
        with torch.no_grad():
            for mean, live in zip(average.parameters(), network.parameters(), strict=True):
                mean.mul_(decay).add_(live, alpha=1 - decay)
    fit(stage, batches(3))
    assert stage.average is not None
    for ours, theirs in ((stage.classifier, network), (stage.average, average)):
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.allclose(mine, other, atol=2e-5)
    assert stage.images_seen == 3 * B


def test_running_statistics_stay_where_they_are_asked_to() -> None:
    for norm, stays in (("running", True), ("batch", False)):
        stage = built(f"stage.recipe.body_norm={norm}")
        before = stage.classifier.state_dict()["body.0.1.running_mean"].clone()
        fit(stage, batches(2))
        assert torch.equal(before, stage.classifier.state_dict()["body.0.1.running_mean"]) == stays


def test_the_average_judges_and_looking_changes_nothing() -> None:
    stage = built("stage.recipe.average_decay=0.9").train()
    assert stage.average is not None
    with torch.no_grad():
        stage.average.head.weight.zero_()
        stage.average.head.bias.copy_(torch.tensor([0.0, 2.0, 1.0]))
    before = {name: value.clone() for name, value in stage.state_dict().items()}
    said, logits = stage.classify(np.zeros((5, 30, 20, 3), np.uint8))
    assert said.tolist() == [7] * 5
    assert logits.shape == (5, 3)
    assert stage.classifier.training
    assert not stage.average.training
    for name, value in stage.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_published_body_is_taken_and_the_head_is_new() -> None:
    from stackgan.networks.efficientnet import EfficientNetLite0
    from stackgan.networks.pretrained_classifiers import EfficientNetLite0Classifier

    published = EfficientNetLite0().eval()
    network = EfficientNetLite0Classifier(classes=3).eval()
    network.begin_with(published.state_dict())
    x = torch.rand(1, 3, 64, 64) * 255
    assert torch.allclose(network.features(x), published.features((x - 127) / 128), atol=1e-5)
    assert network(x).shape == (1, 3)
