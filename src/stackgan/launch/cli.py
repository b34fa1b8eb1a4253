"""From the command line to a verb: Hydra composes, and a mistake becomes one line instead of a traceback."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from stackgan.core.errors import RunError, UserError
from stackgan.launch import complaints
from stackgan.launch.places import home

USER_ERROR, RUN_ERROR = 2, 1
Verb = Callable[[DictConfig], Any]


def run(verb: Verb, config: str = "train") -> None:
    """Compose conf/<config>.yaml with the command line and call verb, once or, with -m, for each combination.

    Exits after one line with 2 where the user made a mistake, with 1 where a run could not go on.
    """
    # Hydra then lets exceptions through to us instead of printing several lines of its own.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    register()
    try:
        complaints.check_groups(sys.argv[1:], config)
        hydra.main(version_base="1.3", config_path=str(home(config)), config_name=config)(_job(verb, config))()
    except UserError as error:
        _fail(str(error))
    except RunError as error:
        _fail(str(error), RUN_ERROR)
    except KeyboardInterrupt:
        print("stopped by SIGINT", file=sys.stderr, flush=True)
        sys.exit(128 + signal.SIGINT)
    except (HydraException, OmegaConfBaseException) as error:
        _fail(complaints.explain(error, sys.argv[1:], config))


def register() -> None:
    """Make known what conf/ may write as `${by_stage:...}`, `${by_data:...}` and `${or_else:...}`."""
    OmegaConf.register_new_resolver("by_stage", by_stage, replace=True)
    OmegaConf.register_new_resolver("by_data", by_data, replace=True)
    OmegaConf.register_new_resolver("or_else", or_else, replace=True)


def by_data(data: str, *choices: str) -> str:
    """`${by_data:${data},toybirds,small,other}` in a list of defaults: small for toybirds, other for all others."""
    pairs = dict(zip(choices[:-1:2], choices[1::2], strict=True))
    return pairs.get(data, choices[-1])


def by_stage(first: Any, second: Any, *, _root_: DictConfig) -> Any:
    """`${by_stage:600,606}` in a YAML: the first value in Stage-I, the second in Stage-II."""
    return second if _root_.stage.name == "stage2" else first


def or_else(asked: Any, otherwise: Any) -> Any:
    """`${or_else:${stage.region},whole}` in a YAML: what was asked for, or the second value where that is null."""
    return otherwise if asked is None else asked


def multirun() -> bool:
    """Whether this job is one of a Hydra multirun."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def words() -> list[str]:
    """The words of this job as they were written: what they refer to belongs to the settings, not to Hydra's own."""
    written: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    return [str(word) for word in written]


def _job(verb: Verb, name: str) -> Verb:
    def job(config: DictConfig) -> Any:
        try:
            return verb(config)
        except (UserError, RunError, OmegaConfBaseException) as error:
            line = str(error) if isinstance(error, UserError | RunError) else complaints.explain(error, sys.argv[1:], name)
            # An exception that passes through Hydra makes it print a line of its own.
            if not multirun():
                _fail(line, RUN_ERROR if isinstance(error, RunError) else USER_ERROR)
            # A multirun goes on with its other jobs and reports failures only at its end.
            print(f"error in this job: {line}", file=sys.stderr, flush=True)
            raise

    return job


def _fail(line: str, code: int = USER_ERROR) -> None:
    print(f"error: {' '.join(line.split())}", file=sys.stderr, flush=True)
    sys.exit(code)
