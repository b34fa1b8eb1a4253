"""One HTML page that holds everything: no script, no network."""

import base64
import html
import io
from collections.abc import Mapping
from datetime import UTC, datetime

from PIL import Image

from stackgan.report.comparison import Comparison, Section
from stackgan.report.glossary import TERMS
from stackgan.report.style import STYLE
from stackgan.report.table import Table

WIDEST = 1000
"""Pixels of a sheet on the page; larger ones are shrunk, for the files beside it have them whole."""

BESIDE = (
    "Beside this page: tables/ (CSV with numbers in full, LaTeX), tables.md, charts/ and sheets/ (PNG), "
    "figures.csv (every figure of every run), about.json (the settings of this comparison)."
)


def page(found: Comparison, charts: Mapping[str, bytes]) -> str:
    """The whole page. charts: PNG files of all charts, those drawn anew included, by name."""
    drawn = "".join(
        _figure(_png(charts[name]), f"{name}: the same sentences and noise keys for every variant", "drawn") for name in found.drawn
    )
    cost, runs = found.closing
    return "\n".join([
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(found.title)}</title><style>{STYLE}</style></head><body>",
        f'<h1>{html.escape(found.title)}</h1><p class="lead">{html.escape(summary(found))}</p>{_nav(found)}', _left_out(found),
        *(_section(section, charts) for section in found.sections),
        f'<h2 id="drawn">Drawn anew</h2>{drawn}' if drawn else "",
        f'<h2>Cost</h2>{cost.html()}<details><summary>All {len(runs.rows)} runs</summary>{runs.html()}</details>',
        f'<h2 id="terms">Terms</h2><dl>{"".join(_term(*term) for term in TERMS.items())}</dl>',
        f'<p class="note">{BESIDE}</p></body></html>', "",
    ])  # fmt: skip


def summary(found: Comparison) -> str:
    """What is compared: `6 runs of 2 variants on toybirds, all finished; seeds 0, 1, 2; code 98787ec; 28 November 2026`."""
    records = [record for variant in found.variants for record in variant.records]
    done, data = sum(record.done for record in records), ", ".join(section.data for section in found.sections)
    state = "all finished" if done == len(records) else f"{done} of them finished"
    seeds = sorted({record.seed for record in records})
    commits = sorted({record.code for record in records if record.code})
    code = "" if not commits else f"code {commits[0]}" if len(commits) == 1 else f"code of {len(commits)} commits"
    words = [
        f"{_many(len(records), 'run')} of {_many(len(found.variants), 'variant')} on {data}, {state}",
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}", code, f"{datetime.now(UTC):%-d %B %Y}",
    ]  # fmt: skip
    return "; ".join(filter(None, words))


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _nav(found: Comparison) -> str:
    """To each part of a data set, where there is one alone; else to each data set."""
    links = {section.data: section.data for section in found.sections}
    if len(found.sections) == 1:
        (only,) = found.sections
        own, papers = _sorted(only)
        named = [[table.name for table in tables] for tables in (own, papers)]
        charts, sheets = ([f"{only.data}-{part}"] if getattr(only, part) else [] for part in ("charts", "sheets"))
        parts = [*named[0], *charts, *named[1], *sheets]
        links = {part: part.removeprefix(f"{only.data}-").replace("_", " ") for part in parts}
    links |= {part: part for part in (["drawn"] if found.drawn else []) + ["cost", "terms"]}
    ways = (f'<a href="#{html.escape(link)}">{html.escape(words)}</a>' for link, words in links.items())
    return f"<nav>{''.join(ways)}</nav>"


def _left_out(found: Comparison) -> str:
    lines = "".join(f"<li>{html.escape(line)}</li>" for line in found.left_out)
    return f'<div class="left"><b>Left out</b><ul>{lines}</ul></div>' if lines else ""


def _section(section: Section, charts: Mapping[str, bytes]) -> str:
    """Verdicts and figures, what the figures are, charts, papers, pictures."""
    own, papers = _sorted(section)
    protocols = section.tables[-1]
    drawn = "".join(_figure(_png(charts[name]), "", "chart") for name in section.charts)
    sheets = "".join(_figure(_webp(sheet.picture), sheet.caption, "sheet") for sheet in section.sheets)
    data = html.escape(section.data)
    return "".join([
        f'<h2 id="{data}">{data}</h2>', *(table.html() for table in own),
        f"<details><summary>What the figures say, and who judged</summary>{protocols.html()}</details>" if protocols.rows else "",
        f'<h3 id="{data}-charts">Charts</h3>{drawn}' if drawn else "",
        *(table.html() for table in papers),
        f'<h3 id="{data}-sheets">Newest sheets</h3><div class="grid">{sheets}</div>' if sheets else "",
    ])  # fmt: skip


def _sorted(section: Section) -> tuple[list[Table], list[Table]]:
    """Verdicts and our figures; ours beside papers'."""
    *shown, _ = section.tables
    own = [table for table in shown if table.name.endswith(("-verdicts", "-figures"))]
    return own, [table for table in shown if table not in own]


def _term(word: str, meaning: str) -> str:
    return f"<dt>{html.escape(word)}</dt><dd>{html.escape(meaning)}</dd>"


def _figure(address: str, caption: str, kind: str) -> str:
    words = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure class="{kind}"><div class="wide"><img alt="{html.escape(caption or kind)}" src="{address}"></div>{words}</figure>'
    )


def _png(file: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(file).decode()


def _webp(picture: Image.Image) -> str:
    """The picture as a WebP in the address itself, at most WIDEST pixels wide."""
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=88, method=0)  # as small as by slower methods, in a third of their time
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
