"""compare.py publish=wandb, against hosts of our own: W&B itself was never reached from here."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import drawn_runs
import pytest
from commands import SRC, Outcome, Program
from made_runs import BUDGET, write
from wandb_host import host
from wandb_programs import KEY, LIMIT, environment

from stackgan.core.errors import UserError
from stackgan.launch import identity, publishing
from stackgan.launch.comparing import compare
from stackgan.report.record import read
from stackgan.runs.folder import RunFolder

RUNS = "runs=[logs]"
PAGE = Path("logs/compared/logs-1/index.html")


@pytest.fixture
def tracked(desk: Path) -> None:
    """Two runs, one with W&B's id and offline files to be synced."""
    settings = drawn_runs.settings(f"stage.images={BUDGET}", "logger=wandb", "logger.wandb.entity=team")
    for seed in range(2):
        run = write(desk / "logs", f"run{seed}", settings, seed)
    (run.path / "wandb-id").write_text("abc123\n")
    for session, marks in (("offline-run-1-abc123", [".synced"]), ("offline-run-2-abc123", [])):
        (run.path / "wandb" / session).mkdir(parents=True)
        for mark in ["", *marks]:
            (run.path / "wandb" / session / f"run-abc123.wandb{mark}").touch()


@pytest.fixture
def comparing(program: Program) -> Program:
    def call(*words: str) -> Outcome:
        return program(*words, verb=compare, config="compare")

    return call


def published(desk: Path, *words: str, **env: str) -> tuple[Outcome, float]:
    """`compare.py publish=wandb` in a process of its own, and the seconds between its files and its end."""
    command = [sys.executable, str(SRC / "compare.py"), RUNS, "publish=wandb", *words]
    with (desk / "err").open("w") as err:
        process = subprocess.Popen(
            command, cwd=desk, env=environment(desk / "home", **env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=err, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("tables, charts, sheets: "):
                then = time.perf_counter()
        code = process.wait(timeout=200)
    return Outcome(code, "".join(lines), (desk / "err").read_text()), time.perf_counter() - then


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({}, "no API key"),
        ({"WANDB_API_KEY": KEY}, "127.0.0.1:9 does not answer within wandb.answer_seconds=6"),
        ({"WANDB_API_KEY": KEY, "WANDB_MODE": "offline"}, "WANDB_MODE says offline"),
    ],
)
def test_no_key_or_no_network(env: dict[str, str], says: str, tracked: None, desk: Path) -> None:
    ended, longer = published(desk, **env)
    assert ended.complaint.startswith(f"publish=wandb: {says}; the files are in logs/compared/logs-1; `wandb login` or")
    assert longer < LIMIT
    assert (desk / PAGE).exists()


@pytest.mark.slow
@pytest.mark.parametrize("heads", [False, True], ids=["to nothing", "only to whether it is there"])
def test_a_host_that_never_answers(heads: bool, tracked: None, desk: Path) -> None:
    with host(posts=0, heads=heads) as silent:
        ended, longer = published(desk, WANDB_API_KEY=KEY, WANDB_BASE_URL=silent.url)
    where = silent.url.removeprefix("http://")
    silence = f"{where} does not answer within wandb.answer_seconds=6"
    assert ended.complaint.startswith(f"publish=wandb: {silence}; the files are in logs/compared/logs-1; `wandb login`")
    assert longer < LIMIT
    assert (desk / PAGE).exists()


@pytest.mark.slow
def test_a_host_that_falls_silent(tracked: None, desk: Path) -> None:
    with host(posts=1) as silent:
        ended, longer = published(desk, "wandb.seconds=2", WANDB_API_KEY=KEY, WANDB_BASE_URL=silent.url)
    assert ended.complaint.startswith("publish=wandb: not done within wandb.seconds=2; the files are in logs/compared/logs-1")
    assert longer < LIMIT
    assert (desk / PAGE).exists()


