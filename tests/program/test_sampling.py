"""A sentence drawn by processes of their own: trained, sampled, exported, loaded; no data set is needed once a run is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import SMALL, SRC, Program
from PIL import Image

PYTHON = "import stackgan; print(stackgan.load({!r}).sample(['a red bird'], n=2).pixels_NKHWC.tobytes().hex())"


@pytest.mark.slow
def test_a_trained_run_draws_sentences(shell: Program, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [word for word in SMALL if not word.startswith("callbacks.")]
    ended = shell(
        *words,
        "callbacks=none",
        "stage=stage2",
        "stage.resolution=128",
        "stage.base=train",
        "stage.base_images=8",
        "stage.images=8",
    )
    assert ended.code == 0, ended.err
    shutil.rmtree(desk / "logs" / "stage1")
    monkeypatch.setenv("STACKGAN_DATA", str(desk / "none"))
    monkeypatch.setenv("STACKGAN_CACHE", str(desk / "none"))
    for given in (("text=a red bird", "n=2"), ("mode=export",)):
        ended = shell(*given, verb="sample")
        assert ended.code == 0, ended.err
        assert ended.err == ""
    samples = next((desk / "logs" / "stage2" / "toybirds").glob("*/samples"))
    pictures = b"".join(Image.open(path).tobytes() for path in sorted((samples / "sheet-1" / "pictures").iterdir()))
    for reference in ("run://latest", str(samples / "export-1" / "generator.safetensors")):
        command = [sys.executable, "-c", PYTHON.format(reference)]
        found = subprocess.run(
            command, cwd=desk, env=os.environ | {"PYTHONPATH": str(SRC)}, capture_output=True, text=True, check=True
        )
        assert bytes.fromhex(found.stdout) == pictures
    assert not (desk / "none").exists()
