"""Sweeps under other launchers than Hydra's own: several jobs at once, jobs in a queue, ranks inside them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from commands import SRC, Outcome, Program
from omegaconf import DictConfig
from test_ranks import Team, same, team  # noqa: F401 (a fixture)
from test_sweeps import SWEEP, WORDS, jobs, states
from test_tracked import nowhere  # noqa: F401 (a fixture)
from wandb_programs import files, history, records

from stackgan.runs.folder import RunFolder
from stackgan.sweeps.folder import SweepFolder

pytestmark = pytest.mark.usefixtures("nothing_left")

JOBLIB = ("-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
RANKS = (*WORDS, "stage.recipe.batch_size=8", "stage.images=24", "trainer.accelerator=cpu", "trainer.devices=2")


def of_desk(desk: Path, word: bytes) -> list[int]:
    """Other processes that were started here by a command with this word."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == desk and word in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:  # of another user, or gone
            continue
    return [process for process in found if process != os.getpid()]


@pytest.fixture
def nothing_left(desk: Path) -> Iterator[None]:
    """Processes that a failed test left behind in its desk end with it, those of launchers and ranks too."""
    yield
    while left := of_desk(desk, b""):
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.1)


def start(desk: Path, *words: str) -> "subprocess.Popen[str]":
    command = [sys.executable, str(SRC / "train.py"), *words]
    return subprocess.Popen(command, cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 180
    while not what() and time.monotonic() < until:
        time.sleep(0.1)
    assert what()


def training() -> int:
    """How many runs of the sweep have a row of metrics."""
    return len(list(SWEEP.glob("stage1/toybirds/*/metrics.csv")))


def rows_of(run: RunFolder) -> list[int]:
    return [int(line.split(",")[0]) for line in run.metrics.read_text().splitlines()[1:]]


def equal_ranks(desk: Path) -> list[dict[str, float]]:
    """The settings of each watched job, which both of its ranks had, with equal weights at the end."""
    settings = []
    for job in sorted((desk / "seen" / "null").glob("*/")):
        first, second = (torch.load(job / f"rank-{rank}.pt") for rank in range(2))
        assert first["settings"] == second["settings"]
        assert same(first["weights"], second["weights"])
        settings.append(first["settings"])
    return settings


@pytest.mark.parametrize("words", [("trainer.devices=2",), ("trainer=ddp",)])
def test_ranks_inside_joblib_are_refused(words: tuple[str, ...], program: Program, desk: Path) -> None:
    complaint = program(*JOBLIB, *WORDS, "trainer.accelerator=cpu", "seed=0,1", *words).complaint
    assert "hydra/launcher=joblib gives each job one process; set trainer.devices=1, or hydra/launcher=submitit_local" in complaint
    assert not list(desk.iterdir())


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ("hydra/launcher=jobliv",),
            "hydra/launcher=jobliv: no such choice; did you mean joblib? (hydra/launcher has basic, joblib, ",
        ),
        (("hydra/launcher=joblib", "hydra.launcher.n_jobs=0"), "hydra.launcher.n_jobs=0: no job would run;"),
        (("hydra/launcher=submitit_slurm",), "hydra/launcher=submitit_slurm: there is no sbatch here;"),
        (("hydra/launcher=submitit_local", "hydra.launcher.tasks_per_node=2"), "hydra.launcher.tasks_per_node=2: a job starts its"),
    ],
)
def test_mistakes_about_launchers_are_one_line(
    words: tuple[str, ...], complaint: str, program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")  # has no sbatch, whatever this machine has
    assert program("-m", *WORDS, "seed=0,1", *words).complaint.startswith(complaint)
    assert not list(desk.iterdir())


@pytest.mark.slow
def test_joblib_with_one_job_at_a_time_is_this_process(desk: Path, shell: Program) -> None:
    ended = shell("-m", "hydra/launcher=joblib", "hydra.launcher.n_jobs=1", *WORDS, "seed=0,1")
    assert ended.code == 0, ended.err
    assert states() == ["done", "done"]


@pytest.mark.slow
def test_jobs_at_once_have_loader_processes_of_their_own(desk: Path, shell: Program) -> None:
    ended = shell(*JOBLIB, *WORDS, "seed=0,1", "data.workers=1")
    assert ended.code == 0, ended.err
    assert states() == ["done", "done"]


@pytest.mark.slow
def test_a_signal_to_the_whole_group_leaves_a_checkpoint_where_others_make_the_batches(desk: Path) -> None:
    """As `timeout` and batch systems send it: to this process and to those that make its batches."""
    command = [sys.executable, str(SRC / "train.py"), *WORDS, "run.name=one", "stage.images=100000", "data.workers=2"]
    run = RunFolder(desk / "logs" / "stage1" / "toybirds" / "one")
    process = subprocess.Popen(
        command, cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    wait_for(run.metrics.exists)
    os.killpg(process.pid, signal.SIGTERM)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM, out
    assert "stopped by SIGTERM after" in out
    assert "Traceback" not in out
    assert list(run.checkpoints.glob("seen-*.pt"))
    assert not of_desk(desk, b"train.py")


@pytest.mark.slow
def test_jobs_at_once_share_a_stage_one_and_no_tracker(desk: Path, shell: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three jobs for two processes, one of which takes two: each run has a W&B run of its own."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    words = [word for word in WORDS if word != "logger=none"]
    ended = shell(
        *JOBLIB, *words, "stage=stage2", "stage.base=train", "stage.base_images=8", "stage.resolution=128",
        "stage.recipe.kl_weight=0.5,-1", "stage.text_twice=true,false", "stage.conditioning_augmentation=true",
    )  # fmt: skip
    assert ended.code == 1
    assert sorted(states()) == ["done", "done", "failed", "failed"]
    assert ended.out.count("stage1 on toybirds: 8 images") == 1
    assert ended.out.count("stage2 on toybirds: 8 images") == 2
    ids = [path.read_text() for path in SWEEP.rglob("wandb-id")]
    assert len(set(ids)) == len(ids) == 3
    for folder in (path.parent for path in SWEEP.rglob("wandb-id")):
        assert len(list(folder.glob("wandb/offline-run-*"))) == 1


@pytest.mark.slow
def test_runs_under_submitit_are_tracked_apart_and_stay_the_same_after_a_kill(
    desk: Path,
    shell: Program,
    nowhere: None,  # noqa: F811
) -> None:
    words = ("-m", "hydra/launcher=submitit_local", *(word for word in WORDS if word != "logger=none"), "seed=0,1")
    running = start(desk, *words, "stage.images=40000", "trainer.checkpoint_every_images=40")
    # W&B begins beside training, and on a busy machine later than the first checkpoint.
    wait_for(
        lambda: all(
            len({path.parent for path in SWEEP.rglob(name)}) == 2
            for name in ("checkpoints/seen-*.pt", "wandb/offline-run-*/*.wandb")
        )
    )
    for process in [running.pid, *of_desk(desk, b"submitit")]:
        os.kill(process, signal.SIGKILL)
    running.communicate(timeout=120)
    wait_for(lambda: not of_desk(desk, b"wandb-core"))
    runs = [RunFolder(SWEEP / job["run"]) for job in jobs()]
    before = [(run.path / "wandb-id").read_text().strip() for run in runs]
    assert len(set(before)) == 2
    seen = max(int(path.stem.removeprefix("seen-")) for path in SWEEP.rglob("checkpoints/seen-*.pt"))
    ended = shell(*words, f"stage.images={seen + 8}")
    assert ended.code == 0, ended.err
    for run, own, seed in zip(runs, before, (0, 1), strict=True):
        assert run.images_done() == seen + 8
        sessions = files(run.path)
        assert len(sessions) == 2
        told = [record for session in sessions for record in records(desk / session, "run")]
        assert {record["run_id"] for record in told} == {own}
        assert {record["run_group"] for record in told} == {SWEEP.name}
        assert {record["config"]["update"]["seed"] for record in told} == {seed}
        assert [row["images_seen"] for row in history(desk / sessions[-1]) if "generator/kl" in row][-1] == seen + 8


@pytest.mark.slow
def test_jobs_under_submitit_have_a_gpu_each(program: Program, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each job's process is told another one of those that the sweep may use, before anything asks for them."""

    def tells(config: DictConfig) -> None:
        assert not torch.cuda.is_initialized()
        Path(f"gpu-of-{config.seed}").write_text(os.environ["CUDA_VISIBLE_DEVICES"])

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    words = ("-m", *WORDS, "hydra/launcher=submitit_local", "hydra.launcher.gpus_per_node=1", "trainer.accelerator=cpu")
    ended = program(*words, "seed=0,1,2", verb=tells)
    assert ended.code == 0, ended.err
    assert [Path(f"gpu-of-{seed}").read_text() for seed in range(3)] == ["3", "5", "3"]
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "3,5"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_jobs_at_once_that_are_stopped_go_on(number: signal.Signals, desk: Path, shell: Program) -> None:
    words = (*JOBLIB, *WORDS, "seed=0,1")
    running = start(desk, *words, "stage.images=40000")
    wait_for(lambda: training() == 2)
    running.send_signal(number)
    out = running.communicate(timeout=120)[0]
    assert running.returncode == (128 + number if number == signal.SIGINT else -number), out
    sweep = SweepFolder(SWEEP)
    wait_for(lambda: not any(sweep.taken(job) for job in sweep.jobs()))
    assert states() == ["cut", "cut"]
    assert "Traceback" not in out
    seen = max(int(path.stem.removeprefix("seen-")) for path in SWEEP.rglob("checkpoints/seen-*.pt"))
    ended = shell(*words, f"stage.images={seen + 8}")
    assert ended.code == 0, ended.err
    assert states() == ["done", "done"]
    for job in sweep.jobs():
        run = sweep.run(job)
        assert run is not None
        assert rows_of(run) == list(range(4, seen + 9, 4))


def begun(out: str) -> Counter[str]:
    """How often each job began; submitit's processes write into files of their own."""
    texts = [out, *(file.read_text() for file in SWEEP.glob(".submitit/**/*.out"))]
    return Counter(line for text in texts for line in text.splitlines() if line.startswith("job: "))


IN_PROCESSES = [(JOBLIB, b"popen_loky"), (("-m", "hydra/launcher=submitit_local"), b"submitit.core._submit")]


@pytest.mark.slow
@pytest.mark.parametrize(("launcher", "process"), IN_PROCESSES)
def test_a_killed_process_s_job_is_tried_once_more_and_stops_nothing(launcher: tuple[str, ...], process: bytes, desk: Path) -> None:
    running = start(desk, *launcher, *WORDS, "seed=0,1", "stage.images=1600")
    wait_for(lambda: training() == 2)
    os.kill(of_desk(desk, process)[0], signal.SIGKILL)
    out = running.communicate(timeout=300)[0]
    assert running.returncode == 0, out
    assert states() == ["done", "done"]
    assert len(begun(out)) == 2, out
    assert max(begun(out).values()) == 2, out


@pytest.mark.slow
@pytest.mark.parametrize(("launcher", "process"), IN_PROCESSES)
def test_a_job_whose_process_is_killed_twice_has_failed(launcher: tuple[str, ...], process: bytes, desk: Path) -> None:
    running = start(desk, *launcher, *WORDS, "seed=0,1", "stage.images=1600")
    wait_for(lambda: training() == 2)
    first = of_desk(desk, process)
    os.kill(first[0], signal.SIGKILL)
    wait_for(lambda: bool(set(of_desk(desk, process)) - set(first)))
    os.kill(min(set(of_desk(desk, process)) - set(first)), signal.SIGKILL)
    out = running.communicate(timeout=300)[0]
    assert running.returncode == 1, out
    assert sorted(states()) == ["done", "failed"]
    (why,) = [job["why"] for job in jobs() if job["state"] == "failed"]
    assert why.startswith("its process died (")


@pytest.mark.slow
def test_two_starts_at_once_train_no_job_twice(desk: Path) -> None:
    words = ("-m", *WORDS, "seed=0,1,2", "stage.images=40")
    both = [start(desk, *words), start(desk, *words)]
    outputs = [one.communicate(timeout=300)[0] for one in both]
    assert [one.returncode for one in both] == [0, 0], outputs
    assert states() == ["done"] * 3
    assert "".join(outputs).count("stage1 on toybirds: 40 images") == 3
    for job in jobs():
        assert rows_of(RunFolder(SWEEP / job["run"])) == list(range(4, 41, 4))


@pytest.mark.slow
@pytest.mark.ddp
def test_ranks_under_submitit(team: Team, desk: Path) -> None:  # noqa: F811
    ended: Outcome = team("plain", "-m", *RANKS, "hydra/launcher=submitit_local", "stage.recipe.kl_weight=0.5,2.0", name="null")
    assert ended.code == 0, ended.err
    assert states() == ["done", "done"]
    assert [one["kl_weight"] for one in equal_ranks(desk)] == [0.5, 2.0]
    (config,) = {json.loads((SWEEP / job["run"] / "config.json").read_text())["trainer"]["devices"] for job in jobs()}
    assert config == 2
