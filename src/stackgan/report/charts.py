"""The charts of a comparison: bars with intervals, and curves over images seen with seed bands."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
from PIL import Image

from stackgan.plots.bands import MOST, bands
from stackgan.plots.bars import Bar, bars
from stackgan.plots.curves import Curve
from stackgan.report.columns import Head
from stackgan.report.record import columns_of, series
from stackgan.report.variants import Variant

ROWS = 40
"""Variants in a bar chart, at most."""


def bar_chart(data: str, variants: Sequence[Variant], heads: Sequence[Head]) -> Image.Image | None:
    """A panel for each column; None where no variant has any."""
    panels: dict[str, dict[str, Bar]] = {}
    for head in heads:
        found = {variant.label: estimate for variant in variants if (estimate := variant.estimate(head.column)) is not None}
        seeds = {variant.label: list(variant.values(head.column).values()) for variant in variants}
        better = {True: ", higher is better", False: ", lower is better", None: ""}[head.example.higher]
        panels[head.name + better] = {
            label: Bar(estimate.value, estimate.interval, seeds[label]) for label, estimate in list(found.items())[:ROWS]
        }
    panels = {name: rows for name, rows in panels.items() if rows}
    cut = f" (the first {ROWS} variants)" if len(variants) > ROWS else ""
    title = f"Means over seeds on {data}, 95 % by Student's t, a dot a seed{cut}"
    return bars(panels, title) if panels else None


def curve_chart(data: str, variants: Sequence[Variant], patterns: Sequence[str], said: list[str]) -> Image.Image | None:
    """A panel for each column of metrics.csv that the patterns name and that was looked at twice; None where there is none.

    Of a variant without a finished run the unfinished ones are drawn, as far as they are: means end with their shortest curve.
    said: see record.series.
    """
    panels: dict[str, dict[str, list[Curve]]] = {}
    for variant in variants[:MOST]:
        for record in variant.done or variant.records:
            if record.folder is None:
                continue
            path = record.folder.metrics
            wanted = {name for name in columns_of(path) if any(fnmatchcase(name, pattern) for pattern in patterns)}
            for name, curve in series(path, wanted, said).items() if wanted else ():
                if curve:
                    places, values = zip(*curve, strict=True)
                    panels.setdefault(name, {}).setdefault(variant.label, []).append((places, values))
    panels = {
        name: lines for name, lines in panels.items() if any(np.size(curve[0]) > 1 for one in lines.values() for curve in one)
    }
    cut = f" (the first {MOST} variants)" if len(variants) > MOST else ""
    title = f"Over training on {data}: mean of seeds, band from lowest to highest{cut}"
    return bands(dict(sorted(panels.items())), title) if panels else None
