"""Tables as text: what each format must escape, and what stands in which."""

import csv
import io
import re
from pathlib import Path

import pytest
from made_runs import AGREEMENT, card, config, identity, write

from stackgan.launch.places import CONF
from stackgan.report import published, tables
from stackgan.report.columns import heads
from stackgan.report.record import read
from stackgan.report.statistics import Estimate
from stackgan.report.table import Table, counted, estimated
from stackgan.report.variants import variants

ODD = Table("t", "A_b", ["a|b", "x & y"], [["<i>50 %</i>", "[1, 2]"], ["+0.3", "open: 2.88 ± 0.04 {#_$}"]], "n < 3")
SCORE = "inception_score/small"


def test_csv_reads_back() -> None:
    assert list(csv.reader(io.StringIO(ODD.csv(), newline=""))) == [ODD.heads, *ODD.rows]


def test_csv_has_plain_numbers_in_columns_of_their_own() -> None:
    estimates = [Estimate(0.51234567, (0.48, 0.548), 3), Estimate(0.3, None, 1), None]
    rows = [[name, counted(1000 * place), estimated(one)] for place, (name, one) in enumerate(zip("abc", estimates, strict=True))]
    table = Table("t", "t", ["who", "images", "score"], rows)
    assert list(csv.reader(io.StringIO(table.csv(), newline=""))) == [
        ["who", "images", "score", "score low", "score high", "score seeds"],
        ["a", "0", "0.51234567", "0.48", "0.548", "3"],
        ["b", "1000", "0.3", "", "", "1"],
        ["c", "2000", "", "", "", ""],
    ]
    assert "| a | 0 | 0.512 [0.480, 0.548] |" in table.markdown()
    assert "| c | 2,000 | - |" in table.markdown()
    with_spread = Table("t", "t", ["paper"], [[tables.printed((2.95, 0.02))], [tables.printed(None)]])
    assert with_spread.csv().split() == ["paper,paper", "±", "2.95,0.02", ","]


def test_a_figure_of_fewer_seeds_than_the_row_s_says_so(tmp_path: Path) -> None:
    runs = [write(tmp_path, f"a{seed}", config(), seed, 0.1 * seed, {SCORE: card(3.0)} if seed == 1 else None) for seed in range(3)]
    found = variants([read(run, identity) for run in runs])[0]
    (row,) = tables.ours("toybirds", found, heads(found, None, [AGREEMENT], "refuse")).rows
    assert list(row) == ["stage1", "0, 1, 2", "3.000 (1 of 3 seeds)", "0.100 [-0.148, 0.348]"]


def test_markdown_keeps_its_columns() -> None:
    lines = ODD.markdown().splitlines()
    assert lines[0] == "### A_b"
    assert lines[2] == r"| a\|b | x & y |"
    assert lines[-1] == "n < 3"


def test_latex_is_escaped() -> None:
    text = ODD.latex()
    assert r"\caption{A\_b}" in text
    assert r"\end{tabular}" + "\n" + r"\par\smallskip{\footnotesize n \textless{} 3\par}" in text
    assert r"\begin{tabular}{ll}" in text
    assert r"\footnotesize\n" not in text
    assert r"50 \%\textless{}/i\textgreater{} & {[}1, 2{]} \\" in text
    assert r"+0.3 & open: 2.88 $\pm$ 0.04 \{\#\_\$\} \\" in text
    assert r"a|b & x \& y \\" in text


def test_a_wide_latex_table_shares_the_line() -> None:
    text = Table("t", "t", ["a", "b", "c"], [["x" * 78 + "_=", "1", "y" * 20]]).latex()
    shares = [
        float(share)
        for share in re.findall(r">\{\\raggedright\\arraybackslash\}p\{\\dimexpr ([\d.]+)\\linewidth-2\\tabcolsep\}", text)
    ]
    # Words of 79, 1 and 20 letters, 1 beside each; nothing is left to share.
    assert shares == pytest.approx([80 / 103, 2 / 103, 21 / 103], abs=1e-3)
    roomy = Table("t", "t", ["a", "b"], [["x " * 50, "1"]]).latex()
    shares = [float(share) for share in re.findall(r"dimexpr ([\d.]+)", roomy)]
    assert shares == pytest.approx([1 - 2 / 85, 2 / 85], abs=1e-3)
    assert "\\scriptsize\\setlength{\\tabcolsep}{3pt}\n\\caption" in text
    assert "\\footnotesize\\setlength{\\tabcolsep}{3pt}\n\\caption" in roomy
    assert r"x\_\allowbreak{}=\allowbreak{} & 1" in text


def test_html_is_escaped_and_marks_numbers_and_verdicts() -> None:
    text = ODD.html()
    assert '<section id="t"><h3>A_b</h3>' in text
    assert '<td data-head="a|b">&lt;i&gt;50 %&lt;/i&gt;</td>' in text
    assert '<td class="number" data-head="a|b">+0.3</td><td class="open" data-head="x &amp; y">open' in text


def test_an_interval_stays_in_one_line() -> None:
    text = Table("t", "t", ["a"], [[estimated(Estimate(0.5, (0.4, 0.6), 3))], ["x [0, 1]"]]).html()
    assert ">0.500 <span>[0.400, 0.600]</span></td>" in text
    assert ">x [0, 1]</td>" in text


