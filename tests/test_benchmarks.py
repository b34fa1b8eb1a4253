"""Three benchmarks run to their end: what they measure is nobody's to check here, that they follow the package's changes is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("profile_step.py light/stage1", r"\| convolution, backward \| \d+ % \|"),
        ("tracking.py --pairs 1 --seconds 0.3", r"median \d\.\d+; finish \d+\.\d s"),
        ("comparing.py --runs 4", r"4 runs"),
    ],
)
def test_a_benchmark_ends_with_its_figures(words: str, line: str, tmp_path: Path, cache: Path) -> None:
    name, *rest = words.split()
    here = {**os.environ, "STACKGAN_CACHE": str(cache), "STACKGAN_DATA": str(tmp_path), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(
        [sys.executable, str(BENCHMARKS / name), *rest],
        cwd=tmp_path, env=here, capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert re.search(line, ended.stdout), ended.stdout
