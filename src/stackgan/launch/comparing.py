"""One call of compare.py, from settings to a folder of tables, charts and one page."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from omegaconf import DictConfig
from PIL import Image
from pydantic import BeforeValidator

from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.draw.sentences import cleaned
from stackgan.launch import allowed, found_runs, loading, publishing, schema, settings
from stackgan.launch.places import CONF
from stackgan.plots.sheet import sheet
from stackgan.report import published, wandb_pages
from stackgan.report.columns import Mixed
from stackgan.report.comparison import Comparison, Wanted, comparison
from stackgan.report.files import write
from stackgan.report.statistics import Way
from stackgan.report.variants import Variant
from stackgan.runs import checkpoint

Config = Mapping[str, Any]
Words = Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]
"""One, or several as [...]."""


class Comparing(settings.Part):
    """conf/compare.yaml."""

    runs: Words
    scores: Words | None
    figures: Words
    curves: Words
    differences: Way
    mixed: Mixed
    sheets: Natural
    sentences: Words | None
    n: Positive
    seed: Natural
    accelerator: loading.Accelerator
    out: str | None
    name: settings.Name | None
    publish: Literal["wandb"] | None
    wandb: publishing.Wandb
    paths: settings.Paths


def compare(composed: DictConfig) -> Path:
    """Set runs side by side; returns the new folder. Raises UserError before anything is written.

    Only what goes wrong with sending the pages of `publish` is said after that: the files are there then.
    """
    config = schema.check(composed, Comparing)
    records, left_out = found_runs.records(config["runs"], Path(config["paths"]["logs"]))
    place = publishing.foresee(records, config["wandb"]) if config["publish"] else None
    wanted = Wanted(**{key: config[key] for key in ("scores", "figures", "curves", "differences", "mixed", "sheets")})
    made = comparison(f"Comparison of {', '.join(config['runs'])}", records, published.read(CONF / "paper"), wanted)
    made.left_out += left_out
    if config["sentences"]:
        made.drawn = dict(_drawn(made, config))
    parent = Path(config["out"] or Path(config["paths"]["logs"]) / "compared")

    compared = [str(record.folder.path) for record in records if record.folder is not None]

    def fill(folder: Path) -> None:
        write(made, folder)
        atomic.write_json(folder / "about.json", {"settings": config, "runs": compared})

    try:
        folder = atomic.write_folder(parent, _stem(config), fill)
    except OSError as error:
        raise UserError(f"out={parent}: cannot be written ({error.strerror}); set out to a folder you can write") from error
    _tell(made, folder)
    if place is not None:
        keys = wandb_pages.logged(made.variants, [*config["curves"], *config["figures"]], config["wandb"]["losses"])
        for url in publishing.publish(made, keys, place, config["wandb"]["seconds"], folder):
            print(f"published: {url}", flush=True)
        for later in publishing.unsent(records):
            print(f"note: not yet sent, and so not on these pages: wandb sync {later}/offline-run-*", flush=True)
    return folder


def _stem(config: Config) -> str:
    """The new folder's name: `ablation` of sweeps/ablation, `stage1-toybirds-x` of run://stage1/toybirds/x."""
    first = str(config["runs"][0])
    last = first.removeprefix("run://") if first.startswith("run://") else Path(first).resolve().name
    return config["name"] or re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-.") or "runs"


def _drawn(made: Comparison, config: Config) -> Iterator[tuple[str, Image.Image]]:
    """A sheet a data set: the sentences, and what one run of each variant draws of them with the same noise keys."""
    sentences = [cleaned(sentence) for sentence in config["sentences"]]
    for section in made.sections:
        mine = [variant for variant in made.variants if variant.data == section.data and _draws(variant)][: config["sheets"]]
        columns = []
        for variant in mine:
            drawings = _drawings(variant, config, made.left_out)
            if drawings is not None:
                columns.append((f"{variant.label}, {drawings.pixels_NKHWC.shape[2]} px", drawings.pixels_NKHWC))
        if columns:
            yield (
                f"{section.data}-drawn",
                sheet(columns, sentences, f"{section.data}: one sentence, every variant, seed {config['seed']}"),
            )


def _draws(variant: Variant) -> bool:
    """A judge or a sentence encoder does not."""
    return bool(variant.kind) and hasattr(allowed.resolve("stage", str(variant.kind["stage"]["_target_"])), "sample")


def _drawings(variant: Variant, config: Config, left_out: list[str]) -> Any:
    """By the variant's first run that has a checkpoint; where none draws, or draws from sentences alone, a line says why."""
    folders = [record.folder for record in variant.records if record.folder is not None]
    folder = next((one for one in folders if checkpoint.newest(one.checkpoints) is not None), None)
    try:
        if folder is None:
            raise UserError("no run with a checkpoint")
        painter = loading.load(folder.path, accelerator=config["accelerator"])
        return painter.sample(config["sentences"], config["n"], config["seed"])
    except UserError as error:
        left_out.append(f"{variant.label}: not drawn anew: {str(error).partition(';')[0]}")
        return None


def _tell(made: Comparison, folder: Path) -> None:
    for table in made.tables:
        if table.name.endswith(("-verdicts", "-figures")):
            print(table.title)
            for row in [table.heads, *table.rows]:
                print("  " + " | ".join(row))
    for line in made.left_out:
        print(f"note: {line}")
    print(f"page: {folder / 'index.html'}")
    print(f"tables, charts, sheets: {folder}", flush=True)
