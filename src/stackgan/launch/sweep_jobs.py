"""A job of a sweep, in whatever process the launcher runs it: its state is written down, and the table and the grid grow."""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import TaskFunction
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from stackgan.core.errors import RunError, UserError
from stackgan.launch import cli, sweep_grid
from stackgan.runs.sweep import SweepFolder

EXPECTED = (UserError, RunError, HydraException, OmegaConfBaseException)
"""What cli says in one line; anything else is a fault of the program, whose traceback is shown."""


@dataclass(frozen=True)
class Recorded:
    """What trains, and the sweep's folder that tells of it."""

    verb: TaskFunction
    folder: str

    def __call__(self, config: DictConfig) -> Any:
        """Train. What ends the job goes on through the launcher, which then takes the next, or ends with the program."""
        sweep = SweepFolder(Path(self.folder))
        words = list(HydraConfig.get().overrides.task)
        name = next(job.row for job in sweep.jobs() if list(job.words) == words)
        print(f"job: {name}", flush=True)
        sweep.mark(words, "running")
        try:
            returned = self.verb(config)
        except Exception as error:
            sweep.mark(words, "failed", cause(error, words))
            if not isinstance(error, EXPECTED):
                traceback.print_exc()
            raise
        except BaseException:
            sweep.mark(words, "cut")
            raise
        sweep.mark(words, "done")
        sweep_grid.grow(sweep)
        return returned


def cause(error: Exception, words: Sequence[str]) -> str:
    """One line."""
    if isinstance(error, UserError | RunError):
        line = str(error)
    elif isinstance(error, EXPECTED):
        line = cli.explain(error, list(words), "train")
    else:
        line = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}"
    return " ".join(line.split())
