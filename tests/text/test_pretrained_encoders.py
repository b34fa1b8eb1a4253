"""Encoders from folders: what the libraries give, by content and not by place, and a line where there is no model."""

import contextlib
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from stackgan.core.errors import UserError
from stackgan.text.clip import CLIPEncoder
from stackgan.text.minilm import MiniLMEncoder
from stackgan.text.sentence_transformer import SentenceTransformerEncoder

if importlib.util.find_spec("transformers") is None:
    pytest.skip("the extra stackgan[text] is not installed", allow_module_level=True)

SENTENCES = ["a red bird", "this small bird has a yellow belly and a rather long black beak", "a red bird", "z" * 3000]
LETTERS = [chr(97 + i) for i in range(26)]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def clip(model: Path | str) -> CLIPEncoder:
    return CLIPEncoder(name="clip", model=str(model), precision="float32")


@pytest.fixture(scope="session")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of random weights that reads single letters."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("clip")
    words = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    torch.manual_seed(0)
    small = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = small | {"vocab_size": len(words), "max_position_embeddings": 12, "bos_token_id": 52, "eos_token_id": 53}
    CLIPModel(
        CLIPConfig(text_config=text, vision_config=small | {"image_size": 8, "patch_size": 4}, projection_dim=6)
    ).save_pretrained(folder)
    return folder


def test_clip_is_its_librarys_text_tower(tower: Path) -> None:
    from transformers import AutoTokenizer, CLIPModel

    encoder = clip(tower)
    told: list[int] = []
    found = encoder.encode(SENTENCES, told.append)
    assert (encoder.dim, found.shape, found.dtype, sum(told)) == (6, (4, 6), np.float32, 4)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 6**0.5, rtol=1e-5)
    np.testing.assert_array_equal(found[0], found[2])
    model, tokenizer = CLIPModel.from_pretrained(tower).eval(), AutoTokenizer.from_pretrained(tower)
    tokens = tokenizer([SENTENCES[1]], truncation=True, max_length=12, return_tensors="pt")
    with torch.inference_mode():
        pooled = model.text_model(**tokens).pooler_output
        expected = torch.nn.functional.normalize(model.text_projection(pooled), dim=1)[0] * 6**0.5
    np.testing.assert_allclose(found[1], expected.numpy(), atol=1e-5)


def test_the_fingerprint_is_of_content(tower: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(tower, tmp_path / "copy"))
    assert clip(copied).fingerprint == clip(tower).fingerprint
    assert CLIPEncoder(name="clip", model=str(tower), precision="bfloat16").fingerprint != clip(tower).fingerprint
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps(config | {"logit_scale_init_value": 1.0}))
    assert clip(copied).fingerprint != clip(tower).fingerprint


def test_a_sentence_transformer_gives_what_minilm_gives() -> None:
    minilm = MiniLMEncoder(name="minilm", folder=None, precision="float32")
    if importlib.util.find_spec("sentence_transformers") is None:
        pytest.skip("sentence-transformers is not installed")
    encoder = SentenceTransformerEncoder(name="sentence_transformer", model=str(minilm._checked_folder()), precision="float32")
    assert encoder.dim == 384
    np.testing.assert_allclose(encoder.encode(SENTENCES), minilm.encode(SENTENCES), atol=2e-4)


@pytest.mark.parametrize("kind", [CLIPEncoder, SentenceTransformerEncoder])
def test_a_line_where_there_is_no_model(kind: type[CLIPEncoder], tmp_path: Path) -> None:
    def made(model: Path | str) -> CLIPEncoder:
        return kind(name="x", model=str(model), precision="float32")

    with pytest.raises(UserError, match=r"^text\.model=nobody/nothing: no such folder here, and the Hub does not give it \(\w+\)"):
        made("nobody/nothing").check()
    with pytest.raises(UserError, match=r"^text\.model=.*holds no \.safetensors file"):
        made(tmp_path).check()
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"^text\.model=.*(no CLIP model|not a model that text=sentence_transformer can read)"):
        made(tmp_path).encode(["a bird"])


def test_no_code_of_a_models_own_is_run(tower: Path, tmp_path: Path) -> None:
    folder, marker = Path(shutil.copytree(tower, tmp_path / "evil")), tmp_path / "ran"
    (folder / "own.py").write_text(f"open({str(marker)!r}, 'w').write('ran')\n")
    for name in ("config.json", "tokenizer_config.json"):
        config = json.loads((folder / name).read_text())
        config |= {"auto_map": {"AutoModel": "own.Own", "AutoConfig": "own.Own", "AutoTokenizer": ["own.Own", None]}}
        (folder / name).write_text(json.dumps(config | ({"model_type": "own"} if name == "config.json" else {})))
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": "own.Own"}]))
    for encoder in (clip(folder), SentenceTransformerEncoder(name="x", model=str(folder), precision="float32")):
        with contextlib.suppress(UserError):
            encoder.encode(["a bird"])
    assert not marker.exists()
