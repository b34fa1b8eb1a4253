"""The sweeper of conf/hydra/sweeper/rows.yaml. Hydra takes sweepers only from a package of this name, wherever it finds one."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


class RowSweeper(Sweeper):
    """stackgan.launch.sweeping under Hydra's interface. rows, params: see there; setup() reads them as they are written."""

    def __init__(self, rows: Any, params: Any) -> None:
        self._sweeping: Any = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take Hydra's means of composing and calling a job."""
        # Here, since Hydra imports every plugin even for programs that sweep nothing.
        from stackgan.launch.sweeping import Sweeping

        # Not what __init__ was given: there the jobs' own interpolations are resolved once for all.
        written: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=False)
        self._sweeping = Sweeping(written["rows"], written["params"], hydra_context, task_function, config)

    def sweep(self, arguments: list[str]) -> Any:
        """Run all jobs. Raises RunError where some failed."""
        return self._sweeping.sweep(arguments)
