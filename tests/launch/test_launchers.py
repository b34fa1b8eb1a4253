"""What launchers ask for, and how joblib's processes share the CPU."""

import os
from pathlib import Path

import joblib
import pytest
import torch

from stackgan.launch import launchers, machine
from stackgan.launch.sweep_workers import Worker


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
    assert (Path(source) / "stackgan" / "launch" / "launchers.py").is_file()
    assert before == "before"
