"""compare.py from end to end, on runs that were written down."""

import base64
import copy
import csv
import io
import json
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import drawn_runs
import pytest
from commands import SRC, Outcome, Program
from made_runs import AGREEMENT, BUDGET, card, sweep, write
from PIL import Image

from stackgan.launch.comparing import compare

SCORE = "inception_score/small"
BIRDS = "stage1/toybirds"
WAYS = "give a sweep's folder, a folder that holds runs"


@cache
def composed() -> dict[str, Any]:
    return drawn_runs.settings(f"stage.images={BUDGET}")


def config(data: str = "toybirds", count: int = 300, **stage: Any) -> dict[str, Any]:
    """The program's own settings. stage: its settings, changed."""
    mine = copy.deepcopy(composed())
    mine["stage"] |= stage
    mine["data"]["name"] = data
    mine["callbacks"]["agreement"]["count"] = count
    return mine


@pytest.fixture
def comparing(program: Program) -> Program:
    def call(*words: str) -> Outcome:
        return program(*words, verb=compare, config="compare")

    return call


def ablation(root: Path) -> None:
    """CA on and off, three seeds each."""
    for on, value in ((True, 0.6), (False, 0.2)):
        for seed in range(3):
            write(root, f"{'on' if on else 'off'}{seed}", config(conditioning_augmentation=on), seed, value + seed / 100)


