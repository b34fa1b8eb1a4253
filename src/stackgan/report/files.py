"""A comparison as a folder of files."""

import io
import re
import shutil
from pathlib import Path

from PIL import Image

from stackgan.report import page, tables
from stackgan.report.comparison import Comparison

SLUG = 80
"""Letters of a variant's label in a file's name, at most."""


def png(picture: Image.Image) -> bytes:
    """Packed once, for the file and for the page."""
    packed = io.BytesIO()
    picture.save(packed, "PNG", compress_level=2)  # a tenth larger than by the default, in half its time
    return packed.getvalue()


def write(found: Comparison, folder: Path) -> None:
    """index.html; tables/ as CSV and LaTeX; tables.md; charts/ and sheets/ as PNG; figures.csv; drawn.png where it was drawn."""
    (folder / "tables").mkdir()
    for table in found.tables:
        (folder / "tables" / f"{table.name}.csv").write_text(table.csv(), encoding="utf-8")
        (folder / "tables" / f"{table.name}.tex").write_text(table.latex(), encoding="utf-8")
    markdown = [
        f"# {found.title}",
        "",
        *(f"- {line}" for line in found.left_out),
        "",
        *(table.markdown() for table in found.tables),
    ]
    (folder / "tables.md").write_text("\n".join(markdown), encoding="utf-8")
    (folder / "figures.csv").write_text(tables.figures(found.variants), encoding="utf-8")
    pictures = {name: chart for section in found.sections for name, chart in section.charts.items()} | dict(found.drawn)
    charts = {name: png(picture) for name, picture in pictures.items()}
    for name, file in charts.items():
        (folder / "charts").mkdir(exist_ok=True)
        (folder / "charts" / f"{name}.png").write_bytes(file)
    sheets = [sheet for section in found.sections for sheet in section.sheets]
    for number, sheet in enumerate(sheets, start=1):
        (folder / "sheets").mkdir(exist_ok=True)
        whose = re.sub(r"[^A-Za-z0-9_.=-]+", "-", sheet.variant).strip("-")[:SLUG]
        shutil.copyfile(sheet.path, folder / "sheets" / f"{number}-{whose}-{sheet.path.name}")
    (folder / "index.html").write_text(page.page(found, charts), encoding="utf-8")
