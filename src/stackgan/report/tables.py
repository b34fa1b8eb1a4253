"""The tables of a comparison, from variants, columns and published figures."""

import csv
import io
from collections.abc import Sequence

from stackgan.report.columns import Head
from stackgan.report.glossary import VERDICTS, meaning
from stackgan.report.published import Cell, Paper
from stackgan.report.record import Record
from stackgan.report.statistics import Way, mean
from stackgan.report.table import Measured, Table, counted, estimated
from stackgan.report.variants import MOST, Variant, setting
from stackgan.report.verdicts import Verdict, matches, verdicts

INTERVAL = "Mean over seeds with 95 % by Student's t; no interval of a single seed, nor of seeds that agree to the last digit."
HOWS = {"welch": "Welch's t test, 95 %", "paired": "a paired t test over the seeds that both have, 95 %"}


def ours(data: str, variants: Sequence[Variant], columns: Sequence[Head]) -> Table:
    """A row a variant, a column a figure."""
    rows = [[variant.label, _seeds(variant), *_cells(variant, columns)] for variant in variants]
    heads, under = ["variant", "seeds", *(head.name for head in columns)], ["", "", *(head.under for head in columns)]
    return Table(f"{data}-figures", f"Our figures on {data}", heads, rows, INTERVAL, under)


def _seeds(variant: Variant) -> str:
    text = ", ".join(str(record.seed) for record in variant.done)
    left = len(variant.records) - len(variant.done)
    return f"{text or 'none'} ({left} not done)" if left else text


def protocols(data: str, columns: Sequence[Head]) -> Table:
    """What each column's figures say and depend on."""
    rows = [
        [head.name, meaning(head.example.key) or "-", head.better, head.count or "-", head.marks, head.protocol] for head in columns
    ]
    note = "n: of each run. Figures share a column only where judge and protocol are equal in everything."
    heads = ["figure", "what it says", "better", "n", "on the same scale, of one run", "judge and protocol"]
    return Table(f"{data}-protocols", f"Figures, judges and protocols on {data}", heads, rows, note)


def versus(paper: Paper, data: str, variants: Sequence[Variant], columns: Sequence[Head]) -> Table | None:
    """The paper's figures, and ours of one data set beside them in columns of their own.

    Where the paper has none of this data set, those of its first one, if we ran any of its rows; else None.
    """
    there = {measure.data for measure in paper.measures.values()}
    of = data if data in there else next(iter(paper.measures.values())).data
    if of != data and not any(matches(row, variant) for row in paper.rows.values() for variant in variants):
        return None
    measures = {key: measure for key, measure in paper.measures.items() if measure.data == of}
    rows = [row for row in paper.rows.values() if row.values.keys() & measures.keys()]
    mine = [head for head in columns if head.example.higher is not None]
    body: list[list[str]] = []
    for row in rows:
        theirs = [printed(row.values.get(key)) for key in measures]
        found = [variant for variant in variants if matches(row, variant)]
        # Several that have all settings of the row differ in others.
        names = [f" ({variant.label})" if len(found) > 1 else "" for variant in found]
        body += [
            [row.name, *theirs, about(variant) + name, _seeds(variant), *_cells(variant, mine)]
            for variant, name in zip(found, names, strict=True)
        ]
        body += [] if found else [[row.name, *theirs, "not run", "", *(estimated(None) for _ in mine)]]
    published = [f"paper: {one.score} on {one.data}" for one in measures.values()]
    heads = ["row", *published, "ours", "seeds", *(f"ours: {head.name}" for head in mine)]
    how = "; ".join(f"{one.score}: {one.judge}; {one.protocol}; ± is the {one.spread}" for one in measures.values())
    apart = f"other {'' if of == data else 'pictures, '}judges and protocols"
    note = f"The paper's figures and ours are on no common scale ({apart}). Paper ({paper.source}): {how}. Ours: {INTERVAL}"
    title = "Paper versus ours" if of == data else f"The paper's {of} beside our {data}"
    under = ["", *("" for _ in published), "", "", *(head.under for head in mine)]
    return Table(f"{data}-{paper.name}", f"{title}: {paper.paper}, {paper.table}", heads, body, note, under)


def printed(cell: Cell | None) -> Measured:
    """A published figure as the paper has it; in the CSV what stands behind the plus-minus has a column of its own."""
    value, spread = cell or (None, None)
    words = [f"{number:.2f}" for number in (value, spread) if number is not None]
    return Measured(" ± ".join(words) or "-", {"": value, " ±": spread})


def _cells(variant: Variant, columns: Sequence[Head]) -> list[str]:
    return [estimated(variant.estimate(head.column), of=len(variant.done)) for head in columns]


def about(variant: Variant) -> str:
    """What of ours stands for a row: resolution, network, recipe, budget."""
    own = variant.settings
    budget = own.get("budget.images")
    words = [
        variant.stage, f"{own.get('stage.resolution')} px", f"network {own.get('stage.network.name', '-')}",
        f"recipe {own.get('stage.recipe.name', '-')}", f"{budget:,} images" if isinstance(budget, int) else "",
    ]  # fmt: skip
    return ", ".join(filter(None, words))


