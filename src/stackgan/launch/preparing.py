"""The doctor's visit: a data set checked, encoded, cached, and shown."""

from omegaconf import DictConfig

from stackgan.data import doctor
from stackgan.launch import build, schema


def prepare(composed: DictConfig) -> None:
    """Prepare the data set of the settings and print the report. Raises UserError where the data is not good."""
    print(doctor.prepare(build.data_module(schema.check(composed))))
