"""Our variants beside a paper's rows, and whether our differences go the way that the paper's do.

Only order and differences within one of our judges are judged, never our value against the paper's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from stackgan.report.columns import Head
from stackgan.report.published import Claim, Paper, Row
from stackgan.report.statistics import Estimate, Way, difference
from stackgan.report.variants import Variant, apart

SEEN = ("budget.", "base.images_seen")
"""Settings that say how many images were seen, which stands beside the rows in one sum."""


@dataclass(frozen=True)
class Verdict:
    """A claim tested on one pair of our variants by one of our figures.

    estimate: the better row's figure minus the worse row's. paper: the same difference there. same_data: whether ours were trained
    on what the claim is about. how: which test, over which seeds. besides: settings in which the two differ though the claim is not
    about them.
    """

    claim: str
    paper: str
    better: Variant
    worse: Variant
    head: Head
    estimate: Estimate
    same_data: bool
    how: str
    besides: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """`reproduced` or `reversed` where 95 % exclude 0, else `open`; of other data than the paper's `holds` instead."""
        wanted = 1 if self.head.example.higher else -1
        if self.estimate.interval is None:
            why = {0: "no seed in common", 1: "one seed"}.get(self.estimate.n, "no spread over seeds")
            ahead = self.estimate.value * wanted
            return f"open: {why}, {'the same order' if ahead > 0 else 'another order' if ahead < 0 else 'no difference'}"
        if self.estimate.sign == 0:
            return "open: the interval holds 0"
        if self.estimate.sign != wanted:
            return "reversed"
        return "reproduced" if self.same_data else f"holds on {self.better.data}"


def matches(row: Row, variant: Variant) -> bool:
    """Whether a variant has all settings of the row."""
    if not row.settings or not variant.kind:
        return False
    own = variant.settings
    return all(own.get(key) in (value if isinstance(value, list) else [value]) for key, value in row.settings.items())


def verdicts(paper: Paper, variants: Sequence[Variant], columns: Sequence[Head], way: Way) -> list[Verdict]:
    """One for each claim, pair of variants that differ in nothing else, and column with a better end that both have."""
    return [
        found
        for claim in paper.claims
        for better, worse in pairs(paper, claim, variants)
        for head in columns
        if head.example.higher is not None and (found := _verdict(paper, claim, better, worse, head, way)) is not None
    ]


def pairs(paper: Paper, claim: Claim, variants: Sequence[Variant]) -> Iterator[tuple[Variant, Variant]]:
    """Our variants of a claim's two rows, equal in all but what the claim varies."""
    rows = paper.rows[claim.better], paper.rows[claim.worse]
    free = {*rows[0].settings, *rows[1].settings, *claim.varies}
    better, worse = ([(variant, _rest(variant, free)) for variant in variants if matches(row, variant)] for row in rows)
    for one, rest in better:
        yield from ((one, other) for other, its_rest in worse if other is not one and its_rest == rest)


def _rest(variant: Variant, free: set[str]) -> dict[str, Any]:
    """What must be equal: all leaves, of the run below too, that are not free."""
    return {
        key: value
        for key, value in variant.settings.items()
        if not any(part == name or part.startswith(f"{name}.") for name in free for part in (key, key.removeprefix("base.")))
    }


def _verdict(paper: Paper, claim: Claim, better: Variant, worse: Variant, head: Head, way: Way) -> Verdict | None:
    more, less = better.values(head.column), worse.values(head.column)
    if not more or not less:
        return None
    estimate = difference(more, less, way)
    measures = [key for key in paper.measures if all(key in paper.rows[row].values for row in (claim.better, claim.worse))]
    of_data = [key for key in measures if paper.measures[key].data == better.data]
    said = next(iter(of_data or measures))
    there = paper.rows[claim.better].values[said][0] - paper.rows[claim.worse].values[said][0]
    printed = f"{there:+.2f} {paper.measures[said].score} on {paper.measures[said].data}"
    about = paper.rows[claim.better].settings.keys() & paper.rows[claim.worse].settings.keys()
    besides = tuple(key for key in apart(better, worse) if key not in about and not key.startswith(SEEN))
    return Verdict(claim.says, printed, better, worse, head, estimate, bool(of_data), _how(estimate, more, less, way), besides)


def _how(estimate: Estimate, more: dict[int, float], less: dict[int, float], way: Way) -> str:
    if estimate.interval is None:
        return f"no interval: {len(more)} and {len(less)} seeds"
    if way == "paired":
        return f"paired t over {estimate.n} seeds"
    return f"Welch's t, {len(more)} and {len(less)} seeds"
