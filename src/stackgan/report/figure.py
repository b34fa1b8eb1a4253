"""A run's figures, each with everything that it depends on beside the generator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint

Config = Mapping[str, Any]
UPWARDS = {
    "agreement/*/normalised": True, "agreement/*/score": True, "agreement/*/unreadable": False, "accuracy/held_out": True,
    "zero_shot/*/accuracy": True, "zero_shot/*/ap50": True,
}  # fmt: skip
"""Whether higher is better, of figures taken while training that have a better end at all."""

FOUND = "location/slope_*"
"""Scores whose n is an outcome, the drawings in which a bird was found, and so no part of their protocol."""


@dataclass(frozen=True)
class Figure:
    """One value. protocol: everything but the generator that it depends on: only figures that agree in it stand in one column.

    higher: whether higher is better; None where neither end is. n: pictures. scored: whether evaluate.py took it, not training.
    floors: what else stands on the same scale, as real pictures or an untrained generator.
    """

    key: str
    value: float
    protocol: Mapping[str, Any]
    higher: bool | None
    n: int | None = None
    scored: bool = False
    floors: Mapping[str, float] = field(default_factory=dict)

    @property
    def column(self) -> tuple[str, str]:
        """The key, and the fingerprint of the protocol."""
        return self.key, fingerprint(self.protocol)


def figures(results: Mapping[str, Any], config: Config, facts: Mapping[str, Any]) -> dict[str, Figure]:
    """Those of a results.json, by key. facts: the run's provenance. Raises UserError for a card that does not say who judged."""
    found = {key: _taken(key, float(value), config, facts) for key, value in results.items() if _is_figure(key, value, results)}
    cards = results.get("scores", {})
    found |= {key: _scored(key, card, config, int(results.get("images_seen", 0))) for key, card in cards.items()}
    return found


def _is_figure(key: str, value: Any, results: Mapping[str, Any]) -> bool:
    """Not what a judge saw while training, which stands with its n beside it: results.json does not say which judge that was."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return "/" in key and number and f"{key}/n" not in results and not key.endswith("/n")


def _taken(key: str, value: float, config: Config, facts: Mapping[str, Any]) -> Figure:
    """A figure of a callback: its settings and the pictures decide what it means."""
    callback = (config.get("callbacks") or {}).get(key.partition("/")[0]) or {}
    how = {name: setting for name, setting in callback.items() if name not in ("every_images", "_target_")}
    higher = next((up for pattern, up in UPWARDS.items() if fnmatchcase(key, pattern)), None)
    protocol = {"taken": "at the end of training", **how, "pictures": facts.get("data", {}).get("pictures")}
    n = how.get("count")
    return Figure(key, value, protocol, higher, n if isinstance(n, int) else None)


def _scored(key: str, card: Mapping[str, Any], config: Config, images_seen: int) -> Figure:
    """A figure of evaluate.py. Raises UserError for a card that does not say who judged."""
    who = key.rpartition("/")[2]
    try:
        watcher = next((card[part] for part in ("judge", "scorer") if card.get(part, {}).get("name") == who), {"name": who})
        pictures, captions = card["pictures"], card["captions"]
        protocol = {
            "judge": watcher["name"], "weights": str(watcher.get("weights") or watcher.get("fingerprint") or "")[:12],
            "resize": watcher.get("resize"), "n": None if fnmatchcase(key, FOUND) else card["n"], **card.get("protocol", {}),
            **{name: captions.get(name) for name in ("split", "real_pictures", "repeats")}, "pictures": card["data"],
        }  # fmt: skip
        if pictures["images_seen"] != images_seen:
            protocol["scored_at"] = pictures["images_seen"]
        if pictures["weights"] == "live" and config["stage"].get("recipe", {}).get("average_decay"):
            protocol["generator_weights"] = "live"
        # A floor that could not be taken says why instead.
        floors = {name: float(floor["value"]) for name, floor in card.get("floors", {}).items() if "value" in floor}
        return Figure(key, float(card["value"]), protocol, bool(card["higher_is_better"]), int(card["n"]), True, floors)
    except (KeyError, TypeError) as error:
        way = "score the run again: python src/evaluate.py run=..."
        raise UserError(f"scores.{key}: a card without {error}, which no comparison can do without; {way}") from None
