"""From the command line to a verb: Hydra composes, and a mistake becomes one line instead of a traceback."""

import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from stackgan.core.errors import RunError, UserError, did_you_mean
from stackgan.launch import launchers
from stackgan.launch.places import home

USER_ERROR, RUN_ERROR = 2, 1
MANY, SEVERAL = {"-m", "--multirun"}, ("train", "sample")
"""Words that ask for many jobs, and the verbs that take them."""
Verb = Callable[[DictConfig], Any]


def run(verb: Verb, config: str = "train") -> None:
    """Compose conf/<config>.yaml with the command line and call verb, once or, with -m, for each combination.

    Exits after one line with 2 where the user made a mistake, with 1 where a run could not go on.
    """
    # Hydra then lets exceptions through to us instead of printing several lines of its own.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    register()
    try:
        _check_groups(sys.argv[1:], config)
        hydra.main(version_base="1.3", config_path=str(home(config)), config_name=config)(_job(verb, config))()
    except UserError as error:
        _fail(str(error))
    except RunError as error:
        _fail(str(error), RUN_ERROR)
    except KeyboardInterrupt:
        print("stopped by SIGINT", file=sys.stderr, flush=True)
        sys.exit(128 + signal.SIGINT)
    except (HydraException, OmegaConfBaseException) as error:
        _fail(explain(error, sys.argv[1:], config))


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
            line = str(error) if isinstance(error, UserError | RunError) else explain(error, sys.argv[1:], name)
            # An exception that passes through Hydra makes it print a line of its own.
            if not multirun():
                _fail(line, RUN_ERROR if isinstance(error, RunError) else USER_ERROR)
            # A multirun goes on with its other jobs and reports failures only at its end.
            print(f"error in this job: {line}", file=sys.stderr, flush=True)
            raise

    return job


def _check_groups(words: list[str], config: str) -> None:
    """Raise UserError for slips that Hydra answers with a traceback or misreads: `stage.recipe=modern`, `callbacks=null`, `=3`."""
    if config not in SEVERAL and (many := MANY & set(words)):
        raise UserError(f"{many.pop()}: {config}.py does one thing a call; call it once for each, without -m")
    for word in words:
        key, equals, value = word.partition("=")
        if word.startswith("="):
            raise UserError(f"{word}: write <setting>=<value>")
        name = key.lstrip("+~").replace(".", "/")
        if not equals or name.startswith("-") or not (home(config) / name).is_dir():
            continue
        choices = ", ".join(_choices(name, config))
        if name in ("sweep", "hparams_search") and not MANY & set(words):
            raise UserError(f"{word}: a {name.split('_')[-1]} is many jobs; give -m too: python src/train.py -m {word}")
        if name == "hparams_search" and (package := launchers.missing(value)) is not None:
            raise UserError(f"{word}: {package} is not installed; {launchers.INSTALL}")
        if "." in key and not value.startswith(("{", "$")):
            raise UserError(f"{word}: {key} is a group; did you mean {name}={value}? ({name} has {choices})")
        if "." not in key and re.fullmatch(r"|null|true|false|[\d.+-]+", value):
            raise UserError(f"{word}: a group takes the name of one of its files, or is left out ({name} has {choices})")


def _choices(group: str, config: str) -> list[str]:
    return sorted(path.stem for path in (home(config) / group).glob("*.yaml") if not path.stem.startswith("_"))


def _fail(line: str, code: int = USER_ERROR) -> None:
    print(f"error: {' '.join(line.split())}", file=sys.stderr, flush=True)
    sys.exit(code)


