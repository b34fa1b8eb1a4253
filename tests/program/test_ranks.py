"""Several ranks (gloo) in processes of their own: same samples, equal weights, one end for all."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import SMALL, SRC, Outcome
from test_training import rows, same, state

pytestmark = [pytest.mark.slow, pytest.mark.ddp]

WORDS = (
    *(word for word in SMALL if not word.startswith("callbacks.")),
    "callbacks=none", "trainer.accelerator=cpu", "stage.images=40", "stage.recipe.batch_size=8",
)  # fmt: skip
MODERN = ("stage.recipe.discriminator_loss=bce", "stage.recipe.generator_loss=non_saturating")
"""Under the hinge the last bias's gradient is zero at first, and Adam's first step, as long as any, would follow its rounding."""
PYTORCH = ("stage/recipe=pytorch", "stage.recipe.batch_size=8", "stage.recipe.discriminator_norm=none")
REED = ("stage=gan_int_cls", "stage.reed.generator.width=8", "stage.reed.discriminator.width=8", *MODERN)
Team = Callable[..., Outcome]


@pytest.fixture
def team(desk: Path) -> Team:
    """team(what, *words): the command with ranks.py's ears; what each rank saw lies in desk/seen."""

    def call(what: str, *words: str, name: str = "one") -> Outcome:
        folder = desk / "seen" / name
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(Path(__file__).with_name("ranks.py")), str(folder), what, *words, f"run.name={name}"]
        environment = {**os.environ, "PYTHONPATH": str(SRC)}
        ended = subprocess.run(command, cwd=desk, capture_output=True, text=True, check=False, timeout=300, env=environment)
        return Outcome(ended.returncode, ended.stdout, ended.stderr)

    return call


def seen(desk: Path, name: str, world: int) -> list[dict[str, Any]]:
    """What each rank kept."""
    found = [torch.load(desk / "seen" / name / f"rank-{rank}.pt") for rank in range(world)]
    assert not (desk / "seen" / name / f"rank-{world}.pt").exists()
    return found


def together(ranks: list[dict[str, Any]], iteration: int, what: str) -> Any:
    """The global batch, from the ranks' strided shares."""
    shares = [rank["seen"][iteration][what] for rank in ranks]
    if shares[0] is None:
        return None
    return torch.stack(shares, dim=1).flatten(0, 1)


@pytest.mark.parametrize("recipe", [MODERN, PYTORCH, REED], ids=["modern", "pytorch", "reed"])
def test_one_two_and_four_ranks_see_the_same_and_without_batch_norm_lose_the_same(
    recipe: tuple[str, ...], team: Team, desk: Path
) -> None:
    found = {}
    for world in (1, 2, 4):
        ended = team(
            "no_norm", *WORDS, *recipe, "trainer=ddp", "trainer.accelerator=cpu", f"trainer.devices={world}", name=f"of{world}"
        )
        assert ended.code == 0, ended.err
        found[world] = seen(desk, f"of{world}", world)
    for world in (2, 4):
        for iteration in range(5):
            for what in ("key", "real", "text", "wrong", "noise"):
                assert same(together(found[world], iteration, what), together(found[1], iteration, what)), (world, iteration, what)
        a, b = (rows(next(Path("logs").glob(f"*/toybirds/of{number}"))) for number in (1, world))
        assert len(a) == 5
        terms = [name for name in a[0] if name.startswith(("discriminator/", "generator/"))]
        assert len(terms) >= 5
        for mine, theirs in zip(a, b, strict=True):
            for name in terms:
                assert float(theirs[name] or 0) == pytest.approx(float(mine[name] or 0), abs=1e-5), (world, name)
    # Each rank by itself has other losses: what agrees is the mean over ranks.
    assert found[2][0]["seen"][4]["terms"] != found[2][1]["seen"][4]["terms"]


def test_ranks_end_with_equal_weights_and_share_the_cores(team: Team, desk: Path) -> None:
    ended = team("plain", *WORDS, "trainer.devices=2", "stage.images=64")
    assert ended.code == 0, ended.err
    first, second = seen(desk, "one", 2)
    assert len(first["seen"]) == 8
    assert same(first["weights"], second["weights"])
    saved = state(Path("logs/stage1/toybirds/one"), 64)["weights"]
    assert all(torch.equal(saved[name], value) for name, value in first["weights"].items())
    assert first["threads"] == second["threads"] == 1
    assert "2 ranks" in ended.out


def test_stage_two_trains_its_stage_one_on_ranks_too_and_a_sweep_goes_on_after_ranks(team: Team, desk: Path) -> None:
    words = ["-m", *WORDS, "stage=stage2", "stage.resolution=128", "stage.base=train", "stage.base_images=8", "stage.images=16"]
    ended = team("plain", *words, "trainer.devices=2,1", "seed=0,1", name="null")
    assert ended.code == 0, ended.err
    runs = sorted(path.parent.parts[-3] for path in Path("sweeps").rglob("DONE"))
    assert runs == ["stage1"] * 2 + ["stage2"] * 2
    configs = [json.loads((path.parent / "config.json").read_text()) for path in Path("sweeps").rglob("DONE")]
    assert {config["trainer"]["devices"] for config in configs} == {2}  # on one device each was found done
    assert ended.out.count("is done (") == 2


