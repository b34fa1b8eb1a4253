"""`explain=true`: what a command would build, cost and write, found out without training it and without leaving anything behind."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from omegaconf import DictConfig
from torch import nn

from stackgan.data.fill import cores
from stackgan.data.module import CaptionedPictures
from stackgan.devices import machine
from stackgan.launch import allowed, build, encoders, fitting, identity, judges, known, rules, schema, sketching, telling, tracking
from stackgan.launch.layers import count
from stackgan.launch.probing import Cost, Probe, probed
from stackgan.launch.underneath import Underneath, underneath
from stackgan.launch.writes import Writes
from stackgan.runs import checkpoint
from stackgan.runs.budget import images_to_see
from stackgan.runs.folder import RunFolder
from stackgan.stage.base import Stage
from stackgan.stage.plan import Part

Config = Mapping[str, Any]
LOADED = 0.5
"""Processes a core from which on the machine is said to be busy."""


@dataclass(frozen=True)
class Run:
    """What a command means. folder: the run's. start, judge_run, text_run: as in training. below: see underneath, None for none."""

    config: Config
    folder: RunFolder
    text_run: str | None
    judge_run: str | None
    facts: Config
    budget: int
    below: Underneath | None


def explain(composed: DictConfig) -> Path:
    """Say what training with these settings would be; returns the folder that it would fill.

    Raises UserError where training would, of everything that can be seen before it begins.
    """
    config = schema.check(composed)
    machine.check(config["trainer"])
    rules.check(config)
    machine.prepare(config["trainer"])
    folder = identity.folder(config)
    tracking.checked(config)
    text_run, judge_run = encoders.found(config), judges.of_training(config)
    start = build.start(config)
    if start is not None:
        start.check()
    with TemporaryDirectory(prefix="stackgan-explain-") as scratch:
        seen, data = sketching.read(config, text_run, Path(scratch))
        build.check_provided(config, data)
        facts = known.facts(seen, data, start)
        if seen is config:
            identity.check_facts(folder, facts, f"data.root={config['data']['root']}")
        else:
            # Of a sketch neither the pictures' fingerprint nor their number is the whole set's.
            del facts["pictures"]
            facts["train_size"] = config["data"].get("train", facts["train_size"])
        run = Run(config, folder, text_run, judge_run, facts, images_to_see(config, facts["train_size"]), None)
        if stands_on_another(config) and checkpoint.newest(folder.checkpoints) is None:
            run = replace(run, below=underneath(config, facts))
        _tell(run, seen, data, Path(scratch))
    return folder.path


def stands_on_another(config: Config) -> bool:
    """Whether the stage is built on another run."""
    return build.stage_class(config).below(config["stage"]) is not None


def _tell(run: Run, seen: Config, data: CaptionedPictures, scratch: Path) -> None:
    telling.heading(f"{run.config['stage']['name']} on {run.config['data']['name']}: {run.budget:,} images, into {run.folder.path}")
    if run.below is not None:
        telling.line(f"stands on {run.below.said}")
    solo = alone(seen)
    stage, head = _stage(run, solo)
    networks = dict(_networks(run.config, run.facts, stage))
    telling.classes(_classes(run, data, stage))
    probe = Probe({name: network for name, (network, _) in networks.items()}, {**head, "text": data.text.carried()})
    load = machine.load()
    cost = probed(stage, sketching.few(solo, data, scratch), solo["trainer"], probe)
    for name, (_, part) in networks.items():
        telling.layers(f"{name} ({part.path})", str(part.settings["_target_"]), probe.layers[name])
    telling.others(_others(stage, [network for network, _ in networks.values()]))
    _tell_cost(run, solo, cost, load)
    telling.writes(Writes(run.config, run.folder, data, run.budget, run.below).rows(cost.checkpoint_bytes))


def alone(config: Config) -> Config:
    """The settings of one of the devices: its share of the batch and of the threads."""
    trainer, devices = config["trainer"], config["trainer"]["devices"]
    if devices == 1:
        return config
    batch = config["data"]["batch_size"] // devices
    recipe = {**config["stage"]["recipe"], "batch_size": batch}
    return {
        **config,
        "stage": {**config["stage"], "recipe": recipe},
        "data": {**config["data"], "batch_size": batch},
        "trainer": {**trainer, "devices": 1, "threads": trainer["threads"] or machine.threads(trainer)},
    }


