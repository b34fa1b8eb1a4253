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
SYSTEMS = sorted(path.stem for path in (ROOT / "conf" / "stage").glob("[!_]*.yaml"))


def target(system: str) -> str:
    node = OmegaConf.load(ROOT / "conf" / "stage" / f"{system}.yaml")
    above = OmegaConf.load(ROOT / "conf" / "stage" / "_stackgan.yaml")
    return str(node.get("_target_") or above["_target_"])


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_stage_says_what_its_plan_says(system: str) -> None:
    stage, plan = get_class(target(system)), PLANS[target(system)]
    assert issubclass(stage, Stage)
    assert issubclass(stage, plan)
    for name in ("parts", "below"):
        assert getattr(stage, name).__func__ is getattr(plan, name).__func__


def test_each_plan_is_a_stage_s() -> None:
    assert set(PLANS) == {target(system) for system in SYSTEMS}


def test_plans_are_read_without_pytorch() -> None:
    code = "import sys, stackgan.stage.plans; sys.exit(str(sorted({'torch', 'lightning'} & set(sys.modules))))"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "src", capture_output=True, text=True, check=False)
    assert ended.stderr == "[]\n"
