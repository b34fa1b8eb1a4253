"""A table of text, and the same as CSV, Markdown, LaTeX and HTML."""

import csv
import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stackgan.report.statistics import Estimate, shown

LONG = 28
"""Letters from which on a cell of the page is given room for a line of them."""
PLAIN, LINE = 65, 85
"""Letters of a LaTeX table that fit into a line of text, in its own size and in footnotesize."""
GAP, MOST = 1, 40
"""Letters between its columns, and those for which a column of a wider one gets room at most."""

_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "[": "{[}", "]": "{]}",
    "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


class Measured(str):
    """A cell for people that is made of numbers. parts: those numbers, by what the head of their column in the CSV ends with."""

    parts: Mapping[str, float | None]

    def __new__(cls, text: str, parts: Mapping[str, float | None]) -> "Measured":
        """text: as people read it."""
        cell = super().__new__(cls, text)
        cell.parts = parts
        return cell


def counted(number: int) -> Measured:
    """`3,200`, in the CSV 3200."""
    return Measured(f"{number:,}", {"": number})


def estimated(estimate: Estimate | None, signed: bool = False, of: int | None = None) -> Measured:
    """`0.514 [0.480, 0.548]`, in the CSV value, low, high and seeds; `-` for None. of: seeds that there are, said if others."""
    if estimate is None:
        return Measured("-", dict.fromkeys(("", " low", " high", " seeds")))
    low, high = estimate.interval or (None, None)
    short = "" if of is None or of == estimate.n else f" ({estimate.n} of {of} seeds)"
    return Measured(shown(estimate, signed) + short, {"": estimate.value, " low": low, " high": high, " seeds": estimate.n})


@dataclass(frozen=True)
class Table:
    """name: of its files. title: one line. rows: as many cells as heads. note: under it. under: small words below heads (page)."""

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    under: Sequence[str] = ()

    def __post_init__(self) -> None:
        if wrong := [row for row in self.rows if len(row) != len(self.heads)]:
            raise ValueError(f"{self.name}: {len(wrong[0])} cells under {len(self.heads)} heads")

    def csv(self) -> str:
        """RFC 4180, with heads. Cells that are made of numbers have a column for each, in full and without separators."""
        text = io.StringIO(newline="")
        parts = [self._parts(place) for place in range(len(self.heads))]
        out = csv.writer(text)
        out.writerow(head + part for head, ends in zip(self.heads, parts, strict=True) for part in ends)
        for row in self.rows:
            out.writerow(value for cell, ends in zip(row, parts, strict=True) for value in _plain(cell, ends))
        return text.getvalue()

    def _parts(self, place: int) -> list[str]:
        """Of a column."""
        cells = (row[place] for row in self.rows)
        return list(dict.fromkeys(part for cell in cells if isinstance(cell, Measured) for part in cell.parts)) or [""]

    def markdown(self) -> str:
        """A pipe table under its title, the note below."""
        lines = [_line(self.heads), _line(["---"] * len(self.heads)), *(_line(row) for row in self.rows)]
        return "\n".join([f"### {self.title}", "", *lines, *(["", self.note] if self.note else []), ""])

    def latex(self) -> str:
        """A tabular for the packages booktabs and array, in a table with the title as its caption and the note below.

        What would not fit into a line of text is set smaller, in columns that share the line's width by their longest cells.
        """
        columns = list(zip(*[self.heads, *self.rows], strict=True))
        wide = sum(max(map(len, column)) + GAP for column in columns) > PLAIN
        tex = _breakable if wide else _tex
        lines = [" & ".join(tex(cell) for cell in row) + r" \\" for row in [self.heads, *self.rows]]
        rooms = _rooms(columns)
        size = r"\scriptsize" if sum(rooms) > LINE + GAP else r"\footnotesize"
        small = [size + r"\setlength{\tabcolsep}{3pt}"] if wide else []
        body = [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
        return "\n".join([
            "% needs the packages booktabs and array", r"\begin{table}", r"\centering", *small,
            rf"\caption{{{_tex(self.title)}}}", rf"\begin{{tabular}}{{{_columns(rooms) if wide else 'l' * len(columns)}}}", *body,
            r"\end{tabular}", *([rf"\par\smallskip{{\footnotesize {_tex(self.note)}\par}}"] if self.note else []),
            r"\end{table}", "",
        ])  # fmt: skip

    def html(self) -> str:
        """A section under its title. Wide tables scroll on their own; each cell has its head, shown on narrow screens."""
        under = [*self.under, *[""] * (len(self.heads) - len(self.under))]
        head = "".join(_th(cell, small) for cell, small in zip(self.heads, under, strict=True))
        rows = "".join(f"<tr>{''.join(map(_td, row, self.heads))}</tr>" for row in self.rows)
        note = f'<p class="note">{html.escape(self.note)}</p>' if self.note else ""
        body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        title = f"<h3>{html.escape(self.title)}</h3>"
        return f'<section id="{html.escape(self.name)}">{title}<div class="wide">{body}</div>{note}</section>'


def _plain(cell: str, parts: Sequence[str]) -> list[str | float | None]:
    """A cell under the columns of its parts."""
    return [cell.parts.get(part) for part in parts] if isinstance(cell, Measured) else [cell, *[None] * (len(parts) - 1)]


def _rooms(columns: Sequence[Sequence[str]]) -> list[float]:
    """Letters for each column, a line in all: its longest word, and a share of what is left; more in all where words need it."""
    words = [max(len(word) for cell in column for word in re.split(r"(?<=[_=/])| ", cell)) for column in columns]
    longer = [max(0, min(max(map(len, column)), MOST) - word) for column, word in zip(columns, words, strict=True)]
    spare = max(0, LINE - sum(words) - GAP * len(words)) / max(1, sum(longer))
    return [word + GAP + spare * more for word, more in zip(words, longer, strict=True)]


def _columns(rooms: Sequence[float]) -> str:
    """LaTeX's columns that together fill a line."""
    return "".join(
        rf">{{\raggedright\arraybackslash}}p{{\dimexpr {room / sum(rooms):.3f}\linewidth-2\tabcolsep}}" for room in rooms
    )


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |"


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in text)


def _breakable(text: str) -> str:
    """A line may also end inside the names of settings and figures."""
    return re.sub(r"\\_|[=/]", r"\g<0>\\allowbreak{}", _tex(text))


def _th(cell: str, small: str) -> str:
    """Keys of figures may break at their slashes."""
    words = html.escape(cell).replace("/", "/<wbr>").replace("_", "_<wbr>")
    return f'<th scope="col">{words}{f"<small>{html.escape(small)}</small>" if small else ""}</th>'


def _td(cell: str, head: str) -> str:
    """Numbers and intervals do not break, verdicts carry their word as a class, and what is long gets room."""
    words = ("reproduced", "holds", "reversed", "open")
    kind = "number" if re.match(r"^[+-]?\d", cell) else next((word for word in words if cell.startswith(word)), "")
    kind = kind or ("long" if len(cell) > LONG else "none" if cell == "-" else "")
    text = html.escape(cell).replace("_", "_<wbr>") if kind == "long" else html.escape(cell)
    text = re.sub(r"\[[^]]*\]", r"<span>\g<0></span>", text) if kind == "number" else text
    whose = f' class="{kind}"' if kind else ""
    return f'<td{whose} data-head="{html.escape(head)}">{text}</td>'
