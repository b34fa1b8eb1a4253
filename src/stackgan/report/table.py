"""A table of text, and the same as CSV, Markdown, LaTeX and HTML."""

import csv
import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

LONG = 28
"""Letters from which on a cell of the page is given room for a line of them."""

_TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "±": r"$\pm$", "[": "{[}", "]": "{]}",
    "<": r"\textless{}", ">": r"\textgreater{}",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """name: of its files. title: one line. rows: as many cells as heads. note: under it."""

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def __post_init__(self) -> None:
        if wrong := [row for row in self.rows if len(row) != len(self.heads)]:
            raise ValueError(f"{self.name}: {len(wrong[0])} cells under {len(self.heads)} heads")

    def csv(self) -> str:
        """RFC 4180, with heads."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows([self.heads, *self.rows])
        return text.getvalue()

    def markdown(self) -> str:
        """A pipe table under its title, the note below."""
        lines = [_line(self.heads), _line(["---"] * len(self.heads)), *(_line(row) for row in self.rows)]
        return "\n".join([f"### {self.title}", "", *lines, *(["", self.note] if self.note else []), ""])

    def latex(self) -> str:
        """A tabular for the package booktabs, in a table with the title as its caption."""
        lines = [" & ".join(_tex(cell) for cell in row) + r" \\" for row in [self.heads, *self.rows]]
        body = [r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
        caption = _tex(". ".join(filter(None, [self.title, self.note])))
        return "\n".join([
            r"\begin{table}", r"\centering", rf"\caption{{{caption}}}", rf"\begin{{tabular}}{{{'l' * len(self.heads)}}}", *body,
            r"\end{tabular}", r"\end{table}", "",
        ])  # fmt: skip

    def html(self) -> str:
        """A figure with a caption; wide ones scroll on their own."""
        head = "".join(f"<th>{html.escape(cell)}</th>" for cell in self.heads)
        rows = "".join(f"<tr>{''.join(_td(cell) for cell in row)}</tr>" for row in self.rows)
        note = f'<p class="note">{html.escape(self.note)}</p>' if self.note else ""
        body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f'<section><h3>{html.escape(self.title)}</h3><div class="wide">{body}</div>{note}</section>'


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |"


def _tex(text: str) -> str:
    return "".join(_TEX.get(letter, letter) for letter in text)


def _td(cell: str) -> str:
    """Numbers do not break, verdicts carry their word as a class, and what is long gets room."""
    words = ("reproduced", "holds", "reversed", "open")
    kind = "number" if re.match(r"^[+-]?\d", cell) else next((word for word in words if cell.startswith(word)), "")
    kind = kind or ("long" if len(cell) > LONG else "")
    return f'<td class="{kind}">{html.escape(cell)}</td>' if kind else f"<td>{html.escape(cell)}</td>"
