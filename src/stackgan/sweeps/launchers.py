"""Hydra's launchers, as a sweep uses them: what they ask for, how many jobs run at once."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import stackgan
from stackgan.core.errors import UserError
from stackgan.devices import crew, machine

Config = Mapping[str, Any]


def kind(launcher: Config) -> str:
    """joblib, submitit_local, submitit_slurm or basic. launcher: `hydra.launcher`."""
    last = str(launcher["_target_"]).rpartition(".")[2]
    return {"JoblibLauncher": "joblib", "LocalLauncher": "submitit_local", "SlurmLauncher": "submitit_slurm"}.get(last, "basic")


def check(launcher: Config, config: Config) -> None:
    """Raise UserError where the launcher, or this machine under it, cannot run a job with these settings.

    `trainer.devices=all` becomes their number where the job will run here.
    """
    devices = config["trainer"]["devices"]
    if kind(launcher) != "basic" and (started := crew.here()) is not None:
        raise UserError(f"hydra/launcher={kind(launcher)}: {started.by} started these processes; drop one of the two")
    if kind(launcher) == "joblib":
        if devices != 1:
            raise UserError(
                f"trainer.devices={devices}: hydra/launcher=joblib gives each job one process; set trainer.devices=1, "
                "or hydra/launcher=submitit_local or basic, which run several processes a job"
            )
        if launcher["n_jobs"] == 0:
            raise UserError("hydra.launcher.n_jobs=0: no job would run; set how many at once, or -1 for one a core")
    if kind(launcher).startswith("submitit"):
        for key in ("nodes", "tasks_per_node"):
            if launcher[key] != 1:
                raise UserError(
                    f"hydra.launcher.{key}={launcher[key]}: a job starts its processes itself; leave {key} at 1 and set "
                    "trainer.devices (and hydra.launcher.cpus_per_task, gpus_per_node)"
                )
    if kind(launcher) == "submitit_slurm" and shutil.which("sbatch") is None:
        raise UserError("hydra/launcher=submitit_slurm: there is no sbatch here; give the command where SLURM is, or take another")
    if kind(launcher) != "submitit_slurm":
        machine.check(config["trainer"])
    elif devices == "all":
        config["trainer"]["devices"] = 1  # the node that will run it is asked when it does
    if kind(launcher).startswith("submitit"):
        _check_gpus(launcher, config["trainer"])


def _check_gpus(launcher: Config, trainer: Config) -> None:
    """submitit shows a job no GPU that was not asked for; the job would then train on its CPU, or fail."""
    asked = launcher["gpus_per_node"]
    if kind(launcher) == "submitit_local":
        hidden = not asked if trainer["accelerator"] == "gpu" else asked is None and machine.on_gpu(trainer)
    else:
        other = [launcher["gres"], launcher["gpus_per_task"], *launcher["additional_parameters"]]
        hidden = trainer["accelerator"] == "gpu" and not asked and not any(other)
    if hidden:
        raise UserError(
            f"hydra.launcher.gpus_per_node={'null' if asked is None else asked}: hydra/launcher={kind(launcher)} gives its jobs "
            f"no GPU then; set hydra.launcher.gpus_per_node={trainer['devices']}, or trainer=cpu"
        )


def prepare(launcher: Config) -> None:
    """Let processes that a launcher starts by itself find this package, installed or not."""
    if kind(launcher) != "basic":
        source, path = str(Path(stackgan.__file__).parents[1]), os.environ.get("PYTHONPATH", "")
        if source not in path.split(os.pathsep):
            os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [source, path]))


def gpus_of_each(launcher: Config, jobs: int) -> list[str]:
    """CUDA_VISIBLE_DEVICES of each of so many jobs that submitit_local starts at once: this process's GPUs, taken in turn.

    submitit itself shows all jobs the machine's first ones. [] where its choice stands, as none were asked for or more than there
    are, and of other launchers.
    """
    asked = launcher["gpus_per_node"] if kind(launcher) == "submitit_local" else None
    here = machine.visible() if asked else []
    if not asked or asked > len(here):
        return []
    return [",".join(here[(job * asked + place) % len(here)] for place in range(asked)) for job in range(jobs)]


def threads_of_each(launcher: Config, jobs: int) -> int:
    """CPU threads of each of joblib's processes, where jobs are to be run: this process's, shared among those at work at once."""
    return max(1, machine.threads({"devices": 1}) // max(1, min(jobs, at_once(launcher))))


def at_once(launcher: Config) -> int:
    """How many jobs joblib runs at a time."""
    import joblib

    return int(joblib.effective_n_jobs(launcher["n_jobs"]))
