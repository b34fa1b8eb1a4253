"""A run as a comparison sees it: what it is, how far it came, and its figures with everything that a figure depends on."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stackgan.core.errors import UserError
from stackgan.report.figure import Figure, figures
from stackgan.runs.budget import images_to_see
from stackgan.runs.folder import RunFolder

Config = Mapping[str, Any]
Identity = Callable[[Config], dict[str, Any]]
COST = ("seconds", "images_per_second", "peak_memory_gib", "peak_gpu_memory_gib")
BARE = "done, but without results.json"
"""The state of a run whose figures were lost."""

COMMIT = 10
"""Digits of a commit."""

WAY = "python src/compare.py reads runs of python src/train.py"


@dataclass(frozen=True)
class Record:
    """A run, or a sweep's job that has none yet.

    kind: what the run is without its seed, {} where that is unknown. variant: its sweep's name for that. sweep: its folder.
    state: "done", or how far it is. images_seen: so far. cost: of COST, those that were measured. commit: its code's.
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
    sweep: str | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    commit: str = ""

    @property
    def done(self) -> bool:
        """Whether its figures are those of a whole budget."""
        return self.state == "done"

    @property
    def code(self) -> str:
        """The commit, shortened; with a + where the code differed from it."""
        return self.commit[:COMMIT] + "+" * self.commit.endswith("+")


def read(folder: RunFolder, identity: Identity, variant: str | None = None) -> Record:
    """The record of a run's folder. identity: settings to what they mean, seed included. Raises UserError for damaged files."""
    config = _json(folder.config)
    try:
        stage, data, seed = str(config["stage"]["name"]), str(config["data"]["name"]), int(config["seed"])
        facts = _json(folder.provenance) if folder.provenance.exists() else {}
        kind = kind_of(config, facts, identity)
        budget = images_to_see(config, int(facts.get("data", {}).get("train_size", 0)))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"runs={folder.path}: its config.json is not one of a run of this version ({type(error).__name__}: {error}); {WAY}"
        ) from None
    results = _json(folder.results) if folder.results.exists() else {}
    state, seen = _state(folder, budget, results)
    found = figures({"images_seen": seen, **results}, config, facts) if state == "done" else {}
    cost = {name: float(results[name]) for name in COST if isinstance(results.get(name), int | float)}
    commit = str(facts.get("commit") or "")
    return Record(folder.path.name, folder, stage, data, seed, kind, state, seen, variant, figures=found, cost=cost, commit=commit)


def kind_of(config: Config, facts: Mapping[str, Any], identity: Identity) -> dict[str, Any]:
    """What a run is without its seed: settings that change the weights, the budget, the pictures, and the run it stands on.

    The run below counts with its own kind while its folder is there, and with the images that it had seen when it was built on: its
    budget may have been raised since.
    """
    kind = identity(config)
    kind = {**kind, "stage": {key: value for key, value in kind["stage"].items() if key != "base"}}
    kind["data"] = {key: value for key, value in kind["data"].items() if key != "seed"}
    del kind["seed"]
    kind["budget"] = {key: config["stage"].get(key) for key in ("images", "epochs")}
    kind["pictures"] = facts.get("data", {}).get("pictures")
    if below := facts.get("base"):
        run = RunFolder(Path(below["run"]))
        under = kind_of(_json(run.config), run.facts(), identity) if run.config.exists() else {}
        kind["base"] = {key: value for key, value in under.items() if key != "budget"} | {"images_seen": below["images_seen"]}
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


def _state(folder: RunFolder, budget: int, results: Mapping[str, Any]) -> tuple[str, int]:
    """Also how many images were seen. A run whose budget was raised has a DONE and figures of the smaller one until it is done."""
    done = int(_json(folder.done).get("images_seen", 0)) if folder.done.exists() else 0
    if folder.done.exists() and done >= budget:
        return ("done" if results else BARE), done
    seen = max(done, last_seen(folder.metrics))
    of = f" of {budget:,}" if budget else ""
    return f"unfinished at {seen:,}{of} images" + (f", its figures are those of {done:,}" if done and results else ""), seen


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


def series(metrics: Path, names: set[str], said: list[str] | None = None) -> dict[str, list[tuple[float, float]]]:
    """(images seen, value) pairs of these columns; rows that a kill cut short are left out.

    said: is given a line where other rows are left out too, for what stands in them is no number.
    """
    if not metrics.exists():
        return {}
    whole = metrics.read_bytes().rpartition(b"\n")[0].decode(errors="replace")
    reader = csv.reader(io.StringIO(whole))
    heads = next(reader, [])
    wanted = [place for place, head in enumerate(heads) if head in names]
    found: dict[str, list[tuple[float, float]]] = {heads[place]: [] for place in wanted}
    if heads[:1] != ["images_seen"]:
        return {}
    odd = 0
    for row in reader:
        if len(row) != len(heads):
            continue
        try:
            values = [(heads[place], float(row[0]), float(row[place])) for place in wanted if row[place]]
        except ValueError:
            odd += 1
            continue
        for name, seen, value in values:
            found[name].append((seen, value))
    if odd and said is not None:
        said.append(f"{metrics}: rows left out, for something in them is no number: {odd}")
    return found
