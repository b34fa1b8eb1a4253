"""How fast is `src/train.py` beside a loop written by hand? Images a second, FLOPs a picture, share of this machine's peak.

`python benchmarks/throughput.py` measures all cases; `python benchmarks/throughput.py light/stage1 --pairs 20` that one.
Each case trains by the platform's Trainer, with data, log and callbacks, and gives the machine to the bare loops in between, a
stretch each in turn, so that drift of the machine's speed falls on all alike. Medians of ratios are taken pair by pair. What the
callbacks' looks and checkpoints cost is measured once and spread over the images between two of them.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from lightning.pytorch import Callback, Trainer
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

from bare import TUNED, Bare, Graphed, convolution_peak

from stackgan.callbacks.watcher import Watcher
from stackgan.data.module import CaptionedPictures
from stackgan.devices import machine
from stackgan.devices.ranks import Place
from stackgan.launch import build, cli, fitting, schema
from stackgan.launch.places import CONF
from stackgan.launch.training import train
from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder
from stackgan.runs.keeper import Keeper

CASES = {
    "light/stage1": (16, "modern"),
    "light/stage2": (16, "modern"),
    "pytorch/stage1": (32, "pytorch"),
    "pytorch/stage2": (8, "pytorch"),
}
"""Network and stage: the batch size and the recipe it is measured with. Stage-II: light at 128 px, pytorch at 256."""
LOOPS_OF_FP32 = 3


def batch_and_recipe(case: str) -> tuple[int, str]:
    """A case may carry its batch size behind a colon, as light/stage1:64."""
    name, _, batch = case.partition(":")
    usual, recipe = CASES[name]
    return int(batch or usual), recipe


def settings(case: str, folder: str, *more: str) -> Any:
    """The checked settings of a case, on a small toybirds."""
    network, stage = case.partition(":")[0].split("/")
    batch, recipe = batch_and_recipe(case)
    size = [] if stage == "stage1" else [f"stage.resolution={128 if network == 'light' else 256}"]
    words = [
        f"stage={stage}", f"stage/network={network}", f"stage/recipe={recipe}", f"stage.recipe.batch_size={batch}", *size,
        "data.train=512", "data.test=600", f"paths.logs={folder}", "logger=none", *more,
    ]  # fmt: skip
    cli.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", words)


class Taking(Callback):
    """Gives every second stretch of iterations to the loops, and keeps the seconds of each stretch.

    every: images between two looks of each kind of watcher, and between two checkpoints (`Keeper`), in a run of this configuration.
    """

    def __init__(self, loops: dict[str, Callable[[], None]], iterations: int, every: dict[str, int]) -> None:
        self.loops, self.iterations, self.every = loops, iterations, every
        self.seconds: dict[str, list[float]] = {name: [] for name in ("trainer", *loops)}
        self.looks: dict[str, float] = {}
        self._begun: float | None = None

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """At the end of a stretch the loops have their turn; the first stretch of each only warms up."""
        if pl_module.iteration % self.iterations:
            return
        if self._begun is not None:
            self.seconds["trainer"].append(now() - self._begun)
        for name, step in self.loops.items():
            if name == "fp32" and len(self.seconds["fp32"]) == LOOPS_OF_FP32:
                continue
            if self._begun is None:
                step()
                continue
            begun = now()
            for _ in range(self.iterations):
                step()
            self.seconds[name].append(now() - begun)
        self._begun = now()

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """What a look of each watcher and a checkpoint cost, in seconds an image."""
        for each in trainer.callbacks:  # type: ignore[attr-defined]
            name = type(each).__name__
            if isinstance(each, Watcher):
                self.looks[name] = timed(each.look, pl_module) / self.every[name]
            elif isinstance(each, Keeper):
                path = each.folder / "measured.pt"
                self.looks["checkpoint"] = timed(lambda path=path: checkpoint.save(path, pl_module.run_state())) / self.every[name]
                path.unlink()


def timed(work: Callable[..., object], *words: Any) -> float:
    """Seconds."""
    begun = now()
    work(*words)
    return now() - begun


def job_of(case: str, folder: str) -> tuple[fitting.Job, CaptionedPictures]:
    """A run of the case that is about to begin, in this folder, and its data."""
    config = schema.check(settings(case, folder))
    machine.check(config["trainer"])
    machine.prepare(config["trainer"])
    data = build.data_module(config)
    data.prepare_data()
    data.setup()
    facts = {"text": data.text.fingerprint, "text_name": data.text.name, "text_dim": data.text_dim}
    facts |= {"pictures": data.fingerprint, "train_size": data.train_size}
    below = stage_one(case, folder) if "stage2" in case else None
    run = RunFolder(Path(folder) / case.replace(":", "-"))
    run.begin(config, {"data": facts, "base": None})
    return fitting.Job(config, str(run.path), facts, 1, None, below, None), data


def measure(case: str, pairs: int, seconds: float, peak: float, folder: str) -> str:
    """One row of the table."""
    job, data = job_of(case, folder)
    every = intervals(job.config)
    loops, iterations, flops = bare_loops(job, data, seconds)
    batch = batch_and_recipe(case)[0]
    taking = Taking({name: loop.step for name, loop in loops.items()}, iterations, every)
    fitting.fit(replace(job, budget=iterations * (pairs + 1) * batch), data, Place(0, 1, 0), beside=[taking])
    return row(case, taking.seconds, taking.looks, iterations * batch, flops, peak)


def intervals(config: dict[str, Any]) -> dict[str, int]:
    """How often is looked and saved, by kind; in the config itself never: that is measured outside the stretches."""
    every = {"Keeper": config["trainer"]["checkpoint_every_images"]}
    config["trainer"] |= {"checkpoint_every_images": 10**9, "best": None}
    for node in config["callbacks"].values():
        every[node["_target_"].rpartition(".")[2]] = node["every_images"]
        node["every_images"] = 10**9
    return every


def bare_loops(
    job: fitting.Job, data: CaptionedPictures, seconds: float, one_by_one: bool = False
) -> tuple[dict[str, Bare], int, float]:
    """The loops, how many iterations make a stretch, and FLOPs a picture (lazy penalties left out)."""
    stage, settings = fitting.build_stage(job, None)[0], job.config["trainer"]
    stage.to("cuda" if machine.on_gpu(settings) else "cpu")
    data.plan(0, 4)
    some, bf16 = list(data.train_dataloader()), machine.precision(settings) == "bf16-mixed"
    tuned = TUNED if bf16 else TUNED - {"bf16"}
    loops = {"tuned": Bare(stage, some, tuned), "fp32": Bare(stage, some, frozenset())}
    if one_by_one:
        loops = {"tuned": loops["tuned"], **{f"without {name}": Bare(stage, some, tuned - {name}) for name in sorted(tuned)}}
        if stage.device.type == "cuda" and stage.recipe.name == "pytorch":
            loops["as a CUDA graph"] = Graphed(stage, some, tuned)
    loops["tuned"].count = 1
    with FlopCounterMode(display=False) as counter:
        loops["tuned"].step()
    iterations, every = round(seconds / timed(loops["tuned"].step)), stage.recipe.r1_every if stage.recipe.r1_weight else 1
    # Whole cycles of the lazy penalty, so that all stretches hold as many.
    return loops, max(1, round(iterations / every)) * every, counter.get_total_flops() / stage.batch_size


def stage_one(case: str, folder: str) -> dict[str, str]:
    """An untrained Stage-I to stand on."""
    lower = case.replace("stage2", "stage1")
    path = train(settings(lower, folder, "callbacks=none", "stage.images=1", "run.name=below"))
    newest = checkpoint.newest(RunFolder(path).checkpoints)
    assert newest is not None
    return {"run": str(path), "checkpoint": str(newest)}


def row(case: str, seconds: dict[str, list[float]], looks: dict[str, float], images: int, flops: float, peak: float) -> str:
    """The figures of a case as a row of Markdown."""
    speed = {name: images / statistics.median(found) for name, found in seconds.items()}
    ratios = [bare / ours for bare, ours in zip(seconds["tuned"], seconds["trainer"], strict=False)]
    gains = [slow / fast for slow, fast in zip(seconds["fp32"], seconds["tuned"], strict=False)]
    whole = 1 / (1 / speed["trainer"] + sum(looks.values()))
    share = speed["trainer"] * flops / peak
    of_looks = ", ".join(f"{name} {100 * cost * speed['trainer']:.1f} %" for name, cost in looks.items())
    ratio = statistics.median(ratios)
    cells = [
        case, str(batch_and_recipe(case)[0]), *(f"{speed[name]:.1f}" for name in ("fp32", "tuned", "trainer")), f"{whole:.1f}",
        f"{ratio:.3f} ({min(ratios):.2f} to {max(ratios):.2f})", f"{ratio * whole / speed['trainer']:.3f}",
        f"{statistics.median(gains):.2f}", f"{flops / 1e9:.2f}", f"{100 * share:.0f} %", of_looks,
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def now() -> float:
    """The clock, once the device has done all it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


