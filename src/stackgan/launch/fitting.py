"""What every process of a run does: build the stage, put the callbacks round it, train."""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.strategies import DDPStrategy

from stackgan.callbacks import speed
from stackgan.callbacks.metrics_file import MetricsFile, MetricsWriter
from stackgan.callbacks.progress import ImagesBar
from stackgan.callbacks.tracker import Tracker
from stackgan.callbacks.watcher import Record, Show, View, Watcher
from stackgan.data.module import CaptionedPictures
from stackgan.devices import machine
from stackgan.devices.ranks import Place
from stackgan.launch import build, judges, objects, restore
from stackgan.launch.quiet import quiet
from stackgan.metric.observing import Store
from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder, writing
from stackgan.runs.keeper import Keeper, Resume, load_callbacks
from stackgan.runs.stopping import Wishes
from stackgan.stage.base import Stage
from stackgan.stage.judge import JudgeStage

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """One run's training in plain data, as every process of it is told.

    facts: fingerprints of data and encoder, text width and training pictures. budget: images to see. checkpoint: the file to go
    on from, None for a new run. base: the run that a new stage stands on (`run`: its folder, `checkpoint`: its file), else None.
    text_run, judge_run: the folders of the text encoder's and the judge's run, where there is one.
    """

    config: dict[str, Any]
    folder: str
    facts: dict[str, Any]
    budget: int
    checkpoint: str | None
    base: dict[str, str] | None
    text_run: str | None
    judge_run: str | None = None

    def plain(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """How training ended. stopped: the signal that ended it early. results: for results.json. watchers: what looked on."""

    images_seen: int
    stopped: signal.Signals | None
    results: dict[str, Any]
    watchers: Sequence[Watcher]


def fit(
    job: Job, data: CaptionedPictures, place: Place, trackers: Sequence[Tracker] = (), beside: Sequence[Callback] = ()
) -> Outcome:
    """Train up to the budget, or until asked to stop. Only the first rank looks on, and writes. beside: further callbacks, last."""
    settings, folder, wishes = job.config["trainer"], RunFolder(Path(job.folder)), Wishes()
    state = checkpoint.load(Path(job.checkpoint)) if job.checkpoint else None
    stage, head = build_stage(job, state)
    head["text"] = data.text.carried()
    data.plan(stage.iteration, -(-job.budget // stage.batch_size))
    results: dict[str, Any] = {}
    metrics = MetricsFile(folder.metrics)
    keeper = Keeper(
        folder.checkpoints,
        head,
        settings["checkpoint_every_images"],
        settings["checkpoints_kept"],
        settings["best"],
        settings["best_is"],
        results,
        wishes,
        metrics.secure,
    )
    record = _to_all([metrics.record, keeper.noticed, *(tracker.record for tracker in trackers)])
    show = _to_all([tracker.pictures for tracker in trackers])
    view = _view(job, data, record if place.rank == 0 else _to_all([]), show, results)
    clock = speed.Clock(wait := speed.DataWait())
    watchers = _watchers(job.config, view, stage.provides, place.rank)
    callbacks: list[Callback] = [clock, MetricsWriter(record, settings["log_every"], wait), *watchers]
    callbacks += [ImagesBar(job.budget, settings["log_every"]), keeper, *beside]
    if place.rank == 0:
        with writing(folder):
            metrics.cut(stage.images_seen)
    if stage.images_seen >= job.budget:
        assert state is not None
        return _ended_before(state, stage, callbacks, watchers)
    trainer = new_trainer(settings, [Resume(state), *callbacks] if state else callbacks, wait, place)
    del state  # as large as the weights and both optimisers
    if place.rank == 0:
        words = f"{stage.name} on {job.config['data']['name']}: {job.budget:,} images, {trainer.precision} precision"
        ranks = f", {place.world} ranks" if place.world > 1 else ""
        print(f"{words}{ranks}, into {folder.path}", flush=True)
    with wishes:
        trainer.fit(stage, datamodule=data)
    stopped = keeper.stopped or (signal.Signals(wishes.caught) if wishes.caught else None)
    return Outcome(stage.images_seen, stopped, {**speed.figures(clock.state_dict()), **results}, watchers)


def _view(job: Job, data: CaptionedPictures, record: Record, show: Show, results: dict[str, Any]) -> View:
    judge = judges.judge(job.config["judge"], data.name, [], job.judge_run) if job.judge_run else None
    store = Store(Path(job.config["paths"]["cache"]) / "observed")
    return View(RunFolder(Path(job.folder)).sheets, data, record, show, results, judge, store)


def _ended_before(state: Config, stage: Stage, callbacks: list[Callback], watchers: list[Watcher]) -> Outcome:
    """A run whose checkpoint has the budget: killed just before DONE, or stopped beyond what is now asked for."""
    load_callbacks(callbacks, state)
    keeper = next(each for each in callbacks if isinstance(each, Keeper))
    keeper.settle()
    if not state["final"]:
        for watcher in watchers:
            watcher.begin(stage)
            keeper.results.update(watcher.look(stage))
    measured = speed.figures(state["callbacks"]["Clock"])
    return Outcome(stage.images_seen, None, {**measured, **keeper.results}, watchers)


def _to_all(listeners: Sequence[Callable[..., None]]) -> Callable[..., None]:
    def tell(*words: Any) -> None:
        for listener in listeners:
            listener(*words)

    return tell


def build_stage(job: Job, state: Config | None) -> tuple[Stage, dict[str, Any]]:
    """The stage, new or as its checkpoint left it, and what all its checkpoints hold beside its state."""
    head = {"format": checkpoint.FORMAT, "config": job.config, "data": job.facts, "first": None, "base": None}
    if state is not None:
        return restore.stage({**state, "config": job.config}), head | {"first": state["first"], "base": state["base"]}
    network = None
    if job.base is not None:
        below = checkpoint.load(Path(job.base["checkpoint"]))
        network = restore.to_stand_on(job.config, below)
        head |= {"first": restore.kept(below), "base": {"run": job.base["run"], "images_seen": below["images_seen"]}}
    stage = build.stage(job.config, job.facts, network)
    if (start := build.start(job.config)) is not None:
        assert isinstance(stage, JudgeStage)
        stage.begin_with(start.network_loaded.state_dict())
    return stage, head


def new_trainer(settings: Config, callbacks: list[Callback], wait: speed.DataWait, place: Place) -> Trainer:
    """Lightning's Trainer as every process of a run uses it. settings: `trainer`'s."""
    quiet()
    together: dict[str, Any] = {}
    if place.world > 1:
        # Each turn of D and G leaves the other's weights unused.
        together = {"strategy": DDPStrategy(find_unused_parameters=True, gradient_as_bucket_view=True), "plugins": [place]}
    trainer = Trainer(
        accelerator="gpu" if machine.on_gpu(settings) else "cpu",
        devices=place.local_world,
        num_nodes=place.world // place.local_world,
        precision=machine.precision(settings),  # type: ignore[arg-type]
        callbacks=callbacks,
        profiler=wait,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=any(isinstance(each, ImagesBar) for each in callbacks),
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        # Batch norm over all ranks is what one device would see; PyTorch has it for GPUs only.
        sync_batchnorm=place.world > 1 and machine.on_gpu(settings),
        **together,
    )
    # Signals are Keeper's. Lightning's own handler would talk to the other ranks out of turn, and its question before every batch
    # would wait for the device.
    _silence(trainer._signal_connector, "register_signal_handlers")
    _silence(trainer.fit_loop.epoch_loop, "_broadcast_sigterm_tensor")
    return trainer


def _silence(owner: object, name: str) -> None:
    """Replace a method of Lightning's that must do nothing here; AttributeError where a version has it no longer."""
    getattr(owner, name)
    setattr(owner, name, lambda: None)


def _watchers(config: Config, view: View, shown: frozenset[str], rank: int) -> list[Watcher]:
    """The callbacks whose requirements data set, stage and judge meet. shown: what the stage provides.

    On a rank but the first only those that look everywhere.
    """
    shown = view.data.provides | shown | ({"judge"} if view.judge is not None else frozenset())
    built: dict[str, Watcher] = {name: objects.build(node, f"callbacks.{name}") for name, node in config["callbacks"].items()}
    for name, watcher in built.items():
        watcher.key = name
    kept = [watcher for watcher in built.values() if watcher.requires <= shown and (rank == 0 or watcher.everywhere)]
    for watcher in kept:
        watcher.attach(view)
    return kept
