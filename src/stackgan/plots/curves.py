"""Curves over training, drawn with matplotlib's object API: no global figure, no display, safe in any process."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from numpy.typing import ArrayLike, NDArray
from PIL import Image

Curve = tuple[ArrayLike, ArrayLike]
"""Places (N,) and values (N,); values that are not finite are left out."""

# Okabe and Ito's colours, which colour-blind readers can tell apart.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")

SHARP = 1.5
"""What is meant for a page is drawn in so many times its pixels, for paper and fine screens."""


def smoothed(value_N: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Centred mean over window values, over fewer at both ends."""
    if len(value_N) == 0:
        return value_N
    kernel = np.ones(max(min(window, len(value_N)), 1))
    return np.convolve(value_N, kernel, "same") / np.convolve(np.ones_like(value_N), kernel, "same")


def curves(panels: Mapping[str, Mapping[str, Curve]], title: str, x_label: str = "images seen", width: int = 1000) -> Image.Image:
    """A panel under another, each with its curves: values faint, their mean over a fiftieth of the run strong.

    panels: panel name -> curve name -> (places, values). width: in pixels. A dollar sign in a name starts no formula.
    """
    dots = 100
    figure = Figure(figsize=(width / dots, 0.9 + 2.6 * max(len(panels), 1)), dpi=dots, layout="constrained")
    axes = figure.subplots(max(len(panels), 1), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (name, lines) in zip(axes, panels.items(), strict=False):
        for place, (label, (x, y)) in enumerate(lines.items()):
            x_N, y_N = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
            finite = np.isfinite(x_N) & np.isfinite(y_N)
            x_N, y_N, colour = x_N[finite], y_N[finite], COLOURS[place % len(COLOURS)]
            window = len(y_N) // 50
            if window > 1:
                axis.plot(x_N, y_N, color=colour, alpha=0.2, linewidth=0.8)
            axis.plot(x_N, smoothed(y_N, window), color=colour, linewidth=1.6, label=label, marker="o" if len(y_N) == 1 else None)
        axis.set_ylabel(name, parse_math=False)
        axis.grid(color="#e6e6e6", linewidth=0.8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        if lines:
            legend = axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)
            for text in legend.get_texts():
                text.set_parse_math(False)
    axes[-1].set_xlabel(x_label)
    figure.align_ylabels(axes)
    figure.suptitle(title, fontweight="bold", x=0.01, ha="left", parse_math=False)
    return picture(figure)


def picture(figure: Figure) -> Image.Image:
    """What a figure shows, in its own size; drawn once, where savefig() draws twice and packs what would be unpacked here."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
