"""One HTML page that holds everything: no script, no network, dark and light as the reader's system is."""

import base64
import html
import io

from PIL import Image

from stackgan.report.comparison import Comparison, Section

WIDEST = 1000
"""Pixels of a picture on the page; larger ones are shrunk, for the files beside it have them whole."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --faint: #666; --line: #ddd; --paper: #fff; --head: #f4f4f2;
  --good: #1a6b3c; --bad: #a83216; --unsure: #6b5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e3; --faint: #a0a09a; --line: #3a3a38; --paper: #171716; --head: #222220;
  --good: #6fcf97; --bad: #ff9a76; --unsure: #e0c766; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto; max-width: 76rem;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.3rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th { background: var(--head); font-weight: 600; }
td.number { white-space: nowrap; } td:first-child { min-width: 9rem; } td.long { min-width: 14rem; }
td.reproduced, td.holds { color: var(--good); font-weight: 600; } td.reversed { color: var(--bad); font-weight: 600; }
td.open { color: var(--unsure); }
.note, figcaption, .left { color: var(--faint); font-size: .85rem; max-width: 70rem; }
figure { margin: 1.2rem 0; } img { max-width: 100%; height: auto; border-radius: 4px; background: #fff; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(26rem, 1fr)); gap: 1rem; } .grid figure { margin: 0; }
nav a { margin-right: 1rem; } a { color: inherit; }
details summary { cursor: pointer; font-weight: 600; margin-top: 1rem; }
@media (max-width: 30rem) { .grid { grid-template-columns: 1fr; } }
"""


def page(found: Comparison) -> str:
    """The whole page."""
    links = [*(section.data for section in found.sections), *(["drawn"] if found.drawn else []), "cost"]
    nav = "".join(f'<a href="#{html.escape(link)}">{html.escape(link)}</a>' for link in links)
    left = "".join(f"<li>{html.escape(line)}</li>" for line in found.left_out)
    body = "".join(_section(section) for section in found.sections)
    drawn = "".join(
        _figure(picture, f"{name}: the same sentences and noise keys for every variant") for name, picture in found.drawn.items()
    )
    cost, runs = found.closing
    return "\n".join([
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(found.title)}</title><style>{STYLE}</style></head><body>",
        f"<h1>{html.escape(found.title)}</h1><nav>{nav}</nav>",
        f'<ul class="left">{left}</ul>' if left else "",
        body,
        f'<h2 id="drawn">Drawn anew</h2>{drawn}' if drawn else "",
        f'<h2 id="cost">Cost</h2>{cost.html()}<details><summary>All {len(runs.rows)} runs</summary>{runs.html()}</details>',
        "</body></html>", "",
    ])  # fmt: skip


def _section(section: Section) -> str:
    *shown, protocols = section.tables
    charts = "".join(_figure(chart, "") for chart in section.charts.values())
    sheets = "".join(_figure(sheet.picture, sheet.caption) for sheet in section.sheets)
    return "".join([
        f'<h2 id="{html.escape(section.data)}">{html.escape(section.data)}</h2>',
        *(table.html() for table in shown),
        f"<details><summary>Judges and protocols</summary>{protocols.html()}</details>" if protocols.rows else "",
        charts,
        f'<h3>Newest sheets</h3><div class="grid">{sheets}</div>' if sheets else "",
    ])  # fmt: skip


def _figure(picture: Image.Image, caption: str) -> str:
    words = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img alt="{html.escape(caption or "chart")}" src="{data_uri(picture)}">{words}</figure>'


def data_uri(picture: Image.Image) -> str:
    """The picture as a WebP in the address itself, at most WIDEST pixels wide."""
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=88, method=1)  # the fastest; a page of many sheets should not keep one waiting
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()
