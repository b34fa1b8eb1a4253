"""table.md of a sweep: a row a job, with what its run has to say so far."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder

Row = tuple[str, int, str, str | None, RunFolder | None]
"""Variant, seed, state, what went wrong, and the run."""


def table(name: str, rows: Sequence[Row]) -> str:
    """Markdown: how many jobs are in which state, and a row for each; scores as they stand in results.json."""
    states = [state for _, _, state, _, _ in rows]
    counted = [f"{states.count(state)} {state}" for state in ("done", "running", "waiting", "cut", "failed") if state in states]
    # One run that was damaged from outside does not take the others' rows along.
    broken = [run is not None and not run.is_readable() for *_, run in rows]
    figures = [{} if damaged else _figures(run) for damaged, (*_, run) in zip(broken, rows, strict=True)]
    scores = list(dict.fromkeys(score for found in figures for score in found))
    heads = ["variant", "seed", "images seen", *scores, "state"]
    lines = [f"# Sweep {name}", "", f"{len(rows)} jobs: {', '.join(counted)}.", "", _line(heads), _line(["---"] * len(heads))]
    for (variant, seed, state, why, run), found, damaged in zip(rows, figures, broken, strict=True):
        told = (f"{state}: {why}" if why else state) + (", its files cannot be read" if damaged else "")
        seen = "?" if damaged else _images(run)
        lines.append(_line([variant, str(seed), seen, *(found.get(score, "") for score in scores), told]))
    return "\n".join([*lines, ""])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _images(run: RunFolder | None) -> str:
    """Of a finished run those it has seen, of another those of its newest checkpoint."""
    if run is None:
        return ""
    newest = checkpoint.newest(run.checkpoints)
    seen = run.images_done() or (int(newest.stem.removeprefix("seen-")) if newest is not None else 0)
    return f"{seen:,}" if seen else ""


def _figures(run: RunFolder | None) -> dict[str, str]:
    """Agreement between its floors and other figures of training, and score cards with their intervals."""
    if run is None or not run.results.exists():
        return {}
    results: dict[str, Any] = json.loads(run.results.read_text())
    found = {key: f"{value:.4g}" for key, value in results.items() if _is_score(key, value)}
    return found | {key: _valued(card) for key, card in results.get("scores", {}).items()}


def _is_score(key: str, value: Any) -> bool:
    """Not health's figures, nor the parts that agreement is made of, nor what says how another figure was got."""
    first, last = key.partition("/")[0], key.rpartition("/")[2]
    return (
        isinstance(value, float)
        and "/" in key
        and first not in ("told_apart", "diversity")
        and last not in ("n", "pictures", "guessing")
        and (first != "agreement" or last == "normalised")
    )


def _valued(card: Mapping[str, Any]) -> str:
    value = card.get("value")
    if not isinstance(value, int | float):
        return ""
    if (interval := card.get("interval_95")) is not None:
        return f"{value:.4g} [{interval[0]:.4g}, {interval[1]:.4g}]"
    return f"{value:.4g} ± {card['spread']:.4g}" if card.get("spread") is not None else f"{value:.4g}"