def _stage(run: Run, solo: Config) -> tuple[Stage, Config]:
    """The stage as training would build it, on an untrained base where there is none yet, and what checkpoints hold beside it."""
    stand_in = run.below.stand_in(run.facts) if run.below is not None else None
    if stand_in is not None:
        return build.stage(solo, run.facts, stand_in), {}
    state = None
    if stands_on_another(run.config) and run.below is None:
        found = checkpoint.newest_whole(run.folder.checkpoints)
        state = found[1] if found else None
    job = fitting.Job(
        dict(solo), str(run.folder.path), dict(run.facts), run.budget, None, run.below.run if run.below else None, run.text_run
    )
    return fitting.build_stage(job, state)


def _networks(config: Config, facts: Config, stage: Stage) -> Iterator[tuple[str, tuple[nn.Module, Part]]]:
    """The stage's own networks by the name of their part; the first of its class, since an average comes after what it is of."""
    sizes = {**facts, "noise_dim": getattr(stage, "noise_dim", None)}
    for name, part in build.stage_class(config).parts(config["stage"], sizes).items():
        wanted = str(part.settings["_target_"])
        module = next(one for one in stage.modules() if f"{type(one).__module__}.{type(one).__qualname__}" == wanted)
        yield ("generator" if name == "network" else name), (module, part)


def _others(stage: Stage, own: list[nn.Module]) -> Iterator[tuple[str, int]]:
    """What the stage holds beside its own networks, and the parameters: what it stands on, an average."""
    average = getattr(stage, "average", None)
    if isinstance(average, nn.Module):
        yield "averaged copy, which draws", count(average)
    inside = {weight for network in own for weight in network.parameters()}
    copied = set(average.parameters()) if isinstance(average, nn.Module) else set()
    if left := sum(weight.numel() for weight in stage.parameters() if weight not in inside | copied):
        yield "what it stands on", left


def _classes(run: Run, data: CaptionedPictures, stage: Stage) -> Iterator[tuple[str, str, str]]:
    """Every node that names a class: its path, the class, and why it is not built, where it is not."""
    config = run.config
    sizes = {**run.facts, "noise_dim": getattr(stage, "noise_dim", None)}
    used = {id(part.settings) for part in build.stage_class(config).parts(config["stage"], sizes).values()}
    shown = data.provides | stage.provides | (frozenset({"judge"}) if run.judge_run else frozenset())
    for path, node in _nodes({name: config[name] for name in ("stage", "text", "data", "judge", "callbacks", "logger")}):
        target, note = str(node["_target_"]), ""
        if target.startswith("stackgan.networks.") and id(node) not in used:
            note = "of another stage"
        if path == "judge" and run.judge_run is None:
            note = "left out: none is trained yet, or nobody asks it"
        if path.startswith("callbacks.") and (lacks := sorted(getattr(allowed.resolve(path, target), "requires", shown) - shown)):
            note = f"left out: needs {', '.join(lacks)}"
        yield path, target, note


def _nodes(node: Any, path: str = "") -> Iterator[tuple[str, Config]]:
    if not isinstance(node, Mapping):
        return
    if "_target_" in node:
        yield path, node
    for key, value in node.items():
        yield from _nodes(value, f"{path}.{key}" if path else key)


def _tell_cost(run: Run, solo: Config, cost: Cost, load: float | None) -> None:
    devices, recipe = run.config["trainer"]["devices"], run.config["stage"]["recipe"]
    every = recipe.get("r1_every", 1)
    lazy = max(0.0, cost.first_flops - cost.flops) / every
    where = f"{machine.described(solo['trainer'])}, {machine.precision(solo['trainer'])}, batch {solo['data']['batch_size']}"
    if load is not None and load > LOADED * cores():
        where += f"; others kept it busy (load {load:.1f} on {cores()} cores), so alone it is faster"
    first = None
    if run.below is not None and run.below.first is not None and run.below.config is not None:
        first = (str(run.below.config["stage"]["name"]), run.below.images)
    telling.cost(cost, cost.flops + lazy, every if lazy else None, run.budget, devices, where, first)
