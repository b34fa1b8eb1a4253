"""Runs on a real GPU: what the CPU's tests hold of the program, where the numbers may differ by rounding."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import SMALL, Program
from PIL import Image
from torch import Tensor

from stackgan.launch.sampling import sample

pytestmark = pytest.mark.gpu

ON_GPU = (*SMALL, "trainer=gpu", "trainer.precision=auto", "trainer.checkpoint_every_images=24", "trainer.checkpoints_kept=9")
RUNS = Path("logs/stage1/toybirds")


def done(program: Program, *words: str, **how: object) -> str:
    ended = program(*words, **how)
    assert ended.code == 0, ended.err
    return ended.out


def weights(run: str, seen: int) -> dict[str, Tensor]:
    found: dict[str, Tensor] = torch.load(RUNS / run / "checkpoints" / f"seen-{seen:09d}.pt")["weights"]
    return {name: value.float() for name, value in found.items() if value.is_floating_point()}


def distance(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    """Mean absolute difference."""
    return float(torch.cat([(a[name] - b[name]).abs().flatten() for name in a]).mean())


def test_a_run_says_what_it_used(program: Program, desk: Path) -> None:
    out = done(program, *ON_GPU, "run.name=one", "stage.images=48")
    assert "bf16-mixed precision" in out
    results = json.loads((RUNS / "one/results.json").read_text())
    assert 0 < results["peak_gpu_memory_gib"] < 8
    provenance = json.loads((RUNS / "one/provenance.json").read_text())
    assert torch.cuda.get_device_name() in json.dumps(provenance)
    assert not any(value.is_cuda for value in weights("one", 48).values())


def test_a_cut_run_ends_where_it_would_have(program: Program, desk: Path) -> None:
    """Sums of a GPU come in any order, so not bit for bit: far nearer than what the last half of the run changed."""
    done(program, *ON_GPU, "trainer.precision=32-true", "run.name=whole", "stage.images=48")
    done(program, *ON_GPU, "trainer.precision=32-true", "run.name=cut", "stage.images=24")
    done(program, *ON_GPU, "trainer.precision=32-true", "run.name=cut", "stage.images=48")
    moved = distance(weights("whole", 24), weights("whole", 48))
    assert moved > 0
    assert distance(weights("whole", 24), weights("cut", 24)) < 0.2 * moved
    assert distance(weights("whole", 48), weights("cut", 48)) < 0.2 * moved


def test_pictures_of_a_checkpoint_are_the_same_on_the_cpu(program: Program, desk: Path) -> None:
    done(program, *ON_GPU, "run.name=one", "stage.images=24")
    drawn = []
    for accelerator in ("gpu", "cpu"):
        words = (
            "run=run://stage1/toybirds/one",
            "text=[a red bird,a blue bird]",
            f"accelerator={accelerator}",
            f"out={accelerator}",
        )
        done(program, *words, f"out={accelerator}", verb=sample, config="sample")
        sheets = sorted(Path(accelerator).rglob("*.png"))
        assert sheets
        drawn.append([np.asarray(Image.open(path).convert("RGB")).astype(int) for path in sheets])
    for here, there in zip(*drawn, strict=True):
        assert here.std() > 0
        assert np.abs(here - there).mean() < 1


def test_stage_two_and_jobs_that_share_a_gpu(shell: Program, desk: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
    sweep = ("-m", "stage.conditioning_augmentation=true,false", "sweep.name=both", "stage=stage2", "stage.base=train")
    sizes = ("stage.base_images=24", "stage.images=24", "stage.resolution=128")
    ended = shell(*sweep, *sizes, *ON_GPU, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert ended.code == 0, ended.err
    assert len(list(Path("sweeps/both").rglob("DONE"))) == 4
    assert Path("sweeps/both/grid.png").exists()


def test_explain_measures_the_gpu(program: Program, desk: Path) -> None:
    out = done(program, *ON_GPU, "explain=true")
    assert torch.cuda.get_device_name() in out
    assert not RUNS.exists()
