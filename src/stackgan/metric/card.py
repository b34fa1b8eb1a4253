"""Score cards: a number with everything that it takes to read it, and to get it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stackgan.metric.score import Figure

FLOORS = ("real", "shuffled captions", "untrained", "training copy")
"""What stands beside each score on its own scale; beyond.md's contract.

real: real pictures scored as if they were drawn, against other real ones. shuffled captions: real pictures with others' sentences.
untrained: the generator before training. training copy: real training pictures handed in as drawings.
"""


@dataclass(frozen=True)
class Card:
    """One figure of one score.

    key: `<score>[/<figure>]/<judge>`. figure: see Figure. higher_is_better. floors: by name, a Figure or why there is none.
    context: judge, pictures, captions, data and code: what else the value depends on.
    """

    key: str
    figure: Figure
    higher_is_better: bool
    floors: Mapping[str, Figure | str]
    context: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For results.json; a card there stands for itself."""
        floors = {name: {"why": one} if isinstance(one, str) else _plain(one) for name, one in self.floors.items()}
        return {**_plain(self.figure), "higher_is_better": self.higher_is_better, "floors": floors, **self.context}


def _plain(figure: Figure) -> dict[str, Any]:
    found: dict[str, Any] = {"value": figure.value, "n": figure.n}
    if figure.spread is not None:
        found["spread"] = figure.spread
    if figure.interval is not None:
        found["interval_95"] = list(figure.interval)
    return found | ({"protocol": dict(figure.protocol)} if figure.protocol else {})


def table(cards: Sequence[Card]) -> list[list[str]]:
    """Rows of text, the first of them headings: each value with its uncertainty and n, and its floors with theirs."""
    heads = ["score", "better", "value", "n", *FLOORS]
    return [heads, *(_row(card) for card in cards)]


def _row(card: Card) -> list[str]:
    floors = [card.floors.get(name, "") for name in FLOORS]
    shown = ["-" if isinstance(one, str) else f"{number(one.value)} (n {one.n:,})" for one in floors]
    return [card.key, "higher" if card.higher_is_better else "lower", valued(card.figure), f"{card.figure.n:,}", *shown]


def valued(figure: Figure) -> str:
    """`3.21 [3.10, 3.33]` with an interval of 95 %, `3.21 ± 0.08` with the deviation over splits or subsets."""
    text = number(figure.value)
    if figure.interval is not None:
        return f"{text} [{number(figure.interval[0])}, {number(figure.interval[1])}]"
    return text if figure.spread is None else f"{text} ± {number(figure.spread)}"


def number(value: float) -> str:
    """Four significant digits, as far as a hundredth of a thousandth."""
    return f"{value:.4g}" if abs(value) >= 1e-4 or value == 0 else f"{value:.1e}"
