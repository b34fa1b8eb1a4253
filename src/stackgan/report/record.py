"""A run as a comparison sees it: what it is, how far it came, and its figures with everything that a figure depends on."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.runs.folder import RunFolder

Config = Mapping[str, Any]
Identity = Callable[[Config], dict[str, Any]]
COST = ("seconds", "images_per_second", "peak_memory_gib", "peak_gpu_memory_gib")
UPWARDS = {
    "agreement/*/normalised": True, "agreement/*/score": True, "agreement/*/unreadable": False, "accuracy/held_out": True,
    "zero_shot/*/accuracy": True, "zero_shot/*/ap50": True,
}  # fmt: skip
"""Whether higher is better, of figures taken while training that have a better end at all."""

FOUND = "location/slope_*"
"""Scores whose n is an outcome, the drawings in which a bird was found, and so no part of their protocol."""

WAY = "python src/compare.py reads runs of python src/train.py"


@dataclass(frozen=True)
class Figure:
    """One value. protocol: everything but the generator that it depends on: only figures that agree in it stand in one column.

    higher: whether higher is better; None where neither end is. n: pictures. scored: whether evaluate.py took it, not training.
    """

    key: str
    value: float
    protocol: Mapping[str, Any]
    higher: bool | None
    n: int | None = None
    scored: bool = False

    @property
    def column(self) -> tuple[str, str]:
        """The key, and the fingerprint of the protocol."""
        return self.key, fingerprint(self.protocol)


@dataclass(frozen=True)
class Record:
    """A run, or a sweep's job that has none yet.

    kind: what the run is without its seed, {} where that is unknown. variant: the sweep's name for that. state: "done", or
    how far it is. images_seen: so far. cost: of COST, those that were measured.
    """

    name: str
    folder: RunFolder | None
    stage: str
    data: str
    seed: int
    kind: Mapping[str, Any]
    state: str
    images_seen: int = 0
    variant: str | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        """Whether its figures are those of a whole budget."""
        return self.state == "done"


def read(folder: RunFolder, identity: Identity, variant: str | None = None) -> Record:
    """The record of a run's folder. identity: settings to what they mean, seed included. Raises UserError for damaged files."""
    config = _json(folder.config)
    try:
        stage, data, seed = str(config["stage"]["name"]), str(config["data"]["name"]), int(config["seed"])
        facts = _json(folder.provenance) if folder.provenance.exists() else {}
        kind = kind_of(config, facts, identity)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"runs={folder.path}: its config.json is not one of a run ({type(error).__name__}: {error}); {WAY}"
        ) from None
    results = _json(folder.results) if folder.results.exists() else {}
    state, seen = _state(folder, config, results)
    figures = _figures(results, config, facts) if state == "done" else {}
    cost = {name: float(results[name]) for name in COST if isinstance(results.get(name), int | float)}
    return Record(folder.path.name, folder, stage, data, seed, kind, state, seen, variant, figures, cost)


def kind_of(config: Config, facts: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
    """What a run is without its seed: settings that change the weights, the budget, the pictures, and the run it stands on.

    The run below counts with its own kind while its folder is there, else with its budget alone.
    """
    kind = identity(config)
    kind = {**kind, "stage": {key: value for key, value in kind["stage"].items() if key != "base"}}
    kind["data"] = {key: value for key, value in kind["data"].items() if key != "seed"}
    del kind["seed"]
    kind["budget"] = {key: config["stage"].get(key) for key in ("images", "epochs")}
    kind["pictures"] = facts.get("data", {}).get("pictures")
    if below := facts.get("base"):
        run = RunFolder(Path(below["run"]))
        kind["base"] = kind_of(_json(run.config), run.facts(), identity) if run.config.exists() else {}
        kind["base"] |= {"images_seen": below["images_seen"]}
    return kind


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: cannot be read ({type(error).__name__}); leave this run out of runs=, or train it again"
        ) from None
    if not isinstance(found, dict):
        raise UserError(f"{path}: not a JSON object; leave this run out of runs=, or train it again")
    return found


def _state(folder: RunFolder, config: Config, results: Mapping[str, Any]) -> tuple[str, int]:
    if folder.done.exists():
        seen = int(_json(folder.done).get("images_seen", 0))
        return ("done" if results else "done, but without results.json"), seen
    seen = last_seen(folder.metrics)
    budget = config["stage"].get("images")
    return f"unfinished at {seen:,}" + (f" of {budget:,} images" if isinstance(budget, int) else " images"), seen


def last_seen(metrics: Path) -> int:
    """Images seen at the last whole row of a metrics.csv, 0 where there is none."""
    curve = [place for place, _ in series(metrics, {"images_seen"}).get("images_seen", [])]
    return int(curve[-1]) if curve else 0


def columns_of(metrics: Path) -> list[str]:
    """The names in the head of a metrics.csv, none where there is no file."""
    if not metrics.exists():
        return []
    with metrics.open(encoding="utf-8", errors="replace", newline="") as file:
        return next(csv.reader(file), [])


def series(metrics: Path, names: set[str]) -> dict[str, list[tuple[float, float]]]:
    """(images seen, value) pairs of these columns; rows that a kill cut short are left out."""
    if not metrics.exists():
        return {}
    whole = metrics.read_bytes().rpartition(b"\n")[0].decode(errors="replace")
    reader = csv.reader(io.StringIO(whole))
    heads = next(reader, [])
    wanted = [place for place, head in enumerate(heads) if head in names]
    found: dict[str, list[tuple[float, float]]] = {heads[place]: [] for place in wanted}
    if heads[:1] != ["images_seen"]:
        return {}
    for row in reader:
        for place in wanted if len(row) == len(heads) else []:
            if row[place]:
                found[heads[place]].append((float(row[0]), float(row[place])))
    return found


def _figures(results: Mapping[str, Any], config: Config, facts: Mapping[str, Any]) -> dict[str, Figure]:
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
        return Figure(key, float(card["value"]), protocol, bool(card["higher_is_better"]), int(card["n"]), scored=True)
    except (KeyError, TypeError) as error:
        way = "score the run again: python src/evaluate.py run=..."
        raise UserError(f"scores.{key}: a card without {error}, which no comparison can do without; {way}") from None
