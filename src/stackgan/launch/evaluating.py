"""One call of evaluate.py, from settings to score cards."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from rich.console import Console
from rich.table import Table

from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.core.shapes import Weights
from stackgan.data.progress import bar
from stackgan.data.records import Split
from stackgan.devices import machine
from stackgan.launch import judges, loading, objects, observers, schema, scored, settings
from stackgan.metric.card import Card, table
from stackgan.metric.evaluation import Subject, cards, sheets
from stackgan.metric.observing import Store, observe
from stackgan.metric.score import Observer, Score, Seen
from stackgan.metric.source import Source, real
from stackgan.runs import provenance
from stackgan.runs.folder import RunFolder, writing

Config = Mapping[str, Any]
PREFERRED: Sequence[Split] = ("test", "validation", "held_out", "train")
QUANTISATION = "float32, clamped to [-1, 1], rounded to uint8: what a PNG stores"


class Evaluating(settings.Part):
    """conf/evaluate.yaml."""

    run: str
    checkpoint: loading.Which
    weights: Weights
    images: str | None
    captions: str | None
    split: Split | None
    n: Positive
    repeats: Positive
    floors: bool
    floors_n: Positive
    scorer: str | None
    accelerator: settings.Accelerator
    out: str | None
    seed: Natural
    paths: settings.Paths
    data: dict[str, Any]
    text: dict[str, Any]
    stage: dict[str, Any]
    metric: dict[str, dict[str, Any] | None] = {}
    judge: dict[str, Any]


def evaluate(composed: DictConfig) -> Path:
    """Score what the settings name; returns the file of the results. Raises UserError before anything is drawn."""
    config = schema.check(composed, Evaluating)
    _check(config)
    scores: list[Score] = [objects.build(node, f"metric.{name}") for name, node in config["metric"].items()]
    torch.set_num_threads(machine.threads({"devices": 1}))
    of = scored.of_folder if config["images"] else scored.of_run
    system = of(config, partial(observers.foresee, scores, config))
    print(system.name, flush=True)
    subject = _subject(config, system, scores)
    watching = observers.needed(scores, config, system, subject.drawn.known.keys(), system.device)
    if watching.judge is not None:
        split = _split(config, system)
        judges.check_classes(watching.judge, config["judge"], system.data.class_names_of(split), f"split {split}")
    look = _Look(watching.all, Store(Path(config["paths"]["cache"]) / "observed"))
    too_few = _too_few(scores, subject, watching)
    scores = [score for score in scores if score.name not in too_few]
    found, refused = cards(scores, subject, look, watching.key, config["seed"])
    scores = [score for score in scores if score.name not in refused]
    context = _context(config, system, subject, watching)
    results = {card.key: Card(card.key, card.figure, card.higher_is_better, card.floors, context).plain() for card in found}
    folder = RunFolder(Path(config["out"])) if config["out"] else system.folder
    with writing(folder):
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.add_results({"scores": results})
        pictures = folder.path / "scores"
        for name, picture in sheets(scores, subject, look).items():
            pictures.mkdir(exist_ok=True)
            picture.save(pictures / f"{name}.png")
            print(f"sheet: {pictures / name}.png")
    _tell(found, context, look)
    for name, why in (too_few | refused).items():
        print(f"no {name}: {why}")
    print(f"results: {folder.results}", flush=True)
    return folder.results


def _check(config: Config) -> None:
    given = [word.lstrip("+").partition("=")[0].partition(".")[0] for word in HydraConfig.get().overrides.task]
    if config["images"] is None:
        if mine := [word for word in given if word in ("data", "text", "stage")]:
            raise UserError(f"{mine[0]}=...: a run brings its own {mine[0]}; leave it out, or score a folder with images=DIR")
        if config["captions"] is not None:
            raise UserError(f"captions={config['captions']}: goes with images=DIR; a run draws the sentences of its data set")
    elif "data" not in given:
        raise UserError(f"images={config['images']}: say which real pictures to compare with, as data=cub")
    elif "run" in given:
        raise UserError(f"images={config['images']}: run={config['run']} is given too; give one of them")


def _subject(config: Config, system: scored.System, scores: Sequence[Score]) -> Subject:
    data, seed = system.data, config["seed"]
    gallery = data.gallery(_split(config, system))
    trains = config["floors"] or any("train" in score.references for score in scores)
    train = data.gallery("train") if trains else None
    few = min(config["n"], config["floors_n"])
    untrained = system.untrained(gallery, few) if config["floors"] and system.untrained else None
    copy = real(train, seed, few) if config["floors"] and train is not None else None
    whole = real(train, seed) if train is not None else None
    return Subject(system.drawn(gallery, config["n"]), real(gallery, seed), whole, untrained, copy, config["floors"])


def _too_few(scores: Sequence[Score], subject: Subject, watching: observers.Watching) -> dict[str, str]:
    """Scores that so few pictures cannot have, and why; known before any is drawn. Raises UserError where none is left."""
    width = watching.judge.dim if watching.judge is not None else 0
    refused: dict[str, str] = {}
    for score in scores:
        try:
            score.enough(len(subject.drawn), len(subject.real), width)
        except UserError as error:
            refused[score.name] = str(error)
    if len(refused) == len(scores) and refused:
        raise UserError(next(iter(refused.values())))
    return refused


def _split(config: Config, system: scored.System) -> Split:
    """Whose sentences are drawn."""
    return config["split"] or next(split for split in PREFERRED if split in system.data.splits)


class _Look:
    """Observes a source once in this process, with a bar, and says how fast it went."""

    def __init__(self, watching: Sequence[Observer], store: Store) -> None:
        self.watching, self.store = watching, store
        self.seen: dict[str, Seen] = {}
        self.speed: dict[str, float] = {}

    def __call__(self, what: str, source: Source) -> Seen:
        if what not in self.seen:
            begun = time.perf_counter()
            with bar(f"{what:>13}", len(source)) as advance:
                self.seen[what] = observe(source, self.watching, self.store, advance)
            self.speed[what] = len(source) / (time.perf_counter() - begun)
        return self.seen[what]


def _context(config: Config, system: scored.System, subject: Subject, watching: observers.Watching) -> dict[str, Any]:
    """What every card says beside its figure."""
    return {
        **watching.cards(),
        "pictures": {**system.about, "quantisation": QUANTISATION},
        "captions": {
            "split": _split(config, system),
            "real_pictures": len(subject.real),
            "repeats": config["repeats"],
            "order": subject.drawn.fingerprint,
        },
        "seed": config["seed"],
        "code": provenance.provenance({}, False)["commit"],
        "data": system.data.fingerprint,
    }


def _tell(found: Sequence[Card], context: Config, look: _Look) -> None:
    heads, *rows = table(found)
    shown = Table(*heads, box=None, pad_edge=False)
    for row in rows:
        shown.add_row(*row)
    # As wide as it is: a table in a log file must not be cut.
    Console(width=400).print(shown)
    for name in ("judge", "scorer"):
        if name in context:
            flat = {key: value for key, value in context[name].items() if not isinstance(value, Mapping)}
            print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in flat.items()))
    pictures, captions = context["pictures"], context["captions"]
    print(f"pictures: {pictures['resolution']} px, {pictures['quantisation']}; {pictures['system']} from {pictures['source']}")
    print(f"captions: split {captions['split']} ({captions['real_pictures']:,} real pictures), seed {context['seed']}")
    why = {f"{floor}: {one}" for card in found for floor, one in card.floors.items() if isinstance(one, str)}
    for line in sorted(why):
        print(f"no floor {line}")
    print("; ".join(f"{what} {speed:,.0f} pictures/s" for what, speed in look.speed.items()))