@pytest.mark.slow
def test_what_is_sent(tracked: None, desk: Path) -> None:
    with host() as answering:
        ended, _ = published(desk, "wandb.project=birds", WANDB_API_KEY=KEY, WANDB_BASE_URL=answering.url)
    assert ended.code == 0, ended.err
    report, workspace = answering.views
    assert [(view["entityName"], view["projectName"], view["type"]) for view in answering.views] == [
        ("team", "birds", "runs"),
        ("team", "birds", "project-view"),
    ]
    assert report["displayName"] == workspace["displayName"] == "Comparison of logs"
    assert "### Our figures on toybirds" in report["spec"]
    (runs,) = json.loads(workspace["spec"])["section"]["runSets"]
    assert [one["value"] for one in runs["filters"]["filters"]] == [["abc123"]]
    said = [line for line in ended.out.splitlines() if line.startswith("published: ")]
    assert [line.split("/birds")[0] for line in said] == [f"published: {answering.url}/team"] * 2
    later = "wandb sync logs/stage1/toybirds/run1/wandb/offline-run-*"
    assert ended.out.splitlines()[-1] == f"note: not yet sent, and so not on these pages: {later}"
    assert (desk / PAGE).exists()


def test_what_was_sent_needs_no_note(tracked: None, desk: Path) -> None:
    folder = RunFolder(desk / "logs/stage1/toybirds/run1")
    record = read(folder, identity.identity)
    assert publishing.unsent([record]) == [folder.path / "wandb"]
    (folder.path / "wandb/offline-run-2-abc123/run-abc123.wandb.synced").touch()
    assert publishing.unsent([record]) == []


def test_runs_that_were_not_tracked(comparing: Program, desk: Path) -> None:
    write(desk / "logs", "run", drawn_runs.settings())
    complaint = comparing(RUNS, "publish=wandb").complaint
    assert complaint.startswith("publish=wandb: none of these runs was tracked by logger=wandb")
    assert not (desk / "logs" / "compared").exists()


def test_runs_of_two_projects(comparing: Program, tracked: None, desk: Path) -> None:
    run = write(desk / "logs", "other", drawn_runs.settings("logger=wandb", "logger.wandb.project=elsewhere"), seed=3)
    (run.path / "wandb-id").write_text("def456\n")
    complaint = comparing(RUNS, "publish=wandb", "wandb.entity=team").complaint
    assert complaint == "wandb.project=null: these runs went to elsewhere, stackgan; set the one whose runs are meant"


def test_a_run_that_went_on_with_another_logger(tracked: None, desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its settings no longer say where it went; the other run's do. Alone, it needs to be told."""
    run = write(desk / "logs", "other", drawn_runs.settings("logger=none"), seed=3)
    (run.path / "wandb-id").write_text("def456\n")
    told, silent = (read(RunFolder(desk / "logs/stage1/toybirds" / name), identity.identity) for name in ("run1", "other"))
    nowhere: dict[str, str | None] = {"entity": None, "project": None}
    assert publishing.foresee([told, silent], nowhere) == ("team", "stackgan")
    note = f"note: went on with another logger=, and so only on the pages if they are in stackgan: {run.path}\n"
    assert capsys.readouterr().out == note
    assert publishing.foresee([told], nowhere) == ("team", "stackgan")
    assert capsys.readouterr().out == ""
    with pytest.raises(UserError, match=r"^wandb.project=null: these runs went on with another logger=.*; set it$"):
        publishing.foresee([silent], nowhere)
    assert publishing.foresee([silent], nowhere | {"project": "birds"}) == (None, "birds")


def test_a_missing_package(comparing: Program, tracked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "wandb_workspaces" else there(name))
    complaint = comparing(RUNS, "publish=wandb").complaint
    assert complaint.startswith("publish=wandb: needs the package wandb-workspaces: pip install ")
    assert not Path("logs/compared").exists()


def test_a_word_that_is_no_place(comparing: Program, tracked: None) -> None:
    assert comparing(RUNS, "publish=wandbs").complaint.startswith("publish=wandbs: ")
    assert not Path("logs/compared").exists()
