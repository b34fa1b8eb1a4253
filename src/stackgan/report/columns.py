"""Which figures stand side by side: one column, one judge, one protocol."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from stackgan.core.errors import UserError
from stackgan.report.figure import Figure
from stackgan.report.statistics import number
from stackgan.report.variants import Column, Variant, flat

FLOORS = ("real", "shuffled captions", "untrained", "training copy")
Mixed = Literal["refuse", "columns"]


@dataclass(frozen=True)
class Head:
    """A column. name: its key, with a number where other protocols have columns of the same key. example: one of its figures."""

    name: str
    example: Figure

    @property
    def column(self) -> Column:
        """As in Variant.values."""
        return self.example.column

    @property
    def better(self) -> str:
        """For people."""
        return {True: "higher", False: "lower", None: "-"}[self.example.higher]

    @property
    def under(self) -> str:
        """What a reader must know of the figures below: `higher is better, 500 pictures`."""
        way = {True: "higher is better", False: "lower is better", None: ""}[self.example.higher]
        return ", ".join(filter(None, [way, self.count]))

    @property
    def count(self) -> str:
        """Of how many pictures, or of what else, a run's figure is; '' where that is unknown."""
        return f"{self.example.n:,} {self.example.protocol.get('n_counts') or 'pictures'}" if self.example.n else ""

    @property
    def marks(self) -> str:
        """What else stands on this scale, of one of the runs; real pictures first."""
        floors = sorted(self.example.floors.items(), key=lambda item: FLOORS.index(item[0]) if item[0] in FLOORS else len(FLOORS))
        return ", ".join(f"{name} {number(value)}" for name, value in floors) or "-"

    @property
    def protocol(self) -> str:
        """Judge and protocol in one line."""
        told = [
            (key, " and ".join(map(str, value)) if isinstance(value, list) else value) for key, value in flat(self.example.protocol)
        ]
        return ", ".join(f"{key} {value}" for key, value in told if value not in (None, ""))


def heads(variants: Sequence[Variant], scores: Sequence[str] | None, figures: Sequence[str], mixed: Mixed) -> list[Head]:
    """The columns of one data set's variants: scores of evaluate.py, then figures of training.

    scores, figures: patterns of their keys, as the shell has them; scores None: each score's own figure, or, where it has none,
    all its parts. Raises UserError where runs' figures of one key differ in judge or protocol, unless mixed is "columns".
    """
    keys = {figure.key for _, figure in _figures(variants) if figure.scored}
    shown = {key for key in keys if _leads(key, keys)} if scores is None else {key for key in keys if _named(key, scores)}
    found: dict[str, dict[Column, tuple[str, Figure]]] = {}
    for run, figure in _figures(variants):
        if figure.key in shown if figure.scored else _named(figure.key, figures):
            ways = found.setdefault(figure.key, {})
            # A run that was scored with floors stands for those that were not.
            if figure.column not in ways or (figure.floors and not ways[figure.column][1].floors):
                ways[figure.column] = run, figure
    out = []
    for key, ways in sorted(found.items(), key=lambda item: not next(iter(item[1].values()))[1].scored):
        if len(ways) > 1 and mixed == "refuse":
            raise _mixed(key, list(ways.values())[:2])
        names = [key] if len(ways) == 1 else [f"{key} ({place})" for place in range(1, len(ways) + 1)]
        out += [Head(name, figure) for name, (_, figure) in zip(names, ways.values(), strict=True)]
    return out


def _leads(key: str, keys: set[str]) -> bool:
    """`agreement/toybirds`, and `precision_recall/recall/x` for want of `precision_recall/x`; not `agreement/wing/toybirds`."""
    first, *_, last = key.split("/")
    return key == f"{first}/{last}" or f"{first}/{last}" not in keys


def _named(key: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(key, pattern) for pattern in patterns)


def _figures(variants: Sequence[Variant]) -> Iterator[tuple[str, Figure]]:
    for variant in variants:
        for record in variant.done:
            for figure in record.figures.values():
                yield str(record.folder.path if record.folder else record.name), figure


def _mixed(key: str, two: Sequence[tuple[str, Figure]]) -> UserError:
    (one, a), (other, b) = two
    differs = list(_differences(a.protocol, b.protocol))
    alike = "score both with the same settings of python src/evaluate.py" if a.scored else "train both with the same callbacks"
    return UserError(
        f"{key}: {one} and {other} were not judged alike ({'; '.join(differs[:3])}), so their figures share no column; "
        f"{alike}, leave one out of runs=, or set mixed=columns for a column each"
    )


def _differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    a, b = dict(flat(one)), dict(flat(other))
    for key in {**a, **b}:
        if a.get(key) != b.get(key):
            yield f"{key} {a.get(key)} and {b.get(key)}"
