"""From what `runs=` names to records: sweeps, folders that hold runs, single runs, references."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stackgan.core.errors import UserError, did_you_mean
from stackgan.launch import identity
from stackgan.report.record import BARE, Record, read
from stackgan.runs.folder import RunFolder
from stackgan.runs.ledger import runs

WAYS = (
    "give a sweep's folder, a folder that holds runs (logs/stage1/toybirds), a run's folder, "
    "or run://<stage>/<data>/<name or latest>"
)
DEEPEST = 4
"""Folders between one that is named and its runs, at most: sweeps/<sweep>/<stage>/<data>/<name>."""

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def records(named: Sequence[str], logs: Path) -> tuple[list[Record], list[str]]:
    """All that is named, each run once, in order; and a line for each run in a folder that cannot be read.

    Raises UserError where there is nothing to compare, and where a run that was named itself cannot be read.
    """
    if not named:
        raise UserError(f"runs=[]: names nothing to compare; {WAYS}")
    found: dict[Any, Record] = {}
    left_out: list[str] = []
    for word in named:
        for record in _of(word, logs, left_out):
            found.setdefault(record.folder.path.resolve() if record.folder else (word, record.name), record)
    if not any(record.done for record in found.values()):
        states = sorted({f"{record.name} {record.state}" for record in found.values()})
        raise UserError(f"runs=[{','.join(named)}]: no finished run among {len(found)} ({'; '.join(states[:3])}); {_way(found)}")
    return list(found.values()), left_out


def _way(found: Mapping[Any, Record]) -> str:
    """Out of having nothing to compare. A run that is done is not trained again by its command."""
    bare = next((record.folder for record in found.values() if record.state == BARE and record.folder), None)
    if bare is not None:
        return f"score them anew: python src/evaluate.py run={bare.path}, or train them again beside with run.fresh=true"
    return "give the command that began them again, which goes on where they stopped"


def _of(word: str, logs: Path, left_out: list[str]) -> list[Record]:
    if word.startswith("run://"):
        return [read(_referenced(word, logs), identity.identity)]
    path = Path(word)
    if not path.is_dir():
        raise UserError(f"runs={word}: no such folder; {WAYS}")
    if (path / "config.json").exists():
        return [read(RunFolder(path), identity.identity)]
    if (path / "sweep.json").exists():
        return list(_of_sweep(path))
    found = [
        record
        for folder in sorted(one.parent for depth in range(DEEPEST) for one in path.glob("*/" * depth + "*/config.json"))
        for record in _of_found(folder, left_out)
    ]
    sweeps = [record for place in sorted(path.glob("*/sweep.json")) for record in _of_sweep(place.parent)]
    if not found and not sweeps and left_out:
        raise UserError(left_out[0].removeprefix("left out: "))
    if not found and not sweeps:
        raise UserError(f"runs={word}: no run lies in this folder (no config.json down to {DEEPEST} folders); {WAYS}")
    return [*sweeps, *found]


def _of_found(folder: Path, left_out: list[str]) -> list[Record]:
    """A folder that only looks like a run's (another program's config.json) is passed over, and a damaged run with a line."""
    run = RunFolder(folder)
    if not run.provenance.exists() and not run.metrics.exists():
        return []
    try:
        return [read(run, identity.identity)]
    except UserError as error:
        left_out.append(f"left out: {error}")
        return []


def _referenced(word: str, logs: Path) -> RunFolder:
    parts = word.removeprefix("run://").split("/")
    if word == "run://latest":
        parts = ["*", "*", "latest"]
    elif len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):
        raise UserError(f"runs={word}: not a reference; {WAYS}")
    stage, data, name = parts
    under = [run for run in runs(logs, stage, data) if run.done.exists()] if name == "latest" else runs(logs, *parts)
    if under:
        return under[0]
    there = ["/".join(run.path.parts[-3:]) for run in runs(logs)]
    seen = did_you_mean("/".join(parts), there) or (f" (there are {', '.join(sorted(there)[:6])})" if there else "")
    raise UserError(f"runs={word}: no such run under {logs}/{seen}; {WAYS}")


def _of_sweep(folder: Path) -> Iterator[Record]:
    """A record for each job; runs that no job names (a Stage-I that others stand on) are not the sweep's rows."""
    try:
        jobs = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))["jobs"]
        for job in jobs:
            run = RunFolder(folder / job["run"]) if job["run"] else None
            state = f"{job['state']}: {job['why']}" if job["why"] else str(job["state"])
            own = {"variant": job["variant"], "sweep": str(folder)}
            if run is not None and run.config.exists():
                found = replace(read(run, identity.identity), **own)
                failed = job["state"] == "failed" and not found.done
                yield replace(found, state=f"{state}; {found.state}") if failed else found
            else:
                yield Record(str(job["row"]), None, "", _data_of(job, jobs), int(job["seed"]), {}, state, **own)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder / 'sweep.json'}: not what a sweep writes ({type(error).__name__}: {error}); name its runs' folders instead"
        ) from None


def _data_of(job: Any, jobs: Sequence[Any]) -> str:
    """The data set of a job without a run, by its place <stage>/<data>/<name>, or else by that of the sweep's other jobs."""
    return next((str(Path(one["run"]).parts[-2]) for one in (job, *jobs) if one["run"]), "unknown")
