"""A mistake on the command line, said in one line with the nearest right word and the way out."""

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from stackgan.core.errors import UserError, did_you_mean
from stackgan.launch.places import home

MANY, SEVERAL = {"-m", "--multirun"}, ("train", "sample")
"""Words that ask for many jobs, and the verbs that take them."""


def check_groups(words: list[str], config: str) -> None:
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
        if name == "hparams_search" and (trouble := _not_installed(value)):
            raise UserError(f"{word}: {trouble}")
        if "." in key and not value.startswith(("{", "$")):
            raise UserError(f"{word}: {key} is a group; did you mean {name}={value}? ({name} has {choices})")
        if "." not in key and re.fullmatch(r"|null|true|false|[\d.+-]+", value):
            raise UserError(f"{word}: a group takes the name of one of its files, or is left out ({name} has {choices})")


def _choices(group: str, config: str) -> list[str]:
    return sorted(path.stem for path in (home(config) / group).glob("*.yaml") if not path.stem.startswith("_"))


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
    from stackgan.launch import launchers

    if trouble := _not_installed(choice):
        return f"{group}={choice}: {trouble}"
    return f"{group}={choice}: no such choice{did_you_mean(choice, launchers.PLUGINS)} ({group} has {', '.join(launchers.CHOICES)})"


def _not_installed(choice: str) -> str | None:
    """What a launcher or search lacks, None where it is here. Imported when one is asked for: with it comes PyTorch Lightning."""
    from stackgan.launch import launchers

    package = launchers.missing(choice)
    return None if package is None else f"{package} is not installed; {launchers.INSTALL}"


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
