"""What launchers ask for, and how joblib's processes share the CPU."""

import os
from pathlib import Path
from typing import Any

import joblib
import pytest
import torch

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
