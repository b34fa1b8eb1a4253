"""One training run from settings to DONE."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from stackgan.data.module import CaptionedPictures
from stackgan.devices import crew, gathering, machine
from stackgan.devices.ranks import Company
from stackgan.launch import base, build, cli, encoders, explaining, fitting, identity, judges, known, rank, rules, schema, tracking
from stackgan.runs import checkpoint, provenance
from stackgan.runs.budget import images_to_see
from stackgan.runs.folder import RunFolder, held, writing

Config = Mapping[str, Any]


def train(composed: DictConfig) -> Path:
    """Train, continue, or find already done what the settings mean; returns the run's folder. With `explain` only say what it is.

    Nothing is written before settings, data and the run underneath have been found good. Raises UserError where they are not,
    RunError where the run cannot go on. In a sweep, whose jobs may share a Stage-I, it waits where another process trains the run.
    """
    return explaining.explain(composed) if composed.explain else _train(composed, wait=cli.multirun())


def _train(composed: DictConfig, wait: bool) -> Path:
    config = schema.check(composed)
    machine.check(config["trainer"])
    rules.check(config)
    # Before anything else computes: threads inherit the mode of the one that starts them.
    machine.prepare(config["trainer"])
    folder = identity.folder(config)
    trackers = tracking.checked(config)
    text_run = encoders.found(config)
    judge_run = judges.of_training(config)
    start = build.start(config)
    if start is not None:
        start.check()
    data = build.data_module(config, text_run)
    text = known.of_text(data)
    below = build.stage_class(config).below(config["stage"])
    stands_on_another = below is not None and checkpoint.newest(folder.checkpoints) is None
    if stands_on_another:
        base.foresee(config, text)
    elif below is not None:
        base.check_kept(config, folder)
    data.bring()
    build.check_provided(config, data)
    identity.check_facts(folder, text, f"text={data.text.name}")
    data.prepare_data()
    data.setup()
    facts = known.facts(config, data, start)
    identity.check_facts(folder, facts, f"data.root={config['data']['root']}")
    budget = images_to_see(config, facts["train_size"])
    if folder.images_done() >= budget:
        print(f"{folder.path} is done ({folder.images_done():,} images seen); run.fresh=true trains it again")
        return folder.path
    found = base.found(config, facts, lambda composed: _train(composed, wait=True)) if stands_on_another else None
    with held(folder, wait):
        # Another process may have finished the run while this one waited.
        if folder.images_done() < budget:
            job, seen = _job(config, folder, facts, budget, found, text_run, judge_run)
            _fit(job, data, tracking.Trackers(trackers, job, seen))
    return folder.path


def _job(
    config: Config, folder: RunFolder, facts: Config, budget: int, below: Config | None, text_run: str | None, judge_run: str | None
) -> tuple[fitting.Job, int]:
    """What is to be done, written down in the run's folder, and how many images were seen already."""
    found = checkpoint.newest_whole(folder.checkpoints)
    at, state = found if found else (None, {})
    with writing(folder):
        if at is not None:
            checkpoint.set_aside(folder.checkpoints, after=at)
            facts_of_base, source = state["base"], None
        else:
            facts_of_base = {"run": below["run"], "images_seen": below["images_seen"]} if below else None
            source = {"run": below["run"], "checkpoint": below["checkpoint"]} if below else None
        folder.begin(config, provenance.provenance(facts, machine.on_gpu(config["trainer"])) | {"base": facts_of_base})
    job = fitting.Job(dict(config), str(folder.path), dict(facts), budget, str(at) if at else None, source, text_run, judge_run)
    return job, state.get("images_seen", 0)


def _fit(job: fitting.Job, data: CaptionedPictures, trackers: tracking.Trackers) -> None:
    folder = RunFolder(Path(job.folder))
    with trackers, _company(job) as place:
        outcome = fitting.fit(job, data, place, trackers.all)
        if done := outcome.images_seen >= job.budget:
            trackers.results = outcome.results
            with writing(folder):
                folder.finish({"images_seen": outcome.images_seen, **outcome.results})
    if done:
        _tell(job.config, folder, outcome)
    if outcome.stopped is not None:
        rest = "which was all" if done else "the same command goes on from there"
        print(f"stopped by {outcome.stopped.name} after {outcome.images_seen:,} images; {rest}", flush=True)
        sys.exit(128 + outcome.stopped)


def _company(job: fitting.Job) -> Company | gathering.Told:
    """The other ranks: those that were started with this process, or else started for this job."""
    started, told = crew.here(), {"job": job.plain()}
    return Company(told, job.config["trainer"]["devices"], rank.COMMAND) if started is None else gathering.Told(told, started)


def _tell(config: Config, folder: RunFolder, outcome: fitting.Outcome) -> None:
    """Where to look, and what to run next."""
    for name, value in outcome.results.items():
        if name.endswith("normalised"):
            print(f"{name}: {value:.2f}  (0: no better than other sentences, 1: as good as real pictures)")
        if f"{name}/guessing" in outcome.results:
            pictures, guessing = (outcome.results[f"{name}/{word}"] for word in ("pictures", "guessing"))
            print(f"{name}: {value:.4f} of {pictures:,} pictures that it was not trained on (guessing: {guessing:.4f})")
    for watcher in outcome.watchers:
        for path in getattr(watcher, "latest", []):
            print(f"sheet: {path}")
    print(f"run: {folder.path}")
    print(f"next: {_next(config)}", flush=True)


def _next(config: Config) -> str:
    stage = config["stage"]
    if stage["name"] == "text_encoder":
        return (
            f"python src/train.py stage=stage1 data={config['data']['name']} text=char_cnn_rnn trains a Stage-I on its embeddings"
        )
    if stage["name"] == "judge":
        return (
            f"python src/evaluate.py run=run://stage1/{config['data']['name']}/latest scores a Stage-I's pictures through its eyes"
        )
    if stage["name"] == "style_encoder":
        words = f"run=run://style_encoder/{config['data']['name']}/latest image=PICTURE 'text=\"a red bird\"'"
        return f"python src/sample.py mode=style {words} draws a sentence in the style of a picture file"
    if stage["name"] == "gawwn_part_generator":
        return f"python src/train.py stage=gawwn_parts data={config['data']['name']} trains what draws birds at such parts"
    if stage["name"] not in ("stage1", "stage2"):
        return f"python src/evaluate.py run=run://{stage['name']}/{config['data']['name']}/latest scores its pictures"
    if stage["name"] == "stage2" or stage["resolution"] != base.SIZE:
        light = "text=minilm stage/network=light stage/recipe=modern stage.images=512000"
        return f"python src/train.py stage=stage1 data=oxford {light} trains on real flowers; README.md says where to put them"
    names = {"data": config["data"], "text": config["text"], "stage/network": stage["network"], "stage/recipe": stage["recipe"]}
    words = " ".join(f"{key}={value['name']}" for key, value in names.items())
    if not stage["conditioning_augmentation"]:
        words += " stage.conditioning_augmentation=false"
    return f"python src/train.py stage=stage2 {words} draws these larger"