def explain(error: Exception, words: list[str], config: str) -> str:
    """Hydra's and OmegaConf's complaints in one line with the nearest right name."""
    text = str(error)
    if isinstance(error, HydraException) and (line := _unreadable(words, config)):
        return line
    if found := re.search(r"Could not (?:find|load) '([^']+)'", text):
        group, _, choice = found[1].rpartition("/")
        if group == "hydra/launcher":
            return _plugin(group, choice)
        choices = _choices(group, config)
        return f"{group}={choice}: no such choice{did_you_mean(choice, choices)} ({group} has {', '.join(sorted(choices))})"
    if found := re.search(r"Could not (?:override|append to config) '([^']+)'|Key '([^']+)' is not in struct", text):
        return _unknown_key(found[1] or found[2], words, config)
    if found := re.search(r"Could not delete from config[^']*'([^']+)'", text):
        return f"~{found[1]}: a setting cannot be left out; give it a value"
    if found := re.search(r"Interpolation key '([^']+)' not found", text):
        return f"{found[1]}: a setting refers to it, and it does not exist; give it a value"
    if (found := re.search(r"Error parsing override '([^']*)'", text)) and "=" not in found[1]:
        return f"{found[1]}: not a setting; write {found[1]}=<value>"
    if "Missing mandatory value" in text and (found := re.search(r"full_key: (\S+)", text)):
        return f"{found[1]}=???: needs a value"
    return " ".join(text.split("\n")[0].split()) + _full_key(text)


def _plugin(group: str, choice: str) -> str:
    """A launcher of a package that is not here, or of none."""
    if (package := launchers.missing(choice)) is not None:
        return f"{group}={choice}: {package} is not installed; {launchers.INSTALL}"
    return f"{group}={choice}: no such choice{did_you_mean(choice, launchers.PLUGINS)} ({group} has {', '.join(launchers.CHOICES)})"


def _unreadable(words: list[str], config: str) -> str | None:
    """The first word whose value Hydra's grammar cannot read, or reads as several values, and how to write it."""
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or word.startswith("-"):
            continue
        try:
            several = OverridesParser.create().parse_override(word).is_sweep_override() and not MANY & set(words)
        except HydraException:
            several = False
        else:
            if not several:
                continue
        what = "not a value by Hydra's grammar; "
        if several:
            only = ", which only -m takes" if config in SEVERAL else ""
            what = f"commas part several values{only}; write {shlex.quote(f'{key}=[{value}]')} for a list, or if it is one text "
        escaped = value.replace('"', '\\"')
        return f"{word}: {what}quote it for Hydra too: " + shlex.quote(f'{key}="{escaped}"')
    return None


def _full_key(text: str) -> str:
    found = re.search(r"full_key: (\S+)", text)
    return f" (at {found[1]})" if found else ""


def _unknown_key(key: str, words: list[str], config: str) -> str:
    given = next((word for word in words if word.lstrip("+~").split("=")[0] == key), f"{key}=...")
    known = list(_keys(_defaults(config, words)))
    if key in known or key in _keys(_defaults(config, [])):
        return f"{given}: the other choices of this command leave no such setting; drop it, or them"
    parts = key.split("/")
    root = home(config)
    if len(parts) > 1 and (root / key).is_dir():
        return f"{given}: the other choices of this command have no such group; drop it, or them"
    if len(parts) > 1 or (root / key).is_dir():
        known += [str(path.relative_to(root)) for path in root.rglob("*") if path.is_dir()]
    return f"{given}: no such setting{did_you_mean(key, known)}"


def _defaults(config: str, words: list[str]) -> DictConfig:
    """The config with only the group choices of the command line that compose, to learn its keys."""
    parsed = OverridesParser.create().parse_overrides([w for w in words if "=" in w and w[0] != "-"])
    groups = [
        f"{o.key_or_group}={o.value()}" for o in parsed if (home(config) / o.key_or_group).is_dir() and isinstance(o.value(), str)
    ]
    from hydra import compose, initialize_config_dir

    # A sweep asks while Hydra is at work.
    at_work = GlobalHydra.instance().is_initialized()
    with nullcontext() if at_work else initialize_config_dir(version_base="1.3", config_dir=str(home(config))):
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
