"""Tables as text: what each format must escape, and what stands in which."""

import csv
import io
from pathlib import Path

import pytest
from made_runs import card, config, identity, write

from stackgan.launch.places import CONF
from stackgan.report import published, tables
from stackgan.report.columns import heads
from stackgan.report.record import read
from stackgan.report.table import Table
from stackgan.report.variants import variants

ODD = Table("t", "A_b", ["a|b", "x & y"], [["<i>50 %</i>", "[1, 2]"], ["+0.3", "open: 2.88 ± 0.04 {#_$}"]], "n < 3")
SCORE = "inception_score/small"


def test_csv_reads_back() -> None:
    assert list(csv.reader(io.StringIO(ODD.csv(), newline=""))) == [ODD.heads, *ODD.rows]


def test_markdown_keeps_its_columns() -> None:
    lines = ODD.markdown().splitlines()
    assert lines[0] == "### A_b"
    assert lines[2] == r"| a\|b | x & y |"
    assert lines[-1] == "n < 3"


def test_latex_is_escaped() -> None:
    text = ODD.latex()
    assert r"\caption{A\_b. n \textless{} 3}" in text
    assert r"50 \%\textless{}/i\textgreater{} & {[}1, 2{]} \\" in text
    assert r"+0.3 & open: 2.88 $\pm$ 0.04 \{\#\_\$\} \\" in text
    assert r"a|b & x \& y \\" in text


def test_html_is_escaped_and_marks_numbers_and_verdicts() -> None:
    text = ODD.html()
    assert "<td>&lt;i&gt;50 %&lt;/i&gt;</td>" in text
    assert '<td class="number">+0.3</td><td class="open">open' in text


def test_a_row_with_a_cell_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="1 cells under 2 heads"):
        Table("t", "t", ["a", "b"], [["1"]])


def test_paper_versus_ours_never_shares_a_column(tmp_path: Path) -> None:
    runs = [
        write(tmp_path, f"{name}{seed}", config(data="cub", conditioning_augmentation=on), seed, None, {SCORE: card(value + seed)})
        for name, on, value in (("on", True, 2.0), ("off", False, 1.0))
        for seed in range(2)
    ]
    found = variants([read(run, identity) for run in runs])[0]
    columns = heads(found, None, [], "refuse")
    ablation, systems = published.read(CONF / "paper")
    table = tables.versus(ablation, "cub", found, columns)
    assert table is not None
    assert list(table.heads) == ["row", "paper: inception_score on cub", "ours", "seeds", f"ours: {SCORE}"]
    assert list(table.rows[0]) == [
        "64x64 Stage-I, no CA", "2.66 ± 0.03", "stage1, 64 px, network light, recipe modern, 3,200 images", "0, 1",
        "1.500 [-4.853, 7.853]",
    ]  # fmt: skip
    assert list(table.rows[2]) == ["256x256 Stage-I, no CA", "2.48 ± 0.00", "not run", "", "-"]
    assert "fine-tuned on CUB by the authors" in table.note
    assert table.title.startswith("Paper versus ours: ")
    elsewhere = tables.versus(ablation, "toybirds", found, columns)
    assert elsewhere is not None
    assert elsewhere.title.startswith("The paper's cub beside our toybirds: ")
    assert "other pictures, judges and protocols" in elsewhere.note
    assert tables.versus(ablation, "toybirds", [], columns) is None
    other = tables.versus(systems, "cub", found, columns)
    assert other is not None
    assert list(other.heads[:3]) == ["row", "paper: inception_score on cub", "paper: human_rank on cub"]
    told = tables.judged([ablation, systems], "cub", found, columns, "welch")
    assert told is not None
    assert [row[1] for row in told.rows] == ["open: the interval holds 0"]
    assert "never against the paper's value" in told.note


def test_a_pair_that_saw_unequally_many_images_says_so(tmp_path: Path) -> None:
    """3,200 of Stage-II on 3,200 of Stage-I."""
    base = write(tmp_path, "base", config(data="cub"), value=None)
    runs = [
        write(tmp_path, "a", config("stage2", data="cub"), 0, None, {SCORE: card(3.0)}, base=base),
        write(tmp_path, "b", config("gan_int_cls", data="cub"), 0, None, {SCORE: card(2.0)}),
    ]
    found = variants([read(run, identity) for run in runs])[0]
    told = tables.judged(published.read(CONF / "paper"), "cub", found, heads(found, None, [], "refuse"), "welch")
    assert told is not None
    assert [list(row[4:6]) for row in told.rows] == [["stage2 (6,400 images in all)", "gan_int_cls (3,200 images in all)"]]


def test_cost_by_hand(tmp_path: Path) -> None:
    runs = [
        write(tmp_path, f"a{seed}", config(), seed, seconds=3600.0 * (seed + 1), images_per_second=10.0 * seed) for seed in range(2)
    ]
    (row,) = tables.cost(variants([read(run, identity) for run in runs])[0]).rows
    assert list(row) == ["toybirds", "stage1", "2", "5.0", "1.50", "3.00", "1.50", "-"]