def test_a_run_of_one_rank_goes_on_on_two(team: Team, desk: Path) -> None:
    assert team("plain", *WORDS, "trainer.checkpoint_every_images=16").code == 0
    run = Path("logs/stage1/toybirds/one")
    before = rows(run)
    ended = team("plain", *WORDS, "trainer.devices=2", "stage.images=80")
    assert ended.code == 0, ended.err
    assert json.loads((run / "DONE").read_text()) == {"images_seen": 80}
    assert rows(run)[: len(before)] == before
    first, second = seen(desk, "one", 2)
    assert len(first["seen"]) == 5
    assert same(first["weights"], second["weights"])


@pytest.mark.parametrize(
    ("what", "cause"),
    [
        ("dies 2", r"was killed by SIGKILL"),
        ("hangs 2", r"was killed by SIGKILL"),
        ("fails 2", r"ended with exit code 1: ValueError: the cause itself"),
        ("nan 2", r"ended with exit code 1: stage1: the discriminator's term real_conditional and"),
    ],
)
def test_a_rank_that_dies_takes_the_others_down_and_is_named(what: str, cause: str, team: Team, desk: Path) -> None:
    begun = time.monotonic()
    ended = team(what, *WORDS, "trainer.devices=3", "stage.recipe.batch_size=6", "trainer.checkpoint_every_images=6")
    assert time.monotonic() - begun < 60
    assert ended.code == 1, ended.err
    last = ended.err.splitlines()[-1]
    assert last.startswith("error: rank 1 (process ")
    assert cause in last
    assert last.endswith("; the same command goes on from the newest checkpoint")
    assert _none_left(desk)
    run = Path("logs/stage1/toybirds/one")
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["seen-000000006.pt", "seen-000000012.pt"]
    assert not (run / "DONE").exists()
    if what == "dies 2":
        words = [*WORDS, "stage.recipe.batch_size=6", "trainer.checkpoint_every_images=6"]
        assert team("plain", *words, "trainer.devices=3").code == 0
        assert team("plain", *words, "trainer.devices=3", name="whole").code == 0
        cut, whole = (state(run.with_name(name), 42) for name in ("one", "whole"))
        for part in ("weights", "optimizers"):
            assert same(cut[part], whole[part])
        assert rows(run) == rows(run.with_name("whole"))
        # And on one process again, to a longer budget.
        assert team("plain", *words, "trainer.devices=1", "stage.images=60").code == 0
        assert len(seen(desk, "one", 3)[0]["seen"]) == 3


def test_the_others_end_where_the_first_is_killed(desk: Path) -> None:
    words = [*WORDS, "trainer.devices=2", "stage.images=100000", "run.name=one"]
    running = subprocess.Popen([sys.executable, str(SRC / "train.py"), *words], cwd=desk, stderr=subprocess.DEVNULL)
    _wait_for(lambda: (desk / "logs/stage1/toybirds/one/metrics.csv").exists())
    running.kill()
    running.wait()
    _wait_for(lambda: _none_left(desk))


@pytest.mark.parametrize("whom", [0, 1])
def test_a_signal_to_any_rank_stops_all_in_one_iteration(whom: int, team: Team, desk: Path) -> None:
    """Rank 1 sends itself SIGTERM; rank 0 gets it from outside."""
    run = Path("logs/stage1/toybirds/one")
    if whom == 1:
        ended = team("stops 3", *WORDS, "trainer.devices=2")
    else:
        words = [*WORDS, "trainer.devices=2", "stage.images=100000", "run.name=one"]
        running = subprocess.Popen(
            [sys.executable, str(SRC / "train.py"), *words], cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        _wait_for(lambda: (run / "metrics.csv").exists())
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=60)
        ended = Outcome(running.returncode, out, err)
    assert ended.code == 128 + signal.SIGTERM, ended.err
    assert "stopped by SIGTERM after" in ended.out
    assert _none_left(desk)
    (checkpoint,) = (run / "checkpoints").iterdir()
    if whom == 1:
        assert checkpoint.name == "seen-000000032.pt"
        assert [len(rank["seen"]) for rank in seen(desk, "one", 2)] == [4, 4]


def _wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not what() and time.monotonic() < until:
        time.sleep(0.1)
    assert what()


def _none_left(desk: Path) -> bool:
    """Whether no process of this desk is alive."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            at, words = (process / "cwd").readlink(), (process / "cmdline").read_bytes()
        except OSError:
            continue
        if at == desk and b"python" in words and int(process.name) != os.getpid():
            return False
    return True
