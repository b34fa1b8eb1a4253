"""A bar a variant with its interval, and a dot for every seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from stackgan.plots.curves import COLOURS, SHARP, picture


@dataclass(frozen=True)
class Bar:
    """value: the bar's end. interval: low and high, None for none. dots: single values."""

    value: float
    interval: tuple[float, float] | None
    dots: Sequence[float]


def bars(panels: Mapping[str, Mapping[str, Bar]], title: str, width: int = 1000) -> Image.Image:
    """A panel under another, in each a bar a row. panels: panel name -> row -> bar. width: in pixels, times SHARP."""
    dots, row, head = 100, 0.28, 0.75
    heights = [head + row * max(len(rows), 1) for rows in panels.values()] or [head]
    figure = Figure(figsize=(width / dots, 0.5 + sum(heights)), dpi=SHARP * dots, layout="constrained")
    axes = figure.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axis, (name, rows) in zip(axes, panels.items(), strict=False):
        places = range(len(rows))
        axis.barh(places, [bar.value for bar in rows.values()], height=0.62, color=COLOURS[4], alpha=0.75)
        # All at once: matplotlib takes its time for every artist, not for what is in it.
        sure = [(place, bar.value, *bar.interval) for place, bar in enumerate(rows.values()) if bar.interval is not None]
        if sure:
            at, value, low, high = np.array(sure).T
            axis.errorbar(value, at, xerr=[value - low, high - value], fmt="none", ecolor="#1a1a1a", capsize=4, elinewidth=1.2)
        dots_xy = [(dot, place) for place, bar in enumerate(rows.values()) for dot in bar.dots]
        if dots_xy:
            axis.plot(*zip(*dots_xy, strict=True), "o", color=COLOURS[0], markersize=3.5)
        axis.set_yticks(list(places), list(rows), parse_math=False, fontsize=9)
        axis.invert_yaxis()
        axis.set_title(name, loc="left", fontsize=10, parse_math=False)
        axis.grid(axis="x", color="#e6e6e6", linewidth=0.8)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontweight="bold", x=0.01, ha="left", parse_math=False)
    return picture(figure)
