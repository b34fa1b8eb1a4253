"""A comparison: what stands in its folder, put together from records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PIL import Image

from stackgan.report import charts, gallery, tables
from stackgan.report.columns import Mixed, heads
from stackgan.report.published import Paper
from stackgan.report.record import Record
from stackgan.report.statistics import Way
from stackgan.report.table import Table
from stackgan.report.variants import Variant, variants


@dataclass(frozen=True)
class Wanted:
    """What is shown: patterns of scores, figures and curves, the test of differences, what mixed judges mean, how many sheets."""

    scores: Sequence[str] | None
    figures: Sequence[str]
    curves: Sequence[str]
    differences: Way
    mixed: Mixed
    sheets: int


@dataclass
class Section:
    """One data set's part. tables: in the order of the page. charts: by file name."""

    data: str
    tables: list[Table] = field(default_factory=list)
    charts: dict[str, Image.Image] = field(default_factory=dict)
    sheets: list[gallery.Sheet] = field(default_factory=list)


@dataclass
class Comparison:
    """title: one line. left_out: what is not in it and why. drawn: pictures drawn anew, by file name."""

    title: str
    variants: Sequence[Variant]
    left_out: list[str]
    sections: list[Section]
    drawn: Mapping[str, Image.Image] = field(default_factory=dict)

    @property
    def closing(self) -> list[Table]:
        """What stands once, below all data sets."""
        return [tables.cost(self.variants), tables.runs(self.variants)]

    @property
    def tables(self) -> list[Table]:
        """All of them."""
        return [table for section in self.sections for table in section.tables] + self.closing


def comparison(title: str, records: Sequence[Record], papers: Sequence[Paper], wanted: Wanted) -> Comparison:
    """Tables and charts of records, a section a data set. Raises UserError where figures of one name were not judged alike."""
    found, left_out = variants(records)
    sections = [
        _section(data, [v for v in found if v.data == data], papers, wanted, left_out)
        for data in dict.fromkeys(v.data for v in found)
    ]
    return Comparison(title, found, left_out, sections)


def _section(data: str, mine: Sequence[Variant], papers: Sequence[Paper], wanted: Wanted, said: list[str]) -> Section:
    columns = heads(mine, wanted.scores, wanted.figures, wanted.mixed)
    judged = tables.judged(papers, data, mine, columns, wanted.differences)
    versus = [tables.versus(paper, data, mine, columns) for paper in papers]
    shown = [judged, tables.ours(data, mine, columns), *versus, tables.protocols(data, columns)]
    made = {"bars": charts.bar_chart(data, mine, columns), "curves": charts.curve_chart(data, mine, wanted.curves, said)}
    pictures = {f"{data}-{name}": chart for name, chart in made.items() if chart is not None}
    return Section(data, [table for table in shown if table is not None], pictures, gallery.sheets(mine, wanted.sheets, said))