def test_html_has_room_where_it_is_narrow() -> None:
    """Keys break at their slashes; what is under a head, and an empty cell, are the page's alone."""
    table = Table("t", "t", ["who", "agreement/held_out"], [["a_" * 15, "-"]], under=["", "n < 300"])
    text = table.html()
    assert '<th scope="col">agreement/<wbr>held_<wbr>out<small>n &lt; 300</small></th>' in text
    assert '<th scope="col">who</th>' in text
    assert f'<td class="long" data-head="who">{"a_<wbr>" * 15}</td><td class="none" data-head="agreement/held_out">-</td>' in text
    assert "300" not in table.csv() + table.markdown() + table.latex()


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
    assert "Reproduced: the 95 % interval of the difference lies on the paper's side of 0" in told.note
    assert list(table.under) == ["", "", "", "", "higher is better, 500 pictures"]
    assert "never against the paper's value" in told.note


def test_several_of_ours_in_a_paper_s_row_say_in_what_they_differ(tmp_path: Path) -> None:
    recipe = config()["stage"]["recipe"]
    weighted = [config(data="cub", recipe=recipe | {"kl_weight": weight}) for weight in (1, 2)]
    runs = [write(tmp_path, str(place), one, 0, None, {SCORE: card(3.0)}) for place, one in enumerate(weighted)]
    found = variants([read(run, identity) for run in runs])[0]
    columns = heads(found, None, [], "refuse")
    ablation = published.read(CONF / "paper")[0]
    table, alone = (tables.versus(ablation, "cub", some, columns) for some in (found, found[:1]))
    assert table is not None
    assert alone is not None
    own = "stage1, 64 px, network light, recipe modern, 3,200 images"
    assert [row[2] for row in table.rows if row[0] == "64x64 Stage-I, CA"] == [
        f"{own} (stage1, kl_weight=1)",
        f"{own} (stage1, kl_weight=2)",
    ]
    assert [row[2] for row in alone.rows if row[0] == "64x64 Stage-I, CA"] == [own]


def test_a_pair_that_saw_unequally_many_images_says_so(tmp_path: Path) -> None:
    """3,200 of Stage-II on 3,200 of Stage-I."""
    base = write(tmp_path, "base", config(data="cub"), value=None)
    runs = [
        write(tmp_path, "a", config("stage2", data="cub", resolution=256), 0, None, {SCORE: card(3.0)}, base=base),
        write(tmp_path, "b", config("gan_int_cls", data="cub"), 0, None, {SCORE: card(2.0)}),
    ]
    found = variants([read(run, identity) for run in runs])[0]
    told = tables.judged(published.read(CONF / "paper"), "cub", found, heads(found, None, [], "refuse"), "welch")
    assert told is not None
    assert [list(row[4:6]) for row in told.rows] == [
        ["stage2 (6,400 images in all, resolution=256)", "gan_int_cls (3,200 images in all, resolution=64)"]
    ]


def test_settings_that_differ_beside_the_claim_are_told_as_far_as_there_is_room(tmp_path: Path) -> None:
    odd = [f"x{place}" for place in range(8)]
    recipe = config()["stage"]["recipe"]
    settings = [config("stage2", data="cub", resolution=256), config("gan_int_cls", data="cub", resolution=256)]
    runs = [
        write(tmp_path, str(place), one | {"stage": one["stage"] | {"recipe": recipe | dict.fromkeys(odd, place)}}, 0, None,
              {SCORE: card(3.0)})
        for place, one in enumerate(settings)
    ]  # fmt: skip
    found = variants([read(run, identity) for run in runs])[0]
    told = tables.judged(published.read(CONF / "paper"), "cub", found, heads(found, None, [], "refuse"), "welch")
    assert told is not None
    assert told.rows[0][4] == "stage2 (x0=0, x1=0, x2=0, x3=0, x4=0, x5=0, 2 more settings)"


def test_what_differs_beside_the_claim_is_told_once(tmp_path: Path) -> None:
    """Neither again from the data set's settings, nor where both labels tell it."""
    runs = []
    for stage in ("stage2", "gan_int_cls"):
        for place, rate in enumerate((0.1, 0.2)):
            recipe = config()["stage"]["recipe"] | {"rate": rate}
            mine = config(stage, data="cub", resolution=256 if stage == "stage2" else 64, recipe=recipe)
            mine["data"] |= {"resolution": mine["stage"]["resolution"]}
            runs.append(write(tmp_path, f"{stage}{place}", mine, 0, None, {SCORE: card(3.0)}))
    found = variants([read(run, identity) for run in runs])[0]
    told = tables.judged(published.read(CONF / "paper"), "cub", found, heads(found, None, [], "refuse"), "welch")
    assert told is not None
    assert [list(row[4:6]) for row in told.rows][:2] == [
        ["stage2, rate=0.1 (resolution=256)", "gan_int_cls, rate=0.1 (resolution=64)"],
        ["stage2, rate=0.1 (resolution=256)", "gan_int_cls, rate=0.2 (resolution=64)"],
    ]


def test_cost_by_hand(tmp_path: Path) -> None:
    runs = [
        write(tmp_path, f"a{seed}", config(), seed, seconds=3600.0 * (seed + 1), images_per_second=10.0 * seed) for seed in range(2)
    ]
    (row,) = tables.cost(variants([read(run, identity) for run in runs])[0]).rows
    assert list(row) == ["toybirds", "stage1", "2", "5.0", "1.50", "3.00", "1.50", "-"]
