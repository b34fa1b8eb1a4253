"""One training run from settings to DONE."""

import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from omegaconf import DictConfig

from stackgan.callbacks.metrics_file import MetricsFile, MetricsWriter
from stackgan.callbacks.progress import ImagesBar
from stackgan.callbacks.watcher import View, Watcher
from stackgan.data.module import CaptionedPictures
from stackgan.launch import base, build, identity, machine, restore, rules, schema
from stackgan.launch.quiet import quiet
from stackgan.runs import checkpoint, provenance
from stackgan.runs.folder import RunFolder, held
from stackgan.stage.stackgan import StackGAN

Config = Mapping[str, Any]


def train(composed: DictConfig) -> Path:
    """Train, continue, or find already done what the settings mean; returns the run's folder.

    Nothing is written before settings, data and the Stage-I underneath have been found good. Raises UserError where they are not.
    """
    return _train(composed, wait=False)


def _train(composed: DictConfig, wait: bool) -> Path:
    config = schema.check(composed)
    rules.check(config)
    machine.check(config["trainer"])
    # Before anything else computes: threads inherit the mode of the one that starts them.
    machine.prepare(config["trainer"])
    folder = identity.folder(config)
    data = build.data_module(config)
    text = {"text": data.text.fingerprint, "text_name": data.text.name, "text_dim": data.text_dim}
    stands_on_another = config["stage"]["name"] == "stage2" and checkpoint.newest(folder.checkpoints) is None
    if stands_on_another:
        base.foresee(config, text)
    data.prepare_data()
    data.setup()
    facts = {**text, "pictures": data.fingerprint, "train_size": data.train_size}
    identity.check_facts(folder, facts, config["data"]["root"])
    budget = _budget(config, data)
    if folder.images_done() >= budget:
        print(f"{folder.path} is done ({folder.images_done():,} images seen); run.fresh=true trains it again")
        return folder.path
    first = base.checkpoint_of(config, facts, lambda composed: _train(composed, wait=True)) if stands_on_another else None
    with held(folder, wait):
        # Another process may have finished the run while this one waited.
        if folder.images_done() < budget:
            found = checkpoint.newest(folder.checkpoints)
            state = checkpoint.load(found) if found else None
            stage, head = _stage(config, facts, state, first)
            folder.begin(config, provenance.provenance(facts) | {"base": head["base"]})
            _fit(config, folder, data, budget, stage, head, state)
    return folder.path


def _stage(
    config: Config, facts: Config, state: Config | None, first: tuple[str, Config] | None
) -> tuple[StackGAN, dict[str, Any]]:
    """The stage, new or as its checkpoint left it, and what all its checkpoints hold beside its state."""
    head = {"format": checkpoint.FORMAT, "config": dict(config), "data": dict(facts), "first": None, "base": None}
    if state is not None:
        return restore.stage({**state, "config": config}), head | {"first": state["first"], "base": state["base"]}
    network = None
    if first is not None:
        path, below = first
        network = restore.generator_to_stand_on(below)
        head |= {"first": {"config": below["config"]}, "base": {"run": path, "images_seen": below["images_seen"]}}
    return build.stage(config, facts["text_dim"], facts["train_size"], network), head


def _fit(
    config: Config,
    folder: RunFolder,
    data: CaptionedPictures,
    budget: int,
    stage: StackGAN,
    head: Config,
    state: Config | None,
) -> None:
    settings = config["trainer"]
    data.plan(stage.iteration, -(-budget // stage.batch_size))
    metrics, results = MetricsFile(folder.metrics), dict[str, float]()
    watchers = _watchers(config, View(folder.sheets, data, metrics.record, results))
    clock = checkpoint.Clock()
    keeper = checkpoint.Keeper(folder.checkpoints, head, settings["checkpoint_every_images"], settings["checkpoints_kept"])
    resume = [checkpoint.Resume(state)] if state is not None else []
    bar = ImagesBar(budget, settings["log_every"])
    callbacks: list[Callback] = [*resume, clock, MetricsWriter(metrics, settings["log_every"]), *watchers, bar, keeper]
    trainer = _trainer(settings, callbacks)
    print(
        f"{stage.name} on {config['data']['name']}: {budget:,} images, {trainer.precision} precision, into {folder.path}",
        flush=True,
    )
    trainer.fit(stage, datamodule=data)
    if keeper.stopped is not None and stage.images_seen < budget:
        print(
            f"stopped by {keeper.stopped.name} after {stage.images_seen:,} images; the same command goes on from there", flush=True
        )
        sys.exit(128 + keeper.stopped)
    folder.finish({"images_seen": stage.images_seen, **_figures(clock), **results})
    _tell(config, folder, watchers, results)


def _trainer(settings: Config, callbacks: list[Callback]) -> Trainer:
    quiet()
    return Trainer(
        accelerator="gpu" if machine.on_gpu(settings) else "cpu",
        devices=settings["devices"],
        precision=machine.precision(settings),  # type: ignore[arg-type]
        callbacks=callbacks,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
    )


def _watchers(config: Config, view: View) -> list[Watcher]:
    """The callbacks whose requirements the data set meets."""
    built = [build.build(node, f"callbacks.{name}") for name, node in config["callbacks"].items()]
    kept = [watcher for watcher in built if watcher.requires <= view.data.provides]
    for watcher in kept:
        watcher.attach(view)
    return kept


def _budget(config: Config, data: CaptionedPictures) -> int:
    """Images to see, in whole batches."""
    stage = config["stage"]
    batch = stage["recipe"]["batch_size"]
    epochs = stage["epochs"] or stage["recipe"]["epochs"]
    iterations = -(-stage["images"] // batch) if stage["images"] else epochs * (data.train_size // batch)
    return int(iterations * batch)


def _figures(clock: checkpoint.Clock) -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    figures = {"seconds": round(clock.seconds, 1), "peak_memory_gib": round(peak, 2)}
    if clock.seconds:
        figures["images_per_second"] = round(clock.images / clock.seconds, 1)
    if torch.cuda.is_available():
        figures["peak_gpu_memory_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
    return figures


def _tell(config: Config, folder: RunFolder, watchers: list[Watcher], results: Config) -> None:
    """Where to look, and what to run next."""
    for name, value in results.items():
        if name.endswith("normalised"):
            print(f"{name}: {value:.2f}  (0: no better than other sentences, 1: as good as real pictures)")
    for watcher in watchers:
        for path in getattr(watcher, "latest", []):
            print(f"sheet: {path}")
    print(f"run: {folder.path}")
    print(f"next: {_next(config)}", flush=True)


def _next(config: Config) -> str:
    stage = config["stage"]
    if stage["name"] == "stage2" or stage["resolution"] != base.SIZE:
        light = "text=minilm stage/network=light stage/recipe=modern stage.images=512000"
        return f"python src/train.py stage=stage1 data=oxford {light} trains on real flowers; README.md says where to put them"
    names = {"data": config["data"], "text": config["text"], "stage/network": stage["network"], "stage/recipe": stage["recipe"]}
    words = " ".join(f"{key}={value['name']}" for key, value in names.items())
    if not stage["conditioning_augmentation"]:
        words += " stage.conditioning_augmentation=false"
    return f"python src/train.py stage=stage2 {words} draws these larger"
