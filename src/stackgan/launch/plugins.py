"""Packages that bring Hydra launchers for a sweep, and the search: which there are, and which are missing here."""

import importlib.util

CHOICES = ("basic", "joblib", "submitit_local", "submitit_slurm")
PACKAGES = {
    "joblib": "hydra_joblib_launcher",
    "submitit_local": "hydra_submitit_launcher",
    "submitit_slurm": "hydra_submitit_launcher",
    "optuna": "hydra_optuna_sweeper",
}
"""The packages that bring launchers, and the search."""
INSTALL = "pip install --constraint constraints.txt --editable '.[sweep]'"


def missing(choice: str) -> str | None:
    """Which package brings this launcher or search, None where it is here or no such choice is known."""
    plugin = PACKAGES.get(choice)
    return None if plugin is None or _there(plugin) else plugin.replace("_", "-")


def _there(plugin: str) -> bool:
    return importlib.util.find_spec("hydra_plugins") is not None and importlib.util.find_spec(f"hydra_plugins.{plugin}") is not None
