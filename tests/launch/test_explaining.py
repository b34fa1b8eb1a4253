"""`explain=true`: its numbers against known ones, for every stage, and that nothing is left behind."""

import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import BIRDS, SMALL, Program
from torch import nn

from stackgan.launch import telling
from stackgan.launch.layers import Layers, count
from stackgan.launch.places import CONF
from stackgan.launch.preparing import prepare
from stackgan.launch.probing import Counter, Probe
from stackgan.launch.writes import Writes
from stackgan.networks import paper
from stackgan.objectives import penalties
from stackgan.runs.folder import RunFolder

STAGES = sorted(path.stem for path in (CONF / "stage").glob("*.yaml") if not path.stem.startswith("_"))
ONE = (*SMALL, "stage=stage1", "stage.images=8", "run.name=one", "explain=true")
TWO = (*SMALL, "stage=stage2", "stage.resolution=128", "stage.images=8", "explain=true")
PLAIN = (*BIRDS, "trainer.precision=32-true", "logger=none", "explain=true")


def tree(*roots: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for root in roots for path in sorted(root.rglob("*"))}


def explained(program: Program, *words: str) -> str:
    ended = program(*words)
    assert ended.code == 0, ended.err
    return ended.out


def lines(out: str, heading: str) -> list[list[str]]:
    """The rows of a table, split where two spaces or more part its columns."""
    block = out[out.index(heading) :].split("\n\n")[0].splitlines()[1:]
    return [re.split(r" {2,}", line.strip()) for line in block if line.strip()]


def test_a_tiny_network_s_operations_by_hand() -> None:
    batch, network = 3, nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(128, 5))
    with Counter() as counter:
        network(torch.ones(batch, 3, 4, 4)).sum().backward()
    convolution, linear = 2 * batch * 8 * 16 * 27, 2 * batch * 128 * 5
    # Backward: the convolution's weights alone, since nobody asks for its input's gradient; the linear layer's weights and input.
    assert counter.get_total_flops() == 2 * convolution + 3 * linear


def test_the_papers_generator_s_operations_by_hand() -> None:
    network = paper.StageOneGenerator(1024, 64).eval()
    with Counter() as counter, torch.no_grad():
        network(torch.zeros(2, 1024), torch.zeros(2, 100), torch.zeros(2, 128))
    linear = 1024 * 256 + 228 * 16_384
    first = 1024 * 256 + 9 * 256 * 256 + 9 * 256 * 1024
    second = 512 * 128 + 9 * 128 * 128 + 9 * 128 * 512
    rising = 9 * (1024 * 512 * 8**2 + 512 * 256 * 16**2 + 256 * 128 * 32**2 + 128 * 3 * 64**2)
    assert counter.get_total_flops() == 2 * 2 * (linear + first * 4**2 + second * 8**2 + rising)


