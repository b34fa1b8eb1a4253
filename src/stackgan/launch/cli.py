"""From the command line to a verb: Hydra composes, and a mistake becomes one line instead of a traceback."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from stackgan.core.errors import UserError, did_you_mean
from stackgan.launch.places import CONF

USER_ERROR = 2
Verb = Callable[[DictConfig], Any]


def run(verb: Verb, config: str = "train") -> None:
    """Compose conf/<config>.yaml with the command line and call verb, once or, with -m, for each combination.

    Exits with 2 after one line where the user made a mistake.
    """
    # Hydra then lets exceptions through to us instead of printing several lines of its own.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    OmegaConf.register_new_resolver("by_stage", by_stage, replace=True)
    try:
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=config)(_job(verb))()
    except UserError as error:
        _fail(str(error))
    except (HydraException, OmegaConfBaseException) as error:
        _fail(explain(error, sys.argv[1:], config))


def by_stage(first: Any, second: Any, *, _root_: DictConfig) -> Any:
    """`${by_stage:600,606}` in a YAML: the first value in Stage-I, the second in Stage-II."""
    return second if _root_.stage.name == "stage2" else first


def multirun() -> bool:
    """Whether this job is one of a Hydra multirun."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def _job(verb: Verb) -> Verb:
    def job(config: DictConfig) -> Any:
        try:
            return verb(config)
        except UserError as error:
            # A multirun goes on with its other jobs and reports failures only at its end.
            if multirun():
                print(f"error in this job: {error}", file=sys.stderr, flush=True)
            raise

    return job


def _fail(line: str) -> None:
    print(f"error: {line}", file=sys.stderr, flush=True)
    sys.exit(USER_ERROR)


def explain(error: Exception, words: list[str], config: str) -> str:
    """Hydra's and OmegaConf's complaints in one line with the nearest right name."""
    text = str(error)
    if found := re.search(r"Could not find '([^']+)'", text):
        group, _, choice = found[1].rpartition("/")
        choices = re.findall(r"\n\t(\S+)", text)
        return f"{group}={choice}: no such choice{did_you_mean(choice, choices)} ({group} has {', '.join(sorted(choices))})"
    if found := re.search(r"Could not (?:override|append to config) '([^']+)'|Key '([^']+)' is not in struct", text):
        return _unknown_key(found[1] or found[2], words, config)
    if found := re.search(r"Interpolation key '([^']+)' not found", text):
        return f"{found[1]}: a setting refers to it, and it does not exist"
    return " ".join(text.split("\n")[0].split()) + _full_key(text)


def _full_key(text: str) -> str:
    found = re.search(r"full_key: (\S+)", text)
    return f" (at {found[1]})" if found else ""


def _unknown_key(key: str, words: list[str], config: str) -> str:
    given = next((word for word in words if word.lstrip("+~").split("=")[0] == key), f"{key}=...")
    known = list(_keys(_defaults(config, words)))
    parts = key.split("/")
    if len(parts) > 1 or (CONF / key).is_dir():
        known += [str(path.relative_to(CONF)) for path in CONF.rglob("*") if path.is_dir()]
    return f"{given}: no such setting{did_you_mean(key, known)}"


def _defaults(config: str, words: list[str]) -> DictConfig:
    """The config with only the group choices of the command line that compose, to learn its keys."""
    parsed = [override for override in OverridesParser.create().parse_overrides([w for w in words if "=" in w and w[0] != "-"])]
    groups = [f"{o.key_or_group}={o.value()}" for o in parsed if (CONF / o.key_or_group).is_dir() and isinstance(o.value(), str)]
    from hydra import compose, initialize_config_dir

    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        try:
            return compose(config_name=config, overrides=groups)
        except HydraException:
            return compose(config_name=config)


def _keys(node: Any, path: str = "") -> Iterator[str]:
    plain: Any = OmegaConf.to_container(node, resolve=False) if isinstance(node, DictConfig) else node
    if isinstance(plain, Mapping):
        for key, value in plain.items():
            yield f"{path}{key}"
            yield from _keys(value, f"{path}{key}.")
