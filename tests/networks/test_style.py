"""The style encoder's network: as wide as it says, and for pictures from 64 pixels on."""

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from torch import nn

from stackgan.networks.style import StyleEncoder

CONF = Path(__file__).parents[2] / "conf"
HALVINGS = 3 * 64 * 16 + 64 + 16 * (64 * 128 + 128 * 256 + 256 * 512) + 2 * (128 + 256 + 512)
RESIDUAL = 512 * 128 + 9 * 128 * 128 + 9 * 128 * 512 + 2 * (128 + 128 + 512)
COUNTS = {"paper": HALVINGS + RESIDUAL + 8192 * 100 + 100, "light": 1_301_764}


@pytest.mark.parametrize("size", COUNTS)
def test_files_select_the_networks(size: str) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        node = compose(overrides=[f"+stage/style={size}"]).stage.style.network
    with torch.device("meta"):
        network = instantiate(node, noise_dim=100, resolution=64)
    assert sum(weight.numel() for weight in network.parameters()) == COUNTS[size]
    assert COUNTS["paper"] == 4_381_092


@pytest.mark.parametrize("resolution", [64, 128, 256])
def test_every_number_depends_on_the_whole_picture(resolution: int) -> None:
    network = StyleEncoder(5, resolution, width=4).eval()
    x_BCHW = torch.rand(2, 3, resolution, resolution, requires_grad=True)
    noise_BZ = network(x_BCHW)
    assert noise_BZ.shape == (2, 5)
    noise_BZ[0].sum().backward()
    assert x_BCHW.grad is not None
    assert x_BCHW.grad[0, :, [0, -1], [0, -1]].abs().min() > 0
    assert x_BCHW.grad[1].abs().max() == 0


def test_a_style_has_the_spread_of_noise_however_little_is_read() -> None:
    torch.manual_seed(0)
    network = StyleEncoder(5, 64, width=4)
    network.spread.momentum = 0.1  # so that few steps settle it
    x_BCHW = torch.rand(32, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        network.head.weight.mul_(0.1)
        network.head.bias.copy_(torch.arange(5.0))
        for _ in range(200):
            network(x_BCHW)
        steps = int(network.spread.num_batches_tracked)
        read_BZ, style_BZ = network.eval()(x_BCHW), network.style(x_BCHW)
    assert (steps, int(network.spread.num_batches_tracked)) == (200, 200)  # what is only looked at teaches nothing
    mean_Z, variance_Z = network.spread.running_mean, network.spread.running_var
    spread_BZ = (read_BZ - mean_Z) / (variance_Z + network.spread.eps).sqrt()
    assert read_BZ.std(0).max() < 0.5
    assert (spread_BZ.std(0) - 1).abs().max() < 0.2
    assert spread_BZ.mean(0).abs().max() < 0.2
    # In that direction, as long as noise is, also of a picture that is unlike all others.
    torch.testing.assert_close(nn.functional.cosine_similarity(style_BZ, spread_BZ), torch.ones(32))
    torch.testing.assert_close(style_BZ.norm(dim=1), torch.full((32,), 5**0.5))
    with torch.no_grad():
        torch.testing.assert_close(network.style(50 * x_BCHW).norm(dim=1), torch.full((32,), 5**0.5))
    torch.testing.assert_close(style_BZ[:1], network.style(x_BCHW[:1]))


def test_pictures_that_are_too_small_or_odd() -> None:
    for resolution, complaint in ((32, "resolution must be at least 64, not 32"), (96, "96 is not 4 times a power of two")):
        with pytest.raises(ValueError, match=complaint):
            StyleEncoder(5, resolution)
