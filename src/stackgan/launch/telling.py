"""How `explain=true` looks on the screen: tables that stay whole when they are piped into a file."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from stackgan.launch.layers import Layers
from stackgan.launch.probing import STEPS, Cost
from stackgan.launch.writes import Row

WIDTH = 10_000
"""Letters of a line that is piped: wider than any table, so that no path is folded."""


def line(words: str) -> None:
    """A line as it is."""
    print(words, flush=True)


def heading(words: str) -> None:
    """What all the rest is about."""
    line(f"{words}\nNothing is trained and nothing is kept: this only explains.")


def classes(rows: Iterable[tuple[str, str, str]]) -> None:
    """Node, class, and why it is not built."""
    _table("What each node of the settings builds", ("node", "class", ""), rows)


def layers(name: str, target: str, seen: Layers) -> None:
    """One network."""
    rows = [(row.name, row.kind, _shape(row.shape), f"{row.parameters:,}" if row.parameters else "") for row in seen.rows()]
    rows.append(("", "all", "", f"{seen.parameters:,}"))
    _table(f"{name}: {target}", ("layer", "kind", "output of a picture", ">parameters"), rows)


def others(rows: Iterable[tuple[str, int]]) -> None:
    """What a stage holds beside its own networks."""
    for name, parameters in rows:
        line(f"\nbeside them: {name}, {parameters:,} parameters")


def cost(
    found: Cost, flops: float, every: int | None, budget: int, devices: int, where: str, below: tuple[str, int] | None
) -> None:
    """What a picture, a second and the whole budget cost. flops: a picture's mean; every: iterations between two lazy penalties.

    below: the stage that would be trained first, and the images of that; None for none.
    """
    lazy = f"; {found.flops / 1e9:,.2f}, and {found.first_flops / 1e9:,.2f} in each {every}th iteration" if every else ""
    speed = found.images_per_second * devices
    shared = f" on {devices} devices, if they lose nothing to each other: one was tried, with its share" if devices > 1 else ""
    rows = [
        (
            "a picture",
            f"{flops / 1e9:,.2f} GFLOP, forward and backward, both players' turns, convolutions and matrix products alone{lazy}",
        ),
        ("speed", f"{speed:,.1f} images a second{shared}"),
        *((_of(name), f"{value:.2f} GiB") for name, value in found.memory.items()),
        ("whole budget", f"{budget / speed / 3600:,.2f} hours for {budget:,} images, without sheets, scores and checkpoints"),
        *([(f"{below[0]} underneath", f"{below[1]:,} images come first, not measured and in none of these")] if below else []),
        ("measured", f"{found.steps} of at most {STEPS} steps, {found.timed} of them timed; {where}"),
    ]
    _table("What it costs here", ("", ""), rows)


def _of(memory: str) -> str:
    """peak_gpu_memory_gib: peak GPU memory."""
    return memory.removesuffix("_gib").replace("_", " ").replace("gpu", "GPU")


def writes(rows: Iterable[Row]) -> None:
    """What would be written."""
    shown = [(what, where, "" if size is None else f"{size / 1e6:,.1f} MB", note) for what, where, size, note in rows]
    _table("What would be written", ("what", "where", ">in all", ""), shown)


def _shape(shape: tuple[int, ...] | None) -> str:
    return "not reached, or no tensor" if shape is None else " x ".join(map(str, shape))


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """A leading > sets a column to the right."""
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style=None, title_style="bold")
    for name in columns:
        table.add_column(name.removeprefix(">"), justify="right" if name.startswith(">") else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print()
    console.print(table)
