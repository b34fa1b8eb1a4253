"""Whether torchrun or SLURM's srun started this process as one of several ranks, on one machine or more."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lightning.fabric.plugins.environments.slurm import SLURMEnvironment


@dataclass(frozen=True)
class Crew:
    """Where this process stands among world of them, local_world on this machine. address, port: where they meet.

    uneven: how many are on each machine as srun writes it ("4,1(x2)": four on the first, one on each of two more), where that is
    not the same number; local_world is then only about right.
    """

    rank: int
    world: int
    local_rank: int
    local_world: int
    address: str
    port: int
    by: str
    uneven: str | None = None


def found(env: Mapping[str, str]) -> Crew | None:
    """What torchrun or srun said in the environment; None where neither started this process."""
    if "TORCHELASTIC_RUN_ID" in env:
        rank, world, local_rank, local_world = (int(env[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"))
        crew = Crew(rank, world, local_rank, local_world, env["MASTER_ADDR"], int(env["MASTER_PORT"]), "torchrun")
    elif int(env.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        world, nodes = int(env["SLURM_STEP_NUM_TASKS"]), int(env.get("SLURM_STEP_NUM_NODES", "1"))
        first = SLURMEnvironment.resolve_root_node_address(env.get("SLURM_STEP_NODELIST", "127.0.0.1"))
        # Two steps of one job, or two jobs on one machine, must not meet.
        port = 20_000 + (int(env["SLURM_JOB_ID"]) * 31 + int(env.get("SLURM_STEP_ID", "0"))) % 10_000
        ranks = int(env["SLURM_PROCID"]), world, int(env["SLURM_LOCALID"]), max(1, world // nodes)
        uneven = _uneven(env.get("SLURM_STEP_TASKS_PER_NODE", ""))
        crew = Crew(*ranks, env.get("MASTER_ADDR", first), int(env.get("MASTER_PORT", port)), "srun", uneven)
    else:
        return None
    return crew if crew.world > 1 else None


def _uneven(told: str) -> str | None:
    return told if len(set(re.findall(r"(\d+)(?:\(x\d+\))?(?:,|$)", told))) > 1 else None


def here() -> Crew | None:
    """This process's."""
    return found(os.environ)
