"""Types, ranges and names of settings: read from constructor signatures, so that no list of keys is kept here.

Raises UserError: one line with key, value and the way out.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

import pydantic
from omegaconf import DictConfig, OmegaConf

from stackgan.core.errors import UserError, did_you_mean
from stackgan.core.ranges import Positive
from stackgan.data.records import JudgedClasses, Region
from stackgan.launch import allowed, settings
from stackgan.launch.settings import STRICT

STAGE_LAUNCH: dict[str, Any] = {
    "network": dict[str, Any],
    "reed": dict[str, Any],
    "gawwn_box": dict[str, Any],
    "gawwn_parts": dict[str, Any],
    "gawwn_part_generator": dict[str, Any],
    "images": Positive | None,
    "epochs": Positive | None,
    "base": str | None,
    "base_images": Positive | None,
    "encoder": dict[str, Any],
    "image_encoder": dict[str, Any],
    "image_map": dict[str, Any],
    "classifier": dict[str, Any],
    "style": dict[str, Any],
    "classes": JudgedClasses,
    "region": Region | None,
}
"""What a stage's YAML says to the launcher rather than to the stage."""

MISSING: Mapping[str, Any] = {}

BUILT: Mapping[str, frozenset[str]] = {
    "stage": frozenset({"discriminator", "first", "generator", "seed", "epoch_images", "text", "class_names"}),
    "data": frozenset({"text", "image_encoder", "classes"}),
    "text": frozenset({"trained", "network"}),
    "stage.encoder.network": frozenset({"text_dim"}),
    "stage.style.network": frozenset({"noise_dim", "resolution"}),
    "stage.image_map": frozenset({"feature_dim"}),
    "stage.image_encoder": frozenset({"setting"}),
    "stage.classifier.network": frozenset({"classes"}),
    "stage.classifier.start": frozenset({"setting", "precision"}),
    "judge": frozenset({"name", "network", "size", "told", "sha256"}),
    "stage.network": frozenset({"text_dim", "resolution", "first_resolution", "conditioning_augmentation", "text_twice"}),
}
"""Constructor arguments that the builder gives, by where they begin: set by hand they would be ignored."""


def check(config: DictConfig, top: type[settings.Part] = settings.Top) -> dict[str, Any]:
    """The settings as plain data, every value of the type its signature declares. top: what the whole consists of."""
    OmegaConf.resolve(config)
    plain: dict[str, Any] = OmegaConf.to_container(config, throw_on_missing=True)  # type: ignore[assignment]
    checked = _against(top, plain)
    # The stage first: data and text refer to its settings, and the complaint should name the one that was given.
    for name in (name for name in ("stage", "text", "data", "mode", "judge") if isinstance(checked.get(name), dict)):
        checked[name] = _target(checked[name], name, STAGE_LAUNCH if name == "stage" else MISSING)
    for group in (name for name in ("callbacks", "logger", "metric") if name in checked):
        kept = {name: node for name, node in checked[group].items() if node is not None}
        checked[group] = {name: _target(node, f"{group}.{name}") for name, node in kept.items()}
    return checked


def _target(node: Mapping[str, Any], path: str, beside: Mapping[str, Any] = MISSING) -> dict[str, Any]:
    """One node with a `_target_`, and those inside it, against their signatures."""
    target = node.get("_target_")
    if target is None:
        return {key: _target(value, f"{path}.{key}") if isinstance(value, Mapping) else value for key, value in node.items()}
    # Whatever group of networks a stage has, text and data say the same of them.
    built = BUILT.get(path, BUILT["stage.network"] if path.startswith("stage.") else frozenset())
    arguments = signature(allowed.resolve(path, str(target)))
    known = {key: kind for key, kind in arguments.items() if key not in built} | dict(beside)
    given = {key: value for key, value in node.items() if key != "_target_"}
    nested = {key: _target(value, f"{path}.{key}") for key, value in given.items() if isinstance(value, Mapping)}
    flat = {key: value for key, value in given.items() if key not in nested}
    for key in given:
        if key not in known:
            raise _unknown(f"{path}.{key}", given[key], known)
    return {"_target_": target, **{key: _value(known[key], value, f"{path}.{key}") for key, value in flat.items()}, **nested}


def signature(of: type) -> dict[str, Any]:
    """Constructor arguments of a class and their types; `**shared` stands for those of the class above it."""
    found: dict[str, Any] = {}
    for owner in (cls for cls in of.__mro__ if "__init__" in vars(cls) and cls is not object):
        init: Any = vars(owner)["__init__"]
        hints = get_type_hints(init, include_extras=True)
        parameters = list(inspect.signature(init).parameters.values())[1:]
        named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        found |= {p.name: hints.get(p.name, Any) for p in named if p.name not in found}
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break
    return found


def _value(kind: Any, value: Any, path: str) -> Any:
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(kind, config=STRICT)
    try:
        checked = adapter.dump_python(adapter.validate_python(value))
    except pydantic.ValidationError as error:
        raise _complaint(error, path) from None
    _no_switch_for_a_number(value, checked, path)
    return checked


def _against(top: type[settings.Part], values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        checked = top.model_validate(values).model_dump()
    except pydantic.ValidationError as error:
        raise _complaint(error, "", top) from None
    _no_switch_for_a_number(values, checked, "")
    return checked


def _no_switch_for_a_number(given: Any, checked: Any, path: str) -> None:
    """pydantic takes true for 1."""
    if isinstance(given, Mapping) and isinstance(checked, Mapping):
        for key in given:
            _no_switch_for_a_number(given[key], checked.get(key), f"{path}.{key}" if path else key)
    elif isinstance(given, bool) and not isinstance(checked, bool):
        raise UserError(f"{path}={_shown(given)}: input should be a number")


def _unknown(key: str, value: Any, known: Iterable[str]) -> UserError:
    """The nearest right name, or all of them."""
    last = key.rpartition(".")[2]
    way = did_you_mean(last, known) or f"; there are {', '.join(known)}"
    return UserError(f"{key}={_shown(value)}: no such setting{way}")


def _complaint(error: pydantic.ValidationError, path: str, top: type[settings.Part] = settings.Top) -> UserError:
    """The first complaint in one line; the location's last parts may name a branch of a union, which is no key."""
    first = error.errors()[0]
    parts = [str(part) for part in first["loc"] if str(part).isidentifier() and str(part) not in ("int", "str", "float", "none")]
    key = ".".join([path, *parts] if path else parts)
    if first["type"] == "extra_forbidden":
        return _unknown(key, first["input"], _fields(parts[:-1], top))
    if first["type"] == "string_pattern_mismatch":
        return UserError(f"{key}={_shown(first['input'])}: letters, digits, '.', '_' and '-' only, a letter or digit first")
    message = first["msg"][0].lower() + first["msg"][1:]
    near = did_you_mean(str(first["input"]), _choices(message)) if first["type"] == "literal_error" else ""
    return UserError(f"{key}={_shown(first['input'])}: {message}{near}")


def _fields(parts: Iterable[str], top: type[settings.Part]) -> list[str]:
    """The names beside an unknown one: those of the whole, or of a part of it."""
    model: Any = top
    for part in parts:
        model = model.model_fields[part].annotation
    return list(model.model_fields)


def _choices(message: str) -> list[str]:
    return re.findall(r"'([^']+)'", message)


def _shown(value: Any) -> str:
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)