def test_the_gradient_of_a_gradient_is_counted() -> None:
    """PyTorch's own counter refuses it."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(16, 1))
    x_BCHW = torch.randn(2, 3, 4, 4, requires_grad=True)
    with Counter() as once:
        network(x_BCHW).sum().backward()
    with Counter() as twice:
        penalties.r1(network(x_BCHW)[:, 0], x_BCHW).backward()
    assert twice.get_total_flops() > 1.5 * once.get_total_flops()


def test_layers_say_shapes_and_all_parameters() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 4, stride=2, padding=1), nn.ReLU(), nn.utils.parametrizations.spectral_norm(nn.Conv2d(8, 4, 1)),
        nn.BatchNorm2d(4), nn.Upsample(scale_factor=2), nn.Identity(), nn.Flatten(), nn.Linear(64, 2),
    )  # fmt: skip
    unused = nn.ModuleDict({"run": network, "idle": nn.Linear(2, 3)})
    with Layers(unused) as seen:
        network(torch.ones(5, 3, 4, 4))
        network(torch.ones(1, 3, 8, 8)[:, :, :4, :4])
    rows = {row.name: row for row in seen.rows()}
    assert [(row.kind, row.shape, row.parameters) for row in rows.values()] == [
        ("Conv2d 4x4, stride 2", (8, 2, 2), 8 * 3 * 16 + 8),
        ("Conv2d 1x1", (4, 2, 2), 8 * 4 + 4),
        ("BatchNorm2d", (4, 2, 2), 8),
        ("Upsample", (4, 4, 4), 0),
        ("Flatten", (64,), 0),
        ("Linear", (2,), 130),
        ("Linear", None, 9),
    ]
    assert sum(row.parameters for row in rows.values()) == seen.parameters == count(unused)
    assert all(not module._forward_hooks for module in unused.modules())


@pytest.mark.slow
def test_published_counts_and_shapes(program: Program) -> None:
    out = explained(program, *PLAIN, "text.dim=1024", "stage.recipe.batch_size=2")
    generator, discriminator = lines(out, "generator ("), lines(out, "discriminator (")
    assert generator[-1] == ["all", "14,264,192"]
    assert discriminator[-1] == ["all", "4,029,824"]
    assert ["draw.0", "Linear", "16384", "3,751,936"] in generator
    assert generator[-2][1:] == ["Conv2d 3x3", "3 x 64 x 64", "3,456"]
    assert discriminator[-2][1:] == ["Conv2d 4x4", "1 x 1 x 1", "8,192"]


@pytest.mark.parametrize("drawn", [True, False])
def test_nothing_is_left_behind(drawn: bool, program: Program, desk: Path, published: Path, tmp_path: Path,
                                monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    scratch, new = tmp_path / "scratch", tmp_path / "new"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setenv("STACKGAN_CACHE", str(new / "cache"))
    if not drawn:
        monkeypatch.setenv("STACKGAN_DATA", str(new / "data"))
    before = tree(desk, published)
    out = explained(program, *ONE)
    assert tree(desk, published) == before
    assert not new.exists()
    assert list(scratch.iterdir()) == []
    assert "stage1 on toybirds: 8 images, into logs/stage1/toybirds/one" in out
    assert ("84 pictures would be drawn first" in out) == (not drawn)
    assert f"{84 * 76 * 76 * 3 / 1e6:,.1f} MB" in out
    assert f"{84 * 10 * 512 * 4 / 1e6:,.1f} MB" in out


def test_the_cache_that_is_there_is_used(program: Program, desk: Path) -> None:
    words = [word for word in ONE if word != "explain=true"]
    assert program(*words).code == 0
    before = tree(desk)
    out = explained(program, *ONE)
    assert tree(desk) == before
    assert out.count("there already") == 2
    assert "done, 8 images seen" in out
    (kept,) = (desk / "logs/stage1/toybirds/one/checkpoints").glob("seen-*.pt")
    said = re.search(r"([\d.,]+) MB each", out)
    assert said is not None
    assert float(said[1]) == pytest.approx(kept.stat().st_size / 1e6, abs=0.2)


@pytest.mark.parametrize(("every", "best", "files"), [(8, "null", 1), (4, "null", 2), (2, "null", 3), (2, "x", 4), (8, "x", 1)])
def test_checkpoints_in_all_are_no_more_than_the_budget_makes(every: int, best: str, files: int, tmp_path: Path) -> None:
    """Of at most 3 kept; the best one is a file of its own only where the newest are others."""
    trainer = {"checkpoints_kept": 3, "best": None if best == "null" else best, "checkpoint_every_images": every, "log_every": 1}
    writes = Writes({"trainer": trainer, "callbacks": {}, "logger": {}}, RunFolder(tmp_path), None, 8, None)  # type: ignore[arg-type]
    rows = writes.rows(100)
    assert next(size for what, _, size, _ in rows if what == "checkpoints") == files * 100


def test_a_long_path_is_not_folded_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/".join(["a-long-folder"] * 30)
    telling.writes([("run", path, None, "new")])
    assert path in capsys.readouterr().out


def test_classes_that_are_built_and_those_that_are_not(program: Program) -> None:
    rows = {row[0]: row[1:] for row in lines(explained(program, *ONE), "What each node")}
    assert rows["stage"] == ["stackgan.stage.stackgan.StackGAN"]
    assert rows["stage.network.stage1.generator"] == ["stackgan.networks.pytorch.StageOneGenerator"]
    assert rows["stage.network.stage2.generator"][1] == "of another stage"
    assert rows["callbacks.agreement"] == ["stackgan.callbacks.agreement.ColourAgreement"]
    assert rows["callbacks.accuracy"][1] == "left out: needs classifier"
    assert rows["judge"][1].startswith("left out")


def test_a_stage_one_that_would_be_trained_first(program: Program, desk: Path) -> None:
    out = explained(program, *TWO, "stage.base=train", "stage.base_images=12")
    assert re.search(r"stands on logs/stage1/toybirds/\w{8}: would be trained first, 12 images; an untrained one stands in", out)
    assert "beside them: what it stands on, " in out
    assert ["stage1 underneath", "12 images come first, not measured and in none of these"] in lines(out, "What it costs here")
    written = {row[0]: row[1:] for row in lines(out, "What would be written")}
    run = re.search(r"stands on (\S+):", out)[1]  # type: ignore[index]
    assert written["run below"] == [run, "trained first, 12 images"]
    assert written["its checkpoints"] == [f"{run}/checkpoints/seen-*.pt", "not measured"]
    assert list(desk.iterdir()) == []


def test_a_stage_one_that_is_there(program: Program, desk: Path) -> None:
    assert program(*(word for word in ONE if word != "explain=true")).code == 0
    for base in ("latest", "run://stage1/toybirds/one"):
        out = explained(program, *TWO, f"stage.base={base}")
        assert "stands on logs/stage1/toybirds/one: 8 images seen" in out
        assert "underneath" not in out
        assert "run below" not in out


@pytest.mark.parametrize(
    "words",
    [
        (*TWO, "stage.base=latest"),
        (*TWO, "stage.base=run://stage1/toybirds/none"),
        (*ONE, "stage.recipe.r1_weight=1", "stage.recipe.discriminator_norm=batch"),
        (*ONE, "trainer=gpu"),
        (*ONE, "data=cub", "data.root=nowhere"),
        (*ONE, "text=char_cnn_rnn"),
    ],
)
def test_errors_are_those_of_training(words: tuple[str, ...], program: Program, desk: Path) -> None:
    words = tuple(word for word in words if "data=cub" not in words or not word.startswith(("data.train", "data.test")))
    explained_complaint = program(*words).complaint
    assert list(desk.iterdir()) == []
    assert explained_complaint == program(*(word for word in words if word != "explain=true")).complaint


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_explains_itself(stage: str, program: Program, desk: Path) -> None:
    words = [f"stage={stage}", *PLAIN]
    if stage not in ("judge", "text_encoder"):
        words += ["stage/network=light"]
    if stage == "stage2":
        words += ["stage.base=train", "stage.resolution=128"]
    if stage == "style_encoder":
        assert program(*(word for word in ONE if word != "explain=true")).code == 0
        words += ["stage.base=run://stage1/toybirds/latest"]
    if stage == "text_encoder":
        words = [word for word in words if not word.startswith(("data.train", "data.test"))] + ["data=oxford"]
    before = tree(desk)
    out = explained(program, *words, f"stage.recipe.batch_size={5 if stage == 'text_encoder' else 4}")
    assert tree(desk) == before
    for heading in ("What each node", " (stage.", "What it costs here", "What would be written"):
        assert heading in out
    assert re.search(r"20 of at most 20 steps, 16 of them timed", out)
    assert float(re.search(r"([\d.]+) GFLOP", out)[1]) > 0 or stage == "gawwn_part_generator"  # type: ignore[index]


def test_a_signal_ends_it_and_nothing_is_left(
    program: Program, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    began = Probe.on_train_batch_start

    def asked_to_stop(probe: Probe, *words: Any) -> None:
        began(probe, *words)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Probe, "on_train_batch_start", asked_to_stop)
    ended = program(*ONE)
    assert ended.code == 128 + signal.SIGTERM
    assert ended.out.endswith("stopped by SIGTERM\n")
    assert list(scratch.iterdir()) == list(desk.iterdir()) == []


def test_two_devices_are_one_with_half_the_batch(program: Program) -> None:
    out = explained(program, *ONE, "trainer.devices=2")
    assert "on 2 devices, if they lose nothing to each other" in out
    assert ", batch 2" in out


def test_preparing_is_nothing_to_explain(program: Program) -> None:
    assert program("explain=true", verb=prepare, config="prepare").complaint.startswith("explain=true: prepare.py trains nothing")