def judged(papers: Sequence[Paper], data: str, variants: Sequence[Variant], columns: Sequence[Head], way: Way) -> Table | None:
    """Every claim of the papers' that a pair of our variants can test; None where there is no pair."""
    found = [verdict for paper in papers for verdict in verdicts(paper, variants, columns, way)]
    if not found:
        return None
    heads = ["claim", "verdict", "difference", "figure", "ours: better row", "ours: worse row", "test", "in the paper"]
    note = (
        f"{VERDICTS}. Better and worse are the paper's, the difference is the former minus the latter. "
        f"Differences within one judge, never against the paper's value: {HOWS[way]}, "
        "not corrected for several looks. Pairs are equal in all that the claim does not vary."
    )
    if any(not verdict.same_data for verdict in found):
        note += f" The claims are about other pictures: on {data} they can hold, which reproduces nothing."
    return Table(f"{data}-verdicts", f"Do the papers' differences come back on {data}?", heads, [_judged(v) for v in found], note)


def _judged(verdict: Verdict) -> list[str]:
    side = "" if verdict.head.example.higher else " (lower is better)"
    return [
        verdict.claim, verdict.word, estimated(verdict.estimate, signed=True), verdict.head.name + side,
        *_sides(verdict), verdict.how, verdict.paper,
    ]  # fmt: skip


def _sides(verdict: Verdict) -> list[str]:
    """Their labels; with what differs beside what the claim is about: images seen, the runs below included, and settings.

    MOST settings at most, and how many more there are.
    """
    both = verdict.better, verdict.worse
    seen = [_seen(variant) for variant in both]
    # Data sets repeat some settings of the stage, and labels tell some.
    told = dict.fromkeys(tuple(setting(variant, key) for variant in both) for key in verdict.besides)
    pairs = [pair for pair in told if not all(word in one.label.split(", ") for word, one in zip(pair, both, strict=True))]
    sides = []
    for place, variant in enumerate(both):
        words = [f"{seen[place]:,} images in all"] if seen[0] != seen[1] else []
        words += [pair[place] for pair in pairs[:MOST]] + ([f"{len(pairs) - MOST} more settings"] if len(pairs) > MOST else [])
        sides.append(f"{variant.label} ({', '.join(words)})" if words else variant.label)
    return sides


def _seen(variant: Variant) -> int:
    below = (int(value) for key, value in variant.settings.items() if key.endswith("base.images_seen"))
    return max((record.images_seen for record in variant.done), default=0) + sum(below)


def cost(variants: Sequence[Variant]) -> Table:
    """Speed, time and memory of finished runs."""
    rows = [
        [variant.data, variant.label, counted(len(variant.done)), *_costs(variant.done)] for variant in variants if variant.done
    ]
    heads = [
        "data",
        "variant",
        "runs",
        "images a second",
        "hours a run",
        "hours in all",
        "peak memory, GiB",
        "peak GPU memory, GiB",
    ]
    note = "Means over runs, peaks over runs; as each run measured itself, whatever else its machine did."
    return Table("cost", "What it took", heads, rows, note)


def _costs(done: Sequence[Record]) -> list[str]:
    def values(name: str) -> list[float]:
        return [record.cost[name] for record in done if name in record.cost]

    speed, hours = values("images_per_second"), [seconds / 3600 for seconds in values("seconds")]
    times = [f"{mean(hours).value:.2f}", f"{sum(hours):.2f}"] if hours else ["-", "-"]
    peaks = [f"{max(found):.2f}" if (found := values(name)) else "-" for name in ("peak_memory_gib", "peak_gpu_memory_gib")]
    return [f"{mean(speed).value:.1f}" if speed else "-", *times, *peaks]


def runs(variants: Sequence[Variant]) -> Table:
    """Every run and how far it came."""
    rows = [
        [one.data, variant.label, str(one.seed), one.name, one.state, counted(one.images_seen), one.code or "-"]
        for variant in variants
        for one in variant.records
    ]
    heads = ["data", "variant", "seed", "run", "state", "images seen", "commit"]
    return Table("runs", "Runs", heads, rows, "Commit: of the code that trained the run, + where files differed from it.")


def figures(variants: Sequence[Variant]) -> str:
    """CSV: a row for every figure of every run, for other programs."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(["data", "variant", "stage", "seed", "run", "images_seen", "figure", "value", "n", "judged", "protocol"])
    for variant in variants:
        for one in variant.done:
            for key, figure in one.figures.items():
                who = "evaluate" if figure.scored else "training"
                whose = [one.data, variant.label, one.stage, one.seed, one.name, one.images_seen]
                out.writerow([*whose, key, figure.value, figure.n, who, figure.column[1]])
    return text.getvalue()
