"""A bar a variant with its interval, and a dot for every seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from PIL import Image

from stackgan.plots.curves import COLOURS, picture


@dataclass(frozen=True)
class Bar:
    """value: the bar's end. interval: low and high, None for none. dots: single values."""

    value: float
    interval: tuple[float, float] | None
    dots: Sequence[float]


def bars(panels: Mapping[str, Mapping[str, Bar]], title: str, width: int = 1000) -> Image.Image:
    """A panel under another, in each a bar a row. panels: panel name -> row -> bar. width: in pixels."""
    dots, row, head = 100, 0.28, 0.75
    heights = [head + row * max(len(rows), 1) for rows in panels.values()] or [head]
    figure = Figure(figsize=(width / dots, 0.5 + sum(heights)), dpi=dots, layout="constrained")
    axes = figure.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axis, (name, rows) in zip(axes, panels.items(), strict=False):
        places = range(len(rows))
        axis.barh(places, [bar.value for bar in rows.values()], height=0.62, color=COLOURS[4], alpha=0.75)
        for place, bar in zip(places, rows.values(), strict=True):
            if bar.interval is not None:
                low, high = bar.interval
                sides = [[bar.value - low], [high - bar.value]]
                axis.errorbar([bar.value], [place], xerr=sides, color="#1a1a1a", capsize=4, linewidth=1.2)
            axis.plot(bar.dots, [place] * len(bar.dots), "o", color=COLOURS[0], markersize=3.5)
        axis.set_yticks(list(places), list(rows), parse_math=False, fontsize=9)
        axis.invert_yaxis()
        axis.set_title(name, loc="left", fontsize=10, parse_math=False)
        axis.grid(axis="x", color="#e6e6e6", linewidth=0.8)
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontweight="bold", x=0.01, ha="left", parse_math=False)
    return picture(figure)