COLUMNS = (
    "network/stage", "batch", "bare fp32", "bare tuned", "Trainer", "with looks and checkpoints", "Trainer/tuned, median (range)",
    "the same with looks and checkpoints", "tuned/fp32", "GFLOP/image", "share of peak", "looks and checkpoints",
)  # fmt: skip


def switches(case: str, pairs: int, seconds: float, folder: str) -> str:
    """What each of the tuned loop's switches gives: seconds without it over seconds with it, medians of pairs."""
    loops, iterations, _ = bare_loops(*job_of(case, folder), seconds, one_by_one=True)
    spent: dict[str, list[float]] = {name: [] for name in loops}
    for pair in range(pairs + 1):
        for name, loop in loops.items():
            seconds = timed(lambda loop=loop: [loop.step() for _ in range(iterations)])
            if pair:  # the first only warms up
                spent[name].append(seconds)
    gains = {n: statistics.median(a / b for a, b in zip(s, spent["tuned"], strict=True)) for n, s in spent.items() if n != "tuned"}
    return f"| {case} | {', '.join(f'{name} {gain:.3f}' for name, gain in gains.items())} |"


def main() -> None:
    """Print the table, a row as soon as it is known."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("cases", nargs="*", default=list(CASES), help=f"{', '.join(CASES)}; another batch: light/stage1:64")
    words.add_argument("--pairs", type=int, default=10, help="stretches of the Trainer, each with one of the tuned loop")
    words.add_argument("--seconds", type=float, default=5.0, help="length of a stretch")
    words.add_argument("--one-by-one", action="store_true", help="instead: the tuned loop without each of its switches")
    given = words.parse_args()
    if unknown := [case for case in given.cases if case.partition(":")[0] not in CASES]:
        words.error(f"{unknown[0]}: no such case; there are {', '.join(CASES)}")
    auto = {"precision": "auto", "accelerator": "auto", "devices": 1, "threads": None}
    machine.prepare(auto)
    bf16 = machine.precision(auto) == "bf16-mixed"
    peak = convolution_peak(torch.device("cuda" if torch.cuda.is_available() else "cpu"), bf16, now)
    kind = "bf16" if bf16 else "fp32"
    print(f"{torch.get_num_threads()} threads, {kind}, convolution peak {peak / 1e9:,.0f} GFLOP/s; images a second\n")
    columns = ("network/stage", "seconds without / with, each switch") if given.one_by_one else COLUMNS
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}", flush=True)
    for case in given.cases:
        with tempfile.TemporaryDirectory() as folder:
            if given.one_by_one:
                print(switches(case, given.pairs, given.seconds, folder), flush=True)
            else:
                print(measure(case, given.pairs, given.seconds, peak, folder), flush=True)


if __name__ == "__main__":
    main()
