"""Sweeps, from the command to the table: what fails stops nothing, what is done stays done, what was cut goes on."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import SMALL, SRC, Outcome, Program
from omegaconf import DictConfig
from PIL import Image
from test_ranks import Team, same, team  # noqa: F401 (a fixture)

from stackgan.launch import base, schema
from stackgan.launch.training import train
from stackgan.runs.folder import RunFolder
from stackgan.sweeps import sweeping
from stackgan.sweeps.folder import Job, SweepFolder, Taken

WORDS = (*(word for word in SMALL if not word.startswith("callbacks.")), "callbacks=none", "stage.images=8")
SWEEP = Path("sweeps/default")


def jobs(sweep: Path = SWEEP) -> list[dict[str, Any]]:
    written = json.loads((sweep / "sweep.json").read_text())
    assert written["sweep"] == sweep.name
    found: list[dict[str, Any]] = written["jobs"]
    return found


def states(sweep: Path = SWEEP) -> list[str]:
    return [job["state"] for job in jobs(sweep)]


def nothing(config: DictConfig) -> Path:
    """Instead of training."""
    return Path()


def test_a_job_that_fails_stops_nothing_and_is_tried_again(program: Program, desk: Path) -> None:
    def faulty(config: DictConfig) -> Path:
        if config.seed == 0:
            raise RuntimeError("the cause itself\nand its details")
        return train(config)

    ended = program("-m", *WORDS, "seed=0,1", verb=faulty)
    assert ended.code == 1
    assert "Traceback" in ended.err
    assert ended.err.splitlines()[-2:] == [
        "failed: as it is, seed 0: RuntimeError: the cause itself",
        "error: 1 of 2 jobs of sweeps/default failed; the same command tries them again",
    ]
    assert [(job["state"], job["why"]) for job in jobs()] == [("failed", "RuntimeError: the cause itself"), ("done", None)]
    assert "| as it is | 0 |  | failed: RuntimeError: the cause itself |" in (SWEEP / "table.md").read_text().splitlines()
    began = RunFolder(SWEEP / jobs()[1]["run"]).done.stat().st_mtime_ns
    again = program("-m", *WORDS, "seed=0,1")
    assert again.code == 0, again.err
    assert "sweep sweeps/default: 2 jobs, 1 done, 1 to run" in again.out.splitlines()
    assert states() == ["done", "done"]
    assert RunFolder(SWEEP / jobs()[1]["run"]).done.stat().st_mtime_ns == began
    assert "| as it is | 0 | 8 | done |" in (SWEEP / "table.md").read_text().splitlines()
    with Image.open(SWEEP / "grid.png") as grid:
        assert grid.size[0] > 4 * 2 * 96
    assert "2 done, 0 to run" in program("-m", *WORDS, "seed=0,1").out


def test_the_process_that_is_stopped_leaves_a_job_cut(program: Program, desk: Path) -> None:
    def stopped(config: DictConfig) -> Path:
        sys.exit(128 + signal.SIGTERM)

    assert program("-m", *WORDS, "seed=0,1", verb=stopped).code == 128 + signal.SIGTERM
    assert states() == ["cut", "waiting"]
    assert program("-m", *WORDS, "seed=0,1", verb=nothing).code == 0
    assert states() == ["done", "done"]


def test_a_job_whose_words_do_not_fit_leaves_the_others_whole(program: Program, desk: Path) -> None:
    def composes(config: DictConfig) -> Path:
        assert base.stage1_config(schema.check(config)).stage.name == "stage1"
        return Path()

    ended = program("-m", *WORDS, "stage=vanilla,stage2", "stage.base=train", verb=composes)
    assert ended.code == 1
    assert states() == ["failed", "done"]
    assert jobs()[0]["run"] is None
    assert jobs()[0]["why"].startswith("stage.base=train: the other choices of this command leave no such setting")


def test_systems_are_those_that_the_data_set_can_teach(program: Program, desk: Path) -> None:
    words = ("-m", "sweep=systems", "stage/network=light", "logger=none", "seed=0,1")
    ended = program(*words, "data=oxford", verb=nothing)
    assert ended.code == 0, ended.err
    assert (
        "left out: GAWWN, boxes, seed 0: data=oxford: has no boxes, which stage=gawwn_box needs; take another data set" in ended.out
    )
    assert set(states(Path("sweeps/systems"))) == {"done"}
    assert {job["variant"] for job in jobs(Path("sweeps/systems"))} == {
        "vanilla", "GAN-CLS", "GAN-INT", "GAN-INT-CLS", "StackGAN Stage-I", "StackGAN Stage-II",
    }  # fmt: skip
    program(*words, *SMALL[:3], "sweep.name=birds", verb=nothing)
    assert len(jobs(Path("sweeps/birds"))) == 2 * 8


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("-m", "sweep=ablatoin"), "sweep=ablatoin: no such choice; did you mean ablation? (sweep has ablation, "),
        (("sweep=ablation",), "sweep=ablation: a sweep is many jobs; give -m too: python src/train.py -m sweep=ablation"),
        (
            ("-m", "sweep=ablation", "stage=stage2"),
            "stage=stage2: the sweep's rows set it themselves (64 Stage-I, no CA:",
        ),
        (("-m", "stage.recipe.r1_weight=-1,-2"), "stage.recipe.r1_weight=-1: input should be greater than or equal to 0"),
        (("-m", "seed=0,1", "stage=stage2", "stage.base=train", "stage.epochs=2"), "stage.epochs=2: the Stage-I underneath would"),
        (("-m", "seed=0,1", "explain=true"), "explain=true: a sweep trains; explain one of its jobs without -m, or drop it"),
        (("-m", "seed=0,1", "run.fresh=true"), "run.fresh=true: a sweep goes on where it was; set another sweep.name for new runs"),
        (
            ("-m", "stage=gawwn_box,gawwn_parts", "data=oxford"),
            "sweep.name=default: no job is left; take another data set",
        ),
        (("-m", "seed=0,1", "stag.images=8"), "stag.images=8: no such setting; did you mean stage.images?"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(words: tuple[str, ...], complaint: str, program: Program, desk: Path) -> None:
    assert program(*words).complaint.startswith(complaint)
    assert not list(desk.iterdir())


def test_a_job_that_a_launcher_leaves_as_it_was_ends_the_sweep(
    program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stackgan.sweeps.jobs.Recorded.__call__", lambda self, config: None)
    ended = program("-m", *WORDS, "seed=0,1")
    assert ended.code == 1
    assert ended.err == "error: sweeps/default: as it is, seed 0 ended and is still waiting; see sweeps/default/sweep.json\n"


@pytest.mark.parametrize("moment", ["stopped before the look", "done at the look"])
def test_another_process_that_is_at_a_job_and_then_no_longer_is_no_fault(
    moment: str, program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the job when this command's launcher comes to it, and not when this command looks what became of it."""
    met: list[Job] = []

    class Beaten(SweepFolder):
        @contextmanager
        def held(self, job: Job) -> Iterator[None]:
            if not met:
                met.append(job)
                self.mark(job.words, "cut" if moment.startswith("stopped") else "running")
                raise Taken(job.row)
            with super().held(job):
                yield

    def looked(sweep: SweepFolder, job: Job) -> bool:
        if met and moment.startswith("done"):
            sweep.mark(job.words, "done")
        return False

    monkeypatch.setattr("stackgan.sweeps.jobs.SweepFolder", Beaten)
    monkeypatch.setattr(SweepFolder, "taken", looked)
    ended = program("-m", *WORDS, "seed=7", verb=nothing)
    assert (ended.code, ended.err) == (0, "")
    assert "job: as it is, seed 7: another process is at it" in ended.out.splitlines()
    assert states() == ["done"]


