"""Who started this process, read from the environment, and what that makes of `trainer.devices`."""

import pytest
import torch

from stackgan.core.errors import UserError
from stackgan.devices import machine
from stackgan.devices.crew import Crew, found

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none", "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2",
    "MASTER_ADDR": "one", "MASTER_PORT": "29500",
}  # fmt: skip
STEP = {
    "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": "2",
    "SLURM_STEP_NODELIST": "node[03-04]", "SLURM_PROCID": "2", "SLURM_LOCALID": "0",
}  # fmt: skip


def test_torchrun_says_everything() -> None:
    assert found(TORCHRUN) == Crew(3, 4, 1, 2, "one", 29500, "torchrun")


def test_srun_says_where_the_first_is_and_steps_do_not_meet() -> None:
    crew = found(STEP)
    assert crew is not None
    assert (crew.rank, crew.world, crew.local_rank, crew.local_world, crew.address) == (2, 4, 0, 2, "node03")
    other = found({**STEP, "SLURM_STEP_ID": "1"})
    assert other is not None
    assert other.port != crew.port
    told = found({**STEP, "MASTER_ADDR": "head", "MASTER_PORT": "1234"})
    assert told is not None
    assert (told.address, told.port) == ("head", 1234)


@pytest.mark.parametrize("env", [{}, {"SLURM_NTASKS": "4", "SLURM_JOB_ID": "7"}, {**STEP, "SLURM_STEP_NUM_TASKS": "1"}])
def test_a_process_alone_is_no_crew(env: dict[str, str]) -> None:
    assert found(env) is None


@pytest.mark.parametrize("devices", ["all", 1, 4])
def test_the_number_of_processes_is_that_of_who_started_them(devices: str | int, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in TORCHRUN.items():
        monkeypatch.setenv(key, value)
    settings = {"accelerator": "cpu", "devices": devices}
    machine.check(settings)
    assert settings["devices"] == 4
    assert machine.threads(settings) >= 1


@pytest.mark.parametrize(
    ("devices", "world", "complaint"),
    [
        (2, "4", "trainer.devices=2: torchrun started 4 processes; leave it out, or set trainer.devices=4"),
        ("all", "5", "trainer.devices=all: torchrun started 5 processes, 2 of them here; start the same number on each machine"),
    ],
)
def test_what_does_not_fit_is_refused(devices: str | int, world: str, complaint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {**TORCHRUN, "WORLD_SIZE": world}.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(UserError, match=f"^{complaint}$"):
        machine.check({"accelerator": "cpu", "devices": devices})


@pytest.mark.parametrize(
    ("told", "uneven"), [("2(x2)", None), ("2,2", None), ("2", None), ("4,1(x2)", "4,1(x2)"), ("1(x12),11", "1(x12),11")]
)
def test_srun_says_where_machines_have_unequal_shares(told: str, uneven: str | None) -> None:
    crew = found({**STEP, "SLURM_STEP_TASKS_PER_NODE": told})
    assert crew is not None
    assert crew.uneven == uneven


def test_unequal_shares_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two, one and one: their number alone would divide."""
    for key, value in {**STEP, "SLURM_STEP_NUM_NODES": "3", "SLURM_STEP_TASKS_PER_NODE": "2,1(x2)"}.items():
        monkeypatch.setenv(key, value)
    with pytest.raises(UserError) as caught:
        machine.check({"accelerator": "cpu", "devices": "all"})
    words = "srun started 4 processes, 2,1(x2) a machine; start the same number on each machine"
    assert str(caught.value) == f"trainer.devices=all: {words}"


@pytest.mark.parametrize(
    ("env", "way"), [(STEP, "(--gpus-per-node=2 --gpu-bind=none), or set trainer=cpu"), (TORCHRUN, "start that many")]
)
def test_one_gpu_for_each_process_is_not_enough(env: dict[str, str], way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in env.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError) as caught:
        machine.check({"accelerator": "gpu", "devices": 1})
    assert str(caught.value).startswith("trainer.accelerator=gpu: ")
    assert "started 2 processes here, and this one sees 1 of the GPUs; " in str(caught.value)
    assert way in str(caught.value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    settings = {"accelerator": "gpu", "devices": 1}
    machine.check(settings)
    assert settings["devices"] == 4
