"""Judges of pictures: from a run and from torch-fidelity's file, whatever surrounds them, and one line where they cannot."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from stackgan.core.errors import UserError
from stackgan.core.pixels import to_bytes_NHWC
from stackgan.metric.fidelity_inception import SHA256, FidelityInception
from stackgan.metric.looking import resized
from stackgan.metric.trained_judge import TrainedJudge
from stackgan.networks.small_classifier import SmallClassifier

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (35, 48, 48, 3), dtype=np.uint8)


def judge(precision: str = "float32", seed: int = 0, size: int = 32) -> TrainedJudge:
    torch.manual_seed(seed)
    given = {"name": "small-x", "network": SmallClassifier(5, width=4), "size": size, "told": {"accuracy": 0.5}}
    return TrainedJudge(run="latest", any_data=False, precision=precision, **given)  # type: ignore[arg-type]


def test_features_and_logits_are_float32_and_of_each_picture_alone() -> None:
    found = judge().observe(PICTURES, [""] * 35)
    assert {name: (array.shape, array.dtype) for name, array in found.items()} == {
        "features": ((35, 32), np.float32), "logits": ((35, 5), np.float32),
    }  # fmt: skip
    alone = judge().observe(PICTURES[33:34], [""])
    for name in found:
        np.testing.assert_allclose(found[name][33:34], alone[name], atol=1e-5)
    assert judge().observe(PICTURES[:0], [])["features"].shape == (0, 32)


def test_surrounding_autocast_makes_no_difference() -> None:
    plain = judge().observe(PICTURES, [])
    with torch.autocast("cpu", torch.bfloat16):
        within = judge().observe(PICTURES, [])
    half = judge("bfloat16").observe(PICTURES, [])
    for name in plain:
        assert np.array_equal(plain[name], within[name])
        assert not np.array_equal(plain[name], half[name])


def test_tensors_and_pngs_of_them_are_seen_alike(tmp_path: Path) -> None:
    x = torch.randn(3, 3, 40, 40, generator=torch.Generator().manual_seed(1))
    drawn = to_bytes_NHWC(x)
    for i, picture in enumerate(drawn):
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
    read = np.stack([np.asarray(Image.open(tmp_path / f"{i}.png")) for i in range(3)])
    assert np.array_equal(judge().observe(drawn, [])["features"], judge().observe(read, [])["features"])


def test_resizing_keeps_floats_and_antialiases() -> None:
    stripes = np.zeros((1, 8, 8, 3), np.uint8)
    stripes[:, :, ::2] = 255
    small = resized(stripes, 4)
    # Away from the edge each output is a triangle over four columns, 1/8, 3/8, 3/8, 1/8: half of them are white.
    assert torch.allclose(small[..., 1:3], torch.tensor(127.5))
    assert torch.equal(resized(stripes, 8), torch.from_numpy(stripes).permute(0, 3, 1, 2).float())


def test_the_fingerprint_names_weights_size_and_precision() -> None:
    assert judge().fingerprint == judge().fingerprint
    assert len({judge().fingerprint, judge("bfloat16").fingerprint, judge(seed=1).fingerprint, judge(size=64).fingerprint}) == 4
    card = judge().card()
    assert (card["classes"], card["accuracy"], card["weights"]) == (5, 0.5, judge().weights)
    assert card["resize"] == "32 px, bilinear, antialiased, in float32"


def test_inception_s_file_is_missing_or_another(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^judge\.weights=null: .* needs its weight file; fetch weights-inception-2015-12-05-6726"):
        FidelityInception(weights=None).check()
    with pytest.raises(UserError, match=r"none\.pth: no such file; fetch"):
        FidelityInception(weights=str(tmp_path / "none.pth")).check()
    (tmp_path / "other.pth").write_bytes(b"other")
    with pytest.raises(UserError, match=r"other\.pth: sha256 begins with d9298a10, not with the published 6726825d; fetch"):
        FidelityInception(weights=str(tmp_path / "other.pth")).check()
    other = FidelityInception(weights=str(tmp_path / "other.pth"), sha256="d9298a10")
    with pytest.raises(UserError, match=r"other\.pth: not weights of torch-fidelity's Inception \("):
        other.observe(PICTURES[:1], [""])
    assert SHA256 in "weights-inception-2015-12-05-6726825d.pth"


@pytest.mark.slow
def test_inception_sees_what_torch_fidelity_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch_fidelity import feature_extractor_inceptionv3 as theirs

    path = tmp_path / "w.pth"
    made: dict[str, torch.Tensor] = {}
    monkeypatch.setattr(theirs.FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: made.update(self.state_dict()))
    torch.save({}, path)
    torch.manual_seed(0)
    theirs.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], str(path))
    monkeypatch.undo()
    torch.save(made, path)
    inception = FidelityInception(weights=str(path), sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with torch.autocast("cpu", torch.bfloat16):
        found = inception.observe(PICTURES[:3], [""] * 3)
    assert (found["features"].shape, found["logits"].shape) == ((3, 2048), (3, 1008))
    reference = theirs.FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"], str(path))
    with torch.inference_mode():
        features, logits = reference(torch.from_numpy(PICTURES[:3]).permute(0, 3, 1, 2))
    np.testing.assert_array_equal(found["features"], features.numpy())
    np.testing.assert_array_equal(found["logits"], logits.numpy())
    assert inception.frechet_name == "fid"
