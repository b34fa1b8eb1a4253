"""compare.py sentences=[...]: the same sentences, drawn anew by every variant from the same noise."""

from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image

from stackgan.core.errors import UserError
from stackgan.draw.sentences import cleaned
from stackgan.launch import allowed, loading
from stackgan.plots.sheet import sheet
from stackgan.report.comparison import Comparison
from stackgan.report.variants import Variant
from stackgan.runs import checkpoint

Config = Mapping[str, Any]


def drawn(made: Comparison, config: Config) -> Iterator[tuple[str, Image.Image]]:
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
