"""The sweepers of conf/: rows and search. Hydra takes sweepers only from a package of this name, wherever it finds one."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


class RowSweeper(Sweeper):
    """stackgan.sweeps.sweeping under Hydra's interface. rows, params: see there; setup() reads them as they are written."""

    def __init__(self, rows: Any, params: Any) -> None:
        self._sweeping: Any = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take Hydra's means of composing and calling a job."""
        # Here, since Hydra imports every plugin even for programs that sweep nothing.
        from stackgan.sweeps.sweeping import Sweeping

        # Not what __init__ was given: there the jobs' own interpolations are resolved once for all.
        written: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=False)
        self._sweeping = Sweeping(written["rows"], written["params"], hydra_context, task_function, config)

    def sweep(self, arguments: list[str]) -> None:
        """Run all jobs. Raises RunError where some failed."""
        self._sweeping.sweep(arguments)


class SearchSweeper(Sweeper):
    """stackgan.sweeps.searching under Hydra's interface. settings: those of hydra_optuna_sweeper's sweeper, which proposes.

    rows: those of a sweep, which a search cannot follow.
    """

    def __init__(self, rows: Any, **settings: Any) -> None:
        self._settings = settings
        self._searching: Any = None

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take Hydra's means of composing and calling a job. Raises UserError for a setting that a search cannot follow."""
        from hydra_plugins.hydra_optuna_sweeper.optuna_sweeper import OptunaSweeper

        from stackgan.sweeps.searching import Searching

        optuna = OptunaSweeper(**self._settings)
        optuna.setup(hydra_context=hydra_context, task_function=task_function, config=config)
        self._searching = Searching(optuna.sweeper, hydra_context, task_function, config)

    def sweep(self, arguments: list[str]) -> None:
        """Run all trials."""
        self._searching.sweep(arguments)