@pytest.mark.slow
def test_whatever_the_order_each_stage_two_stands_on_its_own_row_s_stage_one(
    program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = ("64 Stage-I, no CA", "64 Stage-I, CA", "128 StackGAN, CA, text once", "128 StackGAN, no CA, text twice")
    expand = sweeping.expand
    monkeypatch.setattr(sweeping, "expand", lambda *given: [job for job in expand(*given)[::-1] if job.variant in wanted])
    ended = program("-m", "sweep=ablation", *WORDS, "seed=0,1")
    assert ended.code == 0, ended.err
    sweep = Path("sweeps/ablation")
    assert [job["variant"] for job in jobs(sweep)] == [name for name in wanted[::-1] for _ in range(2)]
    assert ended.out.count("stage1 on toybirds: 8 images") == ended.out.count("stage2 on toybirds: 8 images") == 4
    first = {(job["variant"].endswith("no CA"), job["seed"]): job["run"] for job in jobs(sweep) if job["variant"].startswith("64")}
    for job in (job for job in jobs(sweep) if job["variant"].startswith("128")):
        base = RunFolder(sweep / job["run"]).facts()["base"]["run"]
        assert base == str(sweep / first["no CA" in job["variant"], job["seed"]])


@pytest.mark.slow
def test_the_whole_ablation_killed_twice_trains_each_job_once(desk: Path) -> None:
    sweep = Path("sweeps/ablation")
    command = [sys.executable, str(SRC / "train.py"), "-m", "sweep=ablation", *WORDS]
    outputs = []
    for until in (2, 6, 10):
        started = subprocess.Popen(command, cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        while until < 10 and started.poll() is None:
            written = states(sweep) if (sweep / "sweep.json").exists() else []
            if written.count("done") >= until and "running" in written:
                started.kill()
            time.sleep(0.02)
        outputs.append(started.communicate(timeout=600)[0])
        assert started.returncode == (0 if until == 10 else -signal.SIGKILL), outputs[-1]
        assert states(sweep).count("done") >= until
    assert states(sweep) == ["done"] * 10
    done = [line for output in outputs for line in output.splitlines() if line.startswith("run: ")]
    assert len(set(done)) == 10
    assert len(list(sweep.glob("*/*/*/DONE"))) == 10
    for job in jobs(sweep):
        run = RunFolder(sweep / job["run"])
        assert run.images_done() == 8
        images = [int(line.split(",")[0]) for line in run.metrics.read_text().splitlines()[1:]]
        assert images == [4, 8]
    assert (sweep / "table.md").read_text().count("| 8 | done |") == 10


@pytest.mark.slow
@pytest.mark.ddp
def test_two_ranks_inside_a_sweep_have_equal_settings_and_weights(team: Team, desk: Path) -> None:  # noqa: F811
    words = ("-m", *WORDS, "stage.recipe.batch_size=8", "stage.images=24", "trainer.accelerator=cpu", "trainer.devices=2")
    ended: Outcome = team("plain", *words, "stage.recipe.kl_weight=0.5,2.0", "seed=0,1", name="null")
    assert ended.code == 0, ended.err
    assert states() == ["done"] * 4
    found = sorted((desk / "seen" / "null").glob("*/"))
    assert len(found) == 4
    told = [[torch.load(job / f"rank-{rank}.pt") for rank in range(2)] for job in found]
    for first, second in told:
        assert first["settings"] == second["settings"]
        assert same(first["weights"], second["weights"])
    assert [(one["settings"]["seed"], one["settings"]["kl_weight"]) for one, _ in told] == [(0, 0.5), (0, 2.0), (1, 0.5), (1, 2.0)]
    assert not same(told[0][0]["weights"], told[1][0]["weights"])
