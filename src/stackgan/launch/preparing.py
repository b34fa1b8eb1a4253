"""The doctor's visit: a data set checked, encoded, cached, and shown; where wanted, exported."""

from pathlib import Path

from omegaconf import DictConfig

from stackgan.core.errors import UserError
from stackgan.data import doctor
from stackgan.launch import build, schema, settings


def prepare(composed: DictConfig) -> None:
    """Prepare the data set of the settings and print the report. Raises UserError where the data is not good."""
    config = schema.check(composed, settings.Preparing)
    if config["explain"]:
        raise UserError("explain=true: prepare.py trains nothing anyway; give it to train.py, or drop it")
    target = config["export"] and Path(config["export"])
    if target and target.exists():
        raise UserError(f"export={target}: exists already; name a folder that does not, or remove it")
    module = build.data_module(config)
    print(doctor.prepare(module))
    if target:
        from stackgan.data.export import export  # what it needs takes seconds to import

        export(module, target)
        print(f"exported: {target} (data=hf data.root={target} reads it back)")
