"""What launchers ask for, and how joblib's processes share the CPU."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import pytest
import torch
from commands import SRC

from stackgan.core.errors import UserError
from stackgan.devices import machine
from stackgan.sweeps import launchers
from stackgan.sweeps.workers import Worker


@pytest.mark.parametrize(("n_jobs", "jobs", "threads"), [(2, 5, 4), (4, 5, 2), (4, 1, 8), (3, 3, 2), (16, 20, 1)])
def test_jobs_at_once_share_the_threads(n_jobs: int, jobs: int, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "threads", lambda settings: 8 // settings["devices"])
    assert launchers.threads_of_each({"n_jobs": n_jobs}, jobs) == threads


def test_every_core_at_work_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "threads", lambda settings: joblib.effective_n_jobs(-1))
    assert launchers.threads_of_each({"n_jobs": -1}, 1000) == 1


def threads_in(worker: Worker) -> tuple[int, int, bool]:
    """What a job in a process of joblib's finds: PyTorch's threads, those that a run of no own takes, whether it shall stop."""
    with worker:
        return torch.get_num_threads(), machine.threads({"devices": 1}), worker.stopping()


@pytest.mark.slow
def test_a_worker_has_its_share_and_hears_that_it_shall_stop(tmp_path: Path) -> None:
    stop = tmp_path / "stop"
    worker, taken = Worker(os.getpid(), 3, str(stop)), min(3, machine._quota())  # other than joblib's own idea of a share
    parallel = joblib.Parallel(n_jobs=2, backend="loky")
    assert parallel(joblib.delayed(threads_in)(worker) for _ in range(3)) == [(3, taken, False)] * 3
    stop.touch()
    assert parallel([joblib.delayed(threads_in)(worker)]) == [(3, taken, True)]


def test_processes_find_the_package_installed_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "before")
    launchers.prepare({"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"})
    assert os.environ["PYTHONPATH"] == "before"
    for _ in range(2):
        launchers.prepare({"_target_": "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher"})
    source, before = os.environ["PYTHONPATH"].split(os.pathsep)
    assert (Path(source) / "stackgan" / "sweeps" / "launchers.py").is_file()
    assert before == "before"


def submitit(name: str, **asked: Any) -> dict[str, Any]:
    """`hydra.launcher` as submitit's plugin has it where nothing but this is asked for."""
    target = f"hydra_plugins.hydra_submitit_launcher.submitit_launcher.{name}"
    slurm = {"gres": None, "gpus_per_task": None, "additional_parameters": {}} if name == "SlurmLauncher" else {}
    return {"_target_": target, "nodes": 1, "tasks_per_node": 1, "gpus_per_node": None, **slurm, **asked}


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with two GPUs and an sbatch."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    (tmp_path / "sbatch").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


@pytest.mark.parametrize(
    ("name", "asked", "accelerator"),
    [
        ("LocalLauncher", {}, "auto"),
        ("LocalLauncher", {}, "gpu"),
        ("LocalLauncher", {"gpus_per_node": 0}, "gpu"),
        ("SlurmLauncher", {}, "gpu"),
    ],
)
def test_submitit_hides_gpus_that_were_not_asked_for(name: str, asked: dict[str, Any], accelerator: str, gpus: None) -> None:
    word = "gpus_per_node=0: " if asked else "gpus_per_node=null: "
    way = r"set hydra\.launcher\.gpus_per_node=2, or trainer=cpu$"
    with pytest.raises(UserError, match=f"^hydra.launcher.{word}hydra/launcher=submitit_.* gives its jobs no GPU then; {way}"):
        launchers.check(submitit(name, **asked), {"trainer": {"accelerator": accelerator, "devices": 2}})


@pytest.mark.parametrize(
    ("name", "asked", "accelerator"),
    [
        ("LocalLauncher", {}, "cpu"),
        ("LocalLauncher", {"gpus_per_node": 1}, "auto"),
        ("LocalLauncher", {"gpus_per_node": 0}, "auto"),
        ("SlurmLauncher", {}, "auto"),
        ("SlurmLauncher", {"gres": "gpu:1"}, "gpu"),
        ("SlurmLauncher", {"additional_parameters": {"gpus": 1}}, "gpu"),
    ],
)
def test_gpus_that_were_asked_for_or_are_not_wanted(name: str, asked: dict[str, Any], accelerator: str, gpus: None) -> None:
    launchers.check(submitit(name, **asked), {"trainer": {"accelerator": accelerator, "devices": 1}})


def test_a_machine_without_gpus_hides_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    launchers.check(submitit("LocalLauncher"), {"trainer": {"accelerator": "auto", "devices": 1}})


@pytest.mark.parametrize(
    ("name", "asked", "told", "jobs", "expected"),
    [
        ("LocalLauncher", 1, None, 3, ["0", "1", "0"]),
        ("LocalLauncher", 2, None, 2, ["0,1", "0,1"]),
        ("LocalLauncher", 1, "3,GPU-5", 3, ["3", "GPU-5", "3"]),
        ("LocalLauncher", 2, "4,5,6", 2, ["4,5", "6,4"]),
        ("LocalLauncher", 3, None, 2, []),
        ("LocalLauncher", 1, "", 2, []),
        ("LocalLauncher", None, None, 2, []),
        ("LocalLauncher", 0, None, 2, []),
        ("SlurmLauncher", 1, None, 2, []),
    ],
)
def test_jobs_of_one_machine_take_its_gpus_in_turn(
    name: str, asked: int | None, told: str | None, jobs: int, expected: list[str], gpus: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if told is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", told)
    assert launchers.gpus_of_each(submitit(name, gpus_per_node=asked), jobs) == expected


def test_launchers_of_one_process_share_no_gpus_out(gpus: None) -> None:
    basic = {"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"}
    joblib = {"_target_": "hydra_plugins.hydra_joblib_launcher.joblib_launcher.JoblibLauncher", "n_jobs": 2}
    assert launchers.gpus_of_each(basic, 2) == launchers.gpus_of_each(joblib, 2) == []


ASKS = """
import torch

def asked():
    raise AssertionError("CUDA was asked, and which GPUs are visible is settled")

torch.cuda.is_available = torch.cuda.device_count = torch.cuda.init = asked
import stackgan.launch.training, stackgan.sweeps.jobs
"""


@pytest.mark.slow
def test_what_a_job_is_made_of_asks_for_no_gpu_before_it_begins() -> None:
    ended = subprocess.run([sys.executable, "-c", ASKS], env={**os.environ, "PYTHONPATH": str(SRC)}, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
