"""Discriminators: heads, shapes, gradients, norms, first weights."""

import inspect
from typing import Any

import pytest
import torch
from torch import nn

from stackgan.networks import Discriminator, paper, pytorch
from stackgan.networks.blocks import Norm

STAGE_ONE = [paper.StageOneDiscriminator, pytorch.StageOneDiscriminator]
STAGE_TWO = [paper.StageTwoDiscriminator, pytorch.StageTwoDiscriminator]
EVERY = [(family, 64) for family in STAGE_ONE] + [(family, 128) for family in STAGE_TWO]


def build(family: Any, resolution: int, **options: Any) -> Discriminator:
    network: Discriminator = family(text_dim=12, resolution=resolution, condition_dim=6, width=4, **options)
    return network


def text_for(network: Discriminator, batch: int) -> torch.Tensor:
    return torch.randn(batch, 12 if network.text_input == "embedding" else 6)


@pytest.mark.parametrize(
    ("family", "resolution"),
    [(f, r) for f in STAGE_ONE for r in (16, 64, 256)] + [(f, r) for f in STAGE_TWO for r in (64, 128, 256)],
)
def test_logits_of_every_head(family: Any, resolution: int) -> None:
    network = build(family, resolution)
    x_BCHW, text = torch.randn(3, 3, resolution, resolution), text_for(network, 3)
    logits = network(x_BCHW, text)
    assert tuple(logits) == network.heads
    assert {logit_B.shape for logit_B in logits.values()} == {(3,)}
    features_BCHW = network.eval().features(x_BCHW)
    assert features_BCHW.shape == (3, 32, *[resolution // 16 if family in STAGE_ONE else 4] * 2)
    assert network.conditional(features_BCHW, text).shape == (3,)


def test_what_each_family_reads_and_answers() -> None:
    assert [(d.heads, d.text_input) for d in (build(*row) for row in EVERY)] == [
        (("conditional",), "embedding"),
        (("conditional",), "condition_mean"),
        (("conditional",), "embedding"),
        (("conditional", "unconditional"), "condition_mean"),
    ]


def test_heads_are_a_choice_in_the_pytorch_family() -> None:
    network = build(pytorch.StageOneDiscriminator, 64, unconditional=True, text_input="embedding", join_kernel=1)
    assert network.heads == ("conditional", "unconditional")
    features_BCHW = network.features(torch.randn(3, 3, 64, 64))
    assert network.unconditional(features_BCHW).shape == network.conditional(features_BCHW, torch.randn(3, 12)).shape == (3,)
    with pytest.raises(ValueError, match="no unconditional head"):
        build(pytorch.StageOneDiscriminator, 64).unconditional(features_BCHW)


@pytest.mark.parametrize(("family", "resolution"), EVERY)
@pytest.mark.parametrize(("norm", "spectral"), [("batch", False), ("none", True), ("none", False), ("batch", True)])
def test_gradients_reach_every_parameter(family: Any, resolution: int, norm: Norm, spectral: bool) -> None:
    network = build(family, resolution, norm=norm, spectral=spectral)
    sum(
        logit_B[0] - 2 * logit_B[1] for logit_B in network(torch.randn(4, 3, resolution, resolution), text_for(network, 4)).values()
    ).backward()
    assert [name for name, value in network.named_parameters() if value.grad is None or not value.grad.abs().sum() > 0] == []


@pytest.mark.parametrize(("family", "resolution"), EVERY)
def test_norm_none_has_biases_instead(family: Any, resolution: int) -> None:
    bare = build(family, resolution, norm="none")
    convolutions = [module for module in bare.modules() if isinstance(module, nn.Conv2d)]
    assert all(module.bias is not None for module in convolutions)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in bare.modules())
    normed = build(family, resolution, norm="batch")
    convolutions = [module for module in normed.modules() if isinstance(module, nn.Conv2d)]
    norms = [module for module in normed.modules() if isinstance(module, nn.BatchNorm2d)]
    logits = len(normed.heads)
    assert len(norms) == len(convolutions) - 1 - logits  # none after the first convolution and in the logits
    assert sum(module.bias is not None for module in convolutions) == (logits if family in (STAGE_ONE[1], STAGE_TWO[1]) else 0)


def test_batch_norm_makes_rows_depend_on_each_other_and_none_does_not() -> None:
    x_BCHW, text = torch.randn(4, 3, 64, 64), torch.randn(4, 12)
    for norm, alone in (("batch", False), ("none", True)):
        network = build(paper.StageOneDiscriminator, 64, norm=norm)
        whole, half = network(x_BCHW, text)["conditional"][:2], network(x_BCHW[:2], text[:2])["conditional"]
        assert torch.allclose(whole, half, atol=1e-6) is alone


def test_the_sentence_matters() -> None:
    network = build(paper.StageOneDiscriminator, 64).eval()
    x_BCHW = torch.randn(2, 3, 64, 64)
    one, other = (network(x_BCHW, text)["conditional"] for text in (torch.randn(2, 12), 100 * torch.randn(2, 12)))
    assert not torch.allclose(one, other, atol=1e-8)


def test_too_small_for_stage_two() -> None:
    with pytest.raises(ValueError, match="at least 64"):
        paper.StageTwoDiscriminator(12, 32)


def test_the_logit_bias_keeps_torchs_first_value() -> None:
    network = pytorch.StageOneDiscriminator(12, 64)
    bias = network.conditional_head.logit.bias
    assert bias is not None
    assert 0 < bias.abs().item() < 1 / (512 * 16) ** 0.5


@pytest.mark.parametrize("family", STAGE_ONE + STAGE_TWO)
def test_signatures_can_be_checked(family: Any) -> None:
    for name, parameter in inspect.signature(family.__init__).parameters.items():
        assert name == "self" or parameter.annotation is not inspect.Parameter.empty
        assert parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD


def test_projection_adds_the_inner_product_of_pooled_features_and_text() -> None:
    judge = pytorch.StageOneDiscriminator(12, 64, condition_dim=6, width=8, text_input="embedding", join_kernel=1, projection=True)
    head = judge.conditional_head
    features_BCHW, text_BT = torch.randn(3, 64, 4, 4), torch.randn(3, 12)
    assert head.projection is not None
    with_B = judge.conditional(features_BCHW, text_BT)
    added_B = torch.einsum("bchw,ct,bt->b", features_BCHW, head.projection.weight, text_BT) / 16
    nn.init.zeros_(head.projection.weight)
    torch.testing.assert_close(with_B - judge.conditional(features_BCHW, text_BT), added_B, atol=1e-5, rtol=1e-4)
    assert pytorch.StageOneDiscriminator(12, 64, condition_dim=6, width=8).conditional_head.projection is None
