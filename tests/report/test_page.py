"""What stands on a comparison's page, and where its links lead."""

import re
from pathlib import Path

import numpy as np
import pytest
from made_runs import AGREEMENT, card, config, identity, write

from stackgan.launch.places import CONF
from stackgan.report import charts, gallery, published
from stackgan.report.comparison import Comparison, Wanted, comparison
from stackgan.report.files import write as write_files
from stackgan.report.glossary import MEANINGS, TERMS, meaning
from stackgan.report.page import summary
from stackgan.report.record import read
from stackgan.runs.folder import RunFolder

WANTED = Wanted(None, [AGREEMENT], [AGREEMENT], "welch", "refuse", 12)
PARTS = {"frechet": "infinite", "precision_recall": "recall", "memorisation": "authentic", "location": "pck", "coverage": "size"}
"""Of scores that have any, one."""


def compared(*runs: RunFolder) -> Comparison:
    return comparison("Comparison of <these>", [read(run, identity) for run in runs], published.read(CONF / "paper"), WANTED)


def ablation(root: Path, data: str = "toybirds") -> list[RunFolder]:
    return [
        write(root, f"{on}{seed}", config(data=data, conditioning_augmentation=on), seed, 0.5 + seed / 10, {"fid/small": card(3.0)})
        for on in (True, False)
        for seed in (0, 1)
    ]


def page(found: Comparison, folder: Path) -> str:
    folder.mkdir()
    write_files(found, folder)
    return (folder / "index.html").read_text()


def test_a_line_says_what_is_compared(tmp_path: Path) -> None:
    runs = ablation(tmp_path)
    assert re.fullmatch(
        r"4 runs of 2 variants on toybirds, all finished; seeds 0, 1; code abc; \d+ [A-Z][a-z]+ 20\d\d", summary(compared(*runs))
    )
    other = write(tmp_path, "c", config(data="cub"), 7, done=False)
    other.provenance.write_text(other.provenance.read_text().replace("abc", "def", 1))
    several = summary(compared(runs[0], other))
    assert several.startswith("2 runs of 2 variants on toybirds, cub, 1 of them finished; seeds 0, 7; code of 2 commits; ")
    assert summary(compared(runs[0])).startswith("1 run of 1 variant on toybirds, all finished; seed 0; ")
    changed = write(tmp_path, "d", config(), 7)
    changed.provenance.write_text(changed.provenance.read_text().replace("abc", f"{'abc' * 13}d+", 1))
    assert "; code abcabcabca+; " in summary(compared(changed)), "files differed from that commit"
    assert "; code of 2 commits; " in summary(compared(runs[0], changed))


@pytest.mark.parametrize("data", [("toybirds",), ("toybirds", "cub")])
def test_links_lead_to_what_is_there_in_its_order(tmp_path: Path, data: tuple[str, ...]) -> None:
    text = page(compared(*(run for name in data for run in ablation(tmp_path, name))), tmp_path / "out")
    (nav,) = re.findall("<nav>(.*?)</nav>", text)
    links, places = re.findall('href="#([^"]+)"', nav), re.findall('id="([^"]+)"', text)
    assert [place for place in places if place in links] == links
    assert len(set(places)) == len(places)
    words = [f"toybirds-{part}" for part in ("verdicts", "figures", "charts", "stackgan_ablation", "sheets")]
    assert links == ([*words, "cost", "terms"] if len(data) == 1 else [*data, "cost", "terms"])


def test_terms_are_explained_and_nothing_is_taken_for_markup(tmp_path: Path) -> None:
    found = compared(*ablation(tmp_path))
    found.left_out.append("a<b: left out")
    text = page(found, tmp_path / "out")
    assert "<h1>Comparison of &lt;these&gt;</h1>" in text
    assert "<b>Left out</b><ul><li>a&lt;b: left out</li></ul>" in text
    for word in TERMS:
        assert f"<dt>{word}</dt>" in text
    assert meaning(AGREEMENT).replace("'", "&#x27;") in text
    assert "Left out" not in page(compared(*ablation(tmp_path)), tmp_path / "more")


def test_meanings_are_of_scores_that_there_are() -> None:
    """And of figures taken while training; a score of yours without one stands there without a word."""
    scores = {path.stem for path in (CONF / "metric").glob("[!_]*.yaml")}
    taken = {"accuracy", "zero_shot", "told_apart", "fid"}
    assert {pattern.partition("/")[0] for pattern in MEANINGS} <= scores | taken
    assert meaning("inception_score/x").startswith("how sure the judge is")
    for score, part in PARTS.items():
        assert meaning(f"{score}/{part}/x"), score
    assert meaning("diversity/within") != meaning("diversity/small") != ""
    assert meaning("precision_recall/recall/x") != meaning("precision_recall/precision/x")
    assert meaning("mine/test") == meaning("") == ""
    assert all(meaning(pattern) == text for pattern, text in MEANINGS.items()), "a pattern above stands in the way"


def test_a_band_is_that_of_finished_seeds(tmp_path: Path) -> None:
    """One that has only begun would cut it short; where none is finished they are all there is."""
    runs = [write(tmp_path, f"a{seed}", config(), seed, 0.5, done=seed < 2) for seed in range(3)]
    found = [compared(*some).variants for some in (runs[:2], runs, runs[2:])]
    two, three, begun = (charts.curve_chart("toybirds", some, [AGREEMENT], []) for some in found)
    assert two is not None
    assert three is not None
    assert begun is not None
    assert np.array_equal(np.asarray(two), np.asarray(three))
    assert not np.array_equal(np.asarray(two), np.asarray(begun))


def test_a_sheet_says_whose_it_is_and_when(tmp_path: Path) -> None:
    run = write(tmp_path, "a", config(), 3)
    (run.sheets / "seen-odd-test.png").write_bytes(b"")
    (found,) = gallery.sheets(compared(run).variants, 12, [])
    assert found.caption == "stage1: seed 3, run a, done; sentences of split test after 3,200 images"
