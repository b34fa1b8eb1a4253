"""What settings tell of a stage without importing it is what the stage itself says."""

import subprocess
import sys
from pathlib import Path

import pytest
from hydra.utils import get_class
from omegaconf import OmegaConf

from stackgan.stage.base import Stage
from stackgan.stage.plans import PLANS

ROOT = Path(__file__).parents[2]
TARGETS = {
    node["_target_"] for path in (ROOT / "conf" / "stage").glob("*.yaml") if "_target_" in (node := OmegaConf.load(path))
}  # fmt: skip
"""The classes that settings name; a new one may say what it is built of itself, and needs no plan."""


@pytest.mark.parametrize("path", sorted(PLANS))
def test_a_stage_says_what_its_plan_says(path: str) -> None:
    stage, plan = get_class(path), PLANS[path]
    assert issubclass(stage, Stage)
    assert issubclass(stage, plan)
    for name in ("parts", "below"):
        assert getattr(stage, name).__func__ is getattr(plan, name).__func__


def test_each_plan_is_that_of_a_stage_that_settings_name() -> None:
    assert len(PLANS) == 8
    assert set(PLANS) <= TARGETS


def test_plans_are_read_without_pytorch() -> None:
    code = "import sys, stackgan.stage.plans; sys.exit(str(sorted({'torch', 'lightning'} & set(sys.modules))))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True, check=False)
    assert ended.stderr == "[]\n"