class Page(HTMLParser):
    """What a page is made of. references: whatever it would load or lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_folder_of_runs_becomes_tables_charts_and_a_page(comparing: Program, desk: Path) -> None:
    ablation(desk / "logs")
    write(desk / "logs", "cut", config(text_twice=False), done=False)
    ended = comparing("runs=[logs/stage1/toybirds]")
    assert ended.code == 0, ended.err
    out = desk / "logs" / "compared" / "toybirds-1"
    assert {path.name for path in out.iterdir()} == {
        "about.json",
        "charts",
        "figures.csv",
        "index.html",
        "sheets",
        "tables",
        "tables.md",
    }
    (verdict,) = csv.DictReader(io.StringIO((out / "tables" / "toybirds-verdicts.csv").read_text()))
    assert verdict["claim"] == "CA helps Stage-I at 64 px"
    assert verdict["figure"] == AGREEMENT
    # 0.01 of deviation, 3 seeds each: t of 4 is 2.776.
    parts = [float(verdict[f"difference{part}"]) for part in ("", " low", " high")]
    assert parts == pytest.approx([0.4, 0.3773, 0.4227], abs=1e-4)
    assert "| +0.400 [0.377, 0.423] |" in (out / "tables.md").read_text()
    assert verdict["verdict"] == "holds on toybirds"
    rows = list(csv.DictReader(io.StringIO((out / "tables" / "runs.csv").read_text())))
    assert [row["state"] for row in rows if row["run"] == "cut"] == ["unfinished at 2,400 of 3,200 images"]
    assert len(list(csv.DictReader(io.StringIO((out / "figures.csv").read_text())))) == 6
    assert [(row["images seen"], row["commit"]) for row in rows if row["run"] == "on0"] == [("3200", "abc")]
    labels = ["conditioning_augmentation=false-text_twice=true", "conditioning_augmentation=true-text_twice=false",
              "conditioning_augmentation=true-text_twice=true"]  # fmt: skip
    assert sorted(path.name for path in (out / "sheets").iterdir()) == [
        f"{place}-stage1-{label}-seen-000003200-test.png" for place, label in enumerate(labels, start=1)
    ]
    assert len(json.loads((out / "about.json").read_text())["runs"]) == 7
    assert "holds on toybirds" in ended.out
    assert comparing("runs=[logs/stage1/toybirds]").code == 0
    assert (out.parent / "toybirds-2").is_dir()


def test_the_page_needs_no_network_and_no_script(comparing: Program, desk: Path) -> None:
    ablation(desk / "logs")
    assert comparing("runs=[logs]", "out=here", "name=mine").code == 0
    page = Page((desk / "here" / "mine-1" / "index.html").read_text())
    assert not {"script", "link", "iframe"} & set(page.tags)
    pictures = [one for one in page.references if not one.startswith("#")]
    assert len(pictures) == 2 + 2  # bars and curves, a sheet a variant
    kinds = []
    for one in pictures:
        kind, _, content = one.partition(",")
        kinds.append(kind)
        Image.open(io.BytesIO(base64.b64decode(content))).verify()
    assert kinds == ["data:image/png;base64"] * 2 + ["data:image/webp;base64"] * 2
    bars = (desk / "here" / "mine-1" / "charts" / "toybirds-bars.png").read_bytes()
    assert base64.b64encode(bars).decode() in pictures[0], "a chart is packed once"
    assert "url(" not in (desk / "here" / "mine-1" / "index.html").read_text()
    assert "unfinished" not in page.text


def test_pytorch_is_not_imported_for_files_alone(desk: Path) -> None:
    """It and Lightning take several seconds, longer than comparing hundreds of runs."""
    ablation(desk / "logs")
    code = (
        f"import sys; sys.path.insert(0, {str(SRC)!r}); sys.argv = ['compare.py', 'runs=[logs]']\n"
        "from stackgan.launch import cli\nfrom stackgan.launch.comparing import compare\n"
        "cli.run(compare, 'compare')\nsys.exit(str(sorted({'torch', 'lightning', 'scipy.stats'} & set(sys.modules))))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stderr == "[]\n"
    assert (desk / "logs" / "compared" / "logs-1" / "index.html").exists()


def test_a_sweep_with_jobs_that_wait_or_failed(comparing: Program, desk: Path) -> None:
    root = desk / "sweeps" / "ablation"
    run = write(root, "a", config(), value=0.4)
    write(root, "stranger", config(text_twice=False))
    jobs = [
        {"row": "CA seed 0", "variant": "64 with CA", "seed": 0, "run": str(run.path.relative_to(root))},
        {"row": "CA seed 1", "variant": "64 with CA", "seed": 1, "state": "failed", "why": "no memory"},
        {"row": "none seed 0", "variant": "64 without CA", "seed": 0, "state": "waiting"},
    ]
    sweep(root, *jobs)
    ended = comparing("runs=[sweeps/ablation]")
    assert ended.code == 0, ended.err
    out = desk / "logs" / "compared" / "ablation-1"
    rows = list(csv.reader(io.StringIO((out / "tables" / "toybirds-figures.csv").read_text())))[1:]
    assert rows == [["64 with CA", "0 (1 not done)", "0.4", "", "", "1"], ["64 without CA", "none (1 not done)", "", "", "", ""]]
    assert "failed: no memory" in (out / "tables" / "runs.csv").read_text()
    (root / "sweep.json").write_text('{"jobs": [{}]}')
    assert "not what a sweep writes" in comparing("runs=[sweeps/ablation]").complaint


def test_a_failed_job_of_a_sweep_keeps_its_cause(comparing: Program, desk: Path) -> None:
    """Its run says only how far it came; one that was done outside of the sweep is done."""
    root = desk / "sweeps" / "ablation"
    runs = [write(root, name, config(), seed, done=name != "cut") for seed, name in enumerate(("whole", "cut", "mended"))]
    states = ({"state": "done"}, {"state": "failed", "why": "loss/d is nan"}, {"state": "failed", "why": "no memory"})
    jobs = [
        {"row": f"CA {seed}", "variant": "CA", "seed": seed, "run": str(run.path.relative_to(root)), **state}
        for seed, (run, state) in enumerate(zip(runs, states, strict=True))
    ]
    sweep(root, *jobs)
    assert comparing("runs=[sweeps/ablation]").code == 0
    rows = csv.DictReader(io.StringIO((desk / "logs" / "compared" / "ablation-1" / "tables" / "runs.csv").read_text()))
    assert {row["run"]: row["state"] for row in rows} == {
        "whole": "done", "mended": "done", "cut": "failed: loss/d is nan; unfinished at 2,400 of 3,200 images"
    }  # fmt: skip


def test_jobs_that_wait_stand_with_their_own_sweep_and_data(comparing: Program, desk: Path) -> None:
    for name, data in (("one", "toybirds"), ("two", "cub")):
        root = desk / "sweeps" / name
        run = write(root, "a", config(data=data), value=0.4)
        waiting = {"row": "CA 1", "variant": "CA", "seed": 1, "state": "waiting"}
        sweep(root, {"row": "CA 0", "variant": "CA", "seed": 0, "run": str(run.path.relative_to(root))}, waiting)
    assert comparing("runs=[sweeps/one,sweeps/two]").code == 0
    out = desk / "logs" / "compared" / "one-1" / "tables"
    for data in ("toybirds", "cub"):
        assert list(csv.reader(io.StringIO((out / f"{data}-figures.csv").read_text())))[1][:2] == ["CA", "0 (1 not done)"]


def test_damaged_rows_and_sheets_are_left_out_by_name(comparing: Program, desk: Path) -> None:
    bad, good = (write(desk / "logs", name, config(text_twice=name == "good"), value=0.5) for name in ("bad", "good"))
    bad.metrics.write_text(bad.metrics.read_text() + "4000,abc\n")
    (sheet,) = bad.sheets.iterdir()
    sheet.write_bytes(b"no picture")
    ended = comparing("runs=[logs]")
    assert ended.code == 0, ended.err
    assert f"note: {bad.metrics.relative_to(desk)}: rows left out, for something in them is no number: 1" in ended.out
    assert f"note: {sheet.relative_to(desk)}: left out, not a picture that can be read (UnidentifiedImageError)" in ended.out
    page = (desk / "logs" / "compared" / "logs-1" / "index.html").read_text()
    assert (f"{good.path.name}, done" in page, f"{bad.path.name}, done" in page) == (True, False)


def test_a_run_without_results_is_scored_or_trained_again(comparing: Program, desk: Path) -> None:
    """Its own command would say that it is done."""
    run = write(desk / "logs", "bare", config())
    run.results.unlink()
    assert comparing("runs=[logs]").complaint == (
        "runs=[logs]: no finished run among 1 (bare done, but without results.json); score them anew: "
        "python src/evaluate.py run=logs/stage1/toybirds/bare, or train them again beside with run.fresh=true"
    )


def test_references_and_folders_of_several_data_sets(comparing: Program, desk: Path) -> None:
    write(desk / "logs", "a", config(), value=0.4)
    write(desk / "logs", "b", config(data="cub"), value=None, scores={SCORE: card(2.5)})
    ended = comparing("runs=[run://stage1/toybirds/latest,run://stage1/cub/b,logs/stage1/cub]")
    assert ended.code == 0, ended.err
    out = desk / "logs" / "compared" / "stage1-toybirds-latest-1"
    tables = {path.stem for path in (out / "tables").glob("*.csv")}
    assert {"toybirds-figures", "cub-figures", "cub-stackgan_ablation", "cub-stackgan_systems", "runs", "cost"} <= tables
    assert len(json.loads((out / "about.json").read_text())["runs"]) == 2, "a run that is named twice counts once"
    assert "64x64 Stage-I, CA | 2.95 ± 0.02 | stage1, 64 px" in (out / "tables.md").read_text()


def test_a_damaged_run_in_a_folder_is_left_out_and_named(comparing: Program, desk: Path) -> None:
    write(desk / "logs", "good", config())
    bad = write(desk / "logs", "bad", config(text_twice=False))
    bad.results.write_text("{")
    ended = comparing("runs=[logs]")
    assert ended.code == 0, ended.err
    assert "note: left out: logs/stage1/toybirds/bad/results.json: cannot be read" in ended.out
    assert "bad/results.json: cannot be read" in (desk / "logs" / "compared" / "logs-1" / "index.html").read_text()
    assert comparing("runs=[logs/stage1/toybirds/bad]").complaint.startswith(
        "logs/stage1/toybirds/bad/results.json: cannot be read"
    )
    (desk / "logs" / BIRDS / "good" / "results.json").write_text("[]")
    assert "results.json: " in comparing("runs=[logs]").complaint


def test_sentences_are_drawn_anew_with_the_same_keys(comparing: Program, desk: Path) -> None:
    for name, word in (("a", "stage.conditioning_augmentation=true"), ("b", "stage.conditioning_augmentation=false")):
        run = drawn_runs.write_run(desk / "logs", word, "stage.images=48", name=name)
        run.finish({"images_seen": 48, AGREEMENT: 0.5})
    write(desk / "logs", "bare", config(text_twice=False))
    box = ("stage=gawwn_box", "stage.resolution=128", "stage.images=48")
    drawn_runs.write_run(desk / "logs", *box, name="boxed").finish({"images_seen": 48, AGREEMENT: 0.5})
    ended = comparing("runs=[logs]", "sentences=[a red bird,a blue bird]", "n=3", "mixed=columns")
    assert ended.code == 0, ended.err
    out = desk / "logs" / "compared" / "logs-1"
    assert Image.open(out / "charts" / "toybirds-drawn.png").width > 2 * 3 * 128
    assert "bare" not in ended.out
    assert "not drawn anew: no run with a checkpoint" in ended.out
    assert "note: gawwn_box: not drawn anew: " in ended.out
    assert comparing("runs=[logs]", "sentences=['']", "mixed=columns").code == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("runs=[]",), f"runs=[]: names nothing to compare; {WAYS}"),
        (("runs=[nowhere]",), f"runs=nowhere: no such folder; {WAYS}"),
        (("runs=[empty]",), f"runs=empty: no run lies in this folder (no config.json down to 4 folders); {WAYS}"),
        (("runs=[foreign]",), "runs=foreign: no run lies in this folder"),
        (("runs=[foreign/model]",), "runs=foreign/model: its config.json is not one of a run of this version"),
        (("runs=[run://stage1/toybirds/onn]",), "runs=run://stage1/toybirds/onn: no such run under logs/; did you mean stage1/"),
        (("runs=[run://one]",), f"runs=run://one: not a reference; {WAYS}"),
        (("runs=[cut]",), "runs=[cut]: no finished run among 1 (half unfinished at 2,400 of 3,200 images); give the command"),
        (("runs=[logs,other]",), f"{AGREEMENT}: other/{BIRDS}/two and logs/{BIRDS}/one were not judged alike (count 9 and 300)"),
        (("runs=[logs]", "differences=anova"), "differences=anova: input should be 'welch' or 'paired'"),
        ((), "runs=???: needs a value"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_with_the_way_out(comparing: Program, desk: Path, words: tuple[str, ...], complaint: str) -> None:
    (desk / "empty").mkdir()
    (desk / "foreign" / "model").mkdir(parents=True)
    (desk / "foreign" / "model" / "config.json").write_text('{"model_type": "gpt"}')
    write(desk / "logs", "one", config())
    write(desk / "cut", "half", config(), done=False)
    write(desk / "other", "two", config(text_twice=False, count=9))
    assert comparing(*words).complaint.startswith(complaint)
    assert not (desk / "logs" / "compared").exists()


def test_an_out_that_cannot_be_written(comparing: Program, desk: Path) -> None:
    write(desk / "logs", "one", config())
    (desk / "file").write_text("")
    assert comparing("runs=[logs]", "out=file/here").complaint.startswith("out=file/here: cannot be written")
