"""Who started this process, read from the environment, and what that makes of `trainer.devices`."""

import pytest

from stackgan.core.errors import UserError
from stackgan.launch import machine
from stackgan.launch.crew import Crew, found

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
