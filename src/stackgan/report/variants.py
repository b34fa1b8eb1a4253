"""Runs that differ only in their seed are one variant; what tells variants apart becomes their label."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from stackgan.core.fingerprint import fingerprint
from stackgan.report.record import Record
from stackgan.report.statistics import Estimate, mean

Column = tuple[str, str]
MOST = 6
"""Settings in a label, at most."""


@dataclass(frozen=True)
class Variant:
    """label: for people, unique among variants of a data set. records: one a seed, by seed, then those that are not done."""

    label: str
    stage: str
    data: str
    kind: Mapping[str, Any]
    records: tuple[Record, ...]

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The leaves of kind by dotted name."""
        return dict(flat(self.kind))

    @property
    def done(self) -> list[Record]:
        """Those with figures."""
        return [record for record in self.records if record.done]

    def values(self, column: Column) -> dict[int, float]:
        """The column's figure by seed, of runs that have it."""
        found = {record.seed: record.figures.get(column[0]) for record in self.done}
        return {seed: figure.value for seed, figure in found.items() if figure is not None and figure.column == column}

    def estimate(self, column: Column) -> Estimate | None:
        """The column's mean over seeds, None where no run has it."""
        values = list(self.values(column).values())
        return mean(values) if values else None

    def columns(self) -> list[Column]:
        """Those that its runs have."""
        return list(dict.fromkeys(figure.column for record in self.done for figure in record.figures.values()))


def apart(one: Variant, other: Variant) -> list[str]:
    """Settings that both have and in which they differ, in the order in which labels tell them; classes speak through names."""
    keys = one.settings.keys() & other.settings.keys()
    return sorted((key for key in keys if one.settings[key] != other.settings[key] and not key.endswith("_target_")), key=_rank)


def setting(variant: Variant, key: str) -> str:
    """`beta1=0.5`, for people."""
    return f"{_short(key)}={_text(variant.settings.get(key))}"


def variants(records: Sequence[Record]) -> tuple[list[Variant], list[str]]:
    """All variants, and a line for each run that another of the same seed stands for.

    In the order of first records: data sets, and in each the variants that a sweep names. Others follow by label, 2 before 10.
    """
    groups: dict[str, list[Record]] = {}
    # A job without a run is known by its name alone, which means something in its own sweep only.
    known = {_job(record): _key(record) for record in records if record.kind and record.variant}
    for record in records:
        key = _key(record) if record.kind else known.get(_job(record), f"job {_job(record)}")
        groups.setdefault(key, []).append(record)
    said: list[str] = []
    found = []
    for group in groups.values():
        kept = _one_a_seed(group, said)
        first = next((record for record in group if record.kind), group[0])
        found.append(Variant(next((r.variant for r in group if r.variant), None) or "", first.stage, first.data, first.kind, kept))
    return _ordered(_labelled(found)), said


def _ordered(found: Sequence[Variant]) -> list[Variant]:
    data = list(dict.fromkeys(variant.data for variant in found))

    def rank(item: tuple[int, Variant]) -> tuple[Any, ...]:
        place, variant = item
        named = any(record.variant for record in variant.records)
        return data.index(variant.data), not named, [place] if named else _natural(variant.label)

    return [variant for _, variant in sorted(enumerate(found), key=rank)]


def _natural(label: str) -> list[Any]:
    """Words and numbers by turns, to sort by."""
    words = re.split(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)", label)
    return [float(word) if place % 2 else word for place, word in enumerate(words)]


def _job(record: Record) -> tuple[str | None, ...]:
    return record.sweep, record.data, record.variant


def _key(record: Record) -> str:
    return fingerprint(record.kind, 16)


def _one_a_seed(group: Sequence[Record], said: list[str]) -> tuple[Record, ...]:
    """Two runs of one seed are no two samples: the first counts (done before unfinished, newest first)."""
    first: dict[int, Record] = {}
    for record in sorted(group, key=lambda record: not record.done):
        if record.seed in first:
            said.append(f"{record.name}: left out, for {first[record.seed].name} is the same run of the same seed {record.seed}")
        first.setdefault(record.seed, record)
    return tuple(sorted(first.values(), key=lambda record: (not record.done, record.seed)))


def _labelled(found: Sequence[Variant]) -> list[Variant]:
    """The sweep's names where they tell variants apart, else stage and the fewest settings that do."""
    named = [variant.label for variant in found]
    out = []
    for variant, name in zip(found, named, strict=True):
        alike = [v for v in found if (v.stage, v.data) == (variant.stage, variant.data)]
        # Names of the sweep are unique unless two sweeps call different things alike.
        twins = [v for v in alike if v.label == name]
        words = [] if name and len(twins) == 1 else list(_telling(variant, twins if name else alike))
        out.append(replace(variant, label=", ".join([name or variant.stage, *words])))
    seen: dict[tuple[str, str], int] = {}
    for place, variant in enumerate(out):
        times = seen[variant.data, variant.label] = seen.get((variant.data, variant.label), 0) + 1
        out[place] = replace(variant, label=f"{variant.label} ({times})") if times > 1 else variant
    return out


def _telling(variant: Variant, alike: Sequence[Variant]) -> Iterator[str]:
    """`name=value` of settings that together tell a variant from those alike."""
    own = variant.settings
    return (f"{_short(key)}={_text(own.get(key))}" for key in telling(alike))


def telling(alike: Sequence[Variant]) -> Iterator[str]:
    """Settings that together tell variants apart, MOST at most; names of groups first, which speak for the rest."""
    leaves = [one.settings for one in alike]
    parts: list[tuple[Any, ...]] = [() for _ in alike]
    for key in sorted({key for leaf in leaves for key in leaf}, key=_rank):
        finer = [(*part, str(leaf.get(key))) for part, leaf in zip(parts, leaves, strict=True)]
        if len(set(finer)) > len(set(parts)):
            parts = finer
            yield key
        if len(set(parts)) == len(parts) or (parts and len(parts[0]) >= MOST):
            return


def _rank(key: str) -> tuple[int, int, str]:
    """Switches of the stage, names of its parts, its recipe, then everything else."""
    if key in ("stage.resolution", "stage.conditioning_augmentation", "stage.text_twice"):
        return 0, 0, key
    if key.endswith(".name"):
        return 1, key.count("."), key
    first = ("stage.recipe.", "stage.network.", "stage.", "text.", "data.", "budget.")
    return next((place for place, start in enumerate(first, start=2) if key.startswith(start)), 9), 0, key


def _short(key: str) -> str:
    parts = key.split(".")
    word = parts[-2] if parts[-1] == "name" and len(parts) > 1 else parts[-1]
    return f"base {word}" if parts[0] == "base" else word


def _text(value: Any) -> str:
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


def flat(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """`stage.recipe.beta1`, 0.5 for every leaf; a list is a leaf."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from flat(value, f"{path}.{key}" if path else str(key))
    else:
        yield path, node
