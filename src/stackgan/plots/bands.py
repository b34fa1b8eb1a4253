"""Curves of several variants with their seeds: the mean as a line, lowest to highest as a band."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray
from PIL import Image

from stackgan.plots.curves import COLOURS, SHARP, Curve, picture

STYLES = ("-", "--", ":", "-.")
MOST = len(COLOURS) * len(STYLES)
"""Variants that colour and dashes can tell apart."""

Floats = NDArray[np.float64]


def joined(curves: Sequence[Curve]) -> tuple[Floats, Floats]:
    """(P,) places that all curves reach and (S, P) values there, straight lines between a curve's own places.

    Places and values that are not finite are left out, and curves without any.
    """
    clean: list[tuple[Floats, Floats]] = []
    for x, y in curves:
        x_N, y_N = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        finite = np.isfinite(x_N) & np.isfinite(y_N)
        if finite.any():
            clean.append((x_N[finite], y_N[finite]))
    if not clean:
        return np.zeros(0), np.zeros((0, 0))
    low, high = max(x_N[0] for x_N, _ in clean), min(x_N[-1] for x_N, _ in clean)
    place_P = np.unique(np.concatenate([x_N for x_N, _ in clean]))
    place_P = place_P[(place_P >= low) & (place_P <= high)]
    return place_P, np.stack([np.interp(place_P, x_N, y_N) for x_N, y_N in clean])


def bands(panels: Mapping[str, Mapping[str, Sequence[Curve]]], title: str, width: int = 1000) -> Image.Image:
    """A panel under another. panels: panel name -> variant -> curves, one a seed. width: in pixels, times SHARP.

    A variant has one look in all panels; those after the first MOST are left out.
    """
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))[:MOST]
    looks = {name: (COLOURS[place % len(COLOURS)], STYLES[place // len(COLOURS)]) for place, name in enumerate(names)}
    dots, legend = 100, 0.21 * len(names) + 0.3
    count = max(len(panels), 1)
    figure = Figure(figsize=(width / dots, 0.6 + 2.6 * count + legend), dpi=SHARP * dots, layout="constrained")
    axes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for axis, (name, lines) in zip(axes, panels.items(), strict=False):
        for variant in (one for one in lines if one in looks):
            _band(axis, variant, lines[variant], *looks[variant])
        axis.set_ylabel(name, parse_math=False)
        axis.grid(color="#e6e6e6", linewidth=0.8)
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes[-1].set_xlabel("images seen")
    handles = {label: line for axis in axes for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    if handles:
        words = figure.legend(list(handles.values()), list(handles), loc="outside lower left", frameon=False, fontsize=9)
        for text in words.get_texts():
            text.set_parse_math(False)
    figure.align_ylabels(axes)
    figure.suptitle(title, fontweight="bold", x=0.01, ha="left", parse_math=False)
    return picture(figure)


def _band(axis: Axes, variant: str, curves: Sequence[Curve], colour: str, style: str) -> None:
    place_P, value_SP = joined(curves)
    if len(place_P) == 0:
        return
    marker = "o" if len(place_P) < 12 else None
    label = f"{variant} ({len(value_SP)} seed{'s' if len(value_SP) > 1 else ''})"
    axis.plot(place_P, value_SP.mean(0), style, color=colour, linewidth=1.6, marker=marker, markersize=3, label=label)
    if len(value_SP) > 1:
        axis.fill_between(place_P, value_SP.min(0), value_SP.max(0), color=colour, alpha=0.18, linewidth=0)
