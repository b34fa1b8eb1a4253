"""One call of compare.py, from settings to a folder of tables, charts and one page."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from omegaconf import DictConfig
from pydantic import BeforeValidator

from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.launch import found_runs, publishing, schema, settings
from stackgan.launch.places import CONF
from stackgan.report import published, wandb_pages
from stackgan.report.columns import Mixed
from stackgan.report.comparison import Comparison, Wanted, comparison
from stackgan.report.files import write
from stackgan.report.statistics import Way

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
    accelerator: settings.Accelerator
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
        from stackgan.launch import redrawing  # with it come PyTorch and Lightning, which a comparison of files does without

        made.drawn = dict(redrawing.drawn(made, config))
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
        for url in publishing.publish(made, keys, place, config["wandb"], folder):
            print(f"published: {url}", flush=True)
        for later in publishing.unsent(records):
            print(f"note: not yet sent, and so not on these pages: wandb sync {later}/offline-run-*", flush=True)
    return folder


def _stem(config: Config) -> str:
    """The new folder's name: `ablation` of sweeps/ablation, `stage1-toybirds-x` of run://stage1/toybirds/x."""
    first = str(config["runs"][0])
    last = first.removeprefix("run://") if first.startswith("run://") else Path(first).resolve().name
    return config["name"] or re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-.") or "runs"


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
