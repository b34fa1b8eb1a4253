"""Where things shall be in what is drawn: a box, or parts by name, completed from the sentence where a run can do that."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stackgan.core.errors import UserError, did_you_mean
from stackgan.draw.painter import Origin, Painter, Place
from stackgan.launch import loading, restore
from stackgan.runs import checkpoint
from stackgan.runs.ledger import runs
from stackgan.stage.gawwn_part_generator import PartGeneratorStage
from stackgan.text.encoder import TextEncoder

Config = Mapping[str, Any]
STAGE = "gawwn_part_generator"


def check(config: Config) -> None:
    """Raise UserError, before anything is loaded, for a box or parts that are none."""
    box = config["box"]
    if box is not None and (len(box) != 4 or min(box[2:]) <= 0 or min(box) < 0 or box[0] + box[2] > 1 or box[1] + box[3] > 1):
        raise UserError(f"box={box}: give left, top, width and height as fractions of the picture, as box=[0.2,0.3,0.5,0.4]")
    for name, place in (config["parts"] or {}).items():
        if len(place) != 2 or min(place) < 0 or max(place) >= 1:
            raise UserError(f"parts.{name}={place}: give x and y as fractions of the picture, as 'parts={{{name}: [0.7, 0.4]}}'")


def placed(painter: Painter, config: Config, first: str) -> Painter:
    """The painter, which draws where the settings say. first: the sentence that modes which mix sentences start from.

    Raises UserError where its generator must be told a place and is not, or is told one of another kind.
    """
    takes, who = painter.sampler.takes, f"run={painter.origin.source}: stage={painter.origin.stage}"
    if "box" in takes:
        if config["box"] is None:
            raise UserError(f"{who} draws into a box; give left, top, width and height as fractions: box=[0.2,0.3,0.5,0.4]")
        box_14 = torch.tensor([config["box"]], dtype=torch.float32)
        return painter.at(lambda said, key_B: {"box": box_14.expand(len(key_B), -1)})
    if "parts" in takes:
        return painter.at(_completed(painter, config, first))
    return painter


def check_used(painters: Sequence[Painter], config: Config) -> None:
    """Raise UserError for a place that none of the systems reads."""
    takes = {kind for painter in painters for kind in painter.sampler.takes}
    for kind in ("box", "parts"):
        if config[kind] is not None and kind not in takes:
            systems = ", ".join(sorted({painter.origin.stage for painter in painters}))
            raise UserError(f"{kind}={config[kind]}: {systems} is told no {kind}; drop it, or name a run of stage=gawwn_{kind}")


def _completed(painter: Painter, config: Config, first: str) -> Place:
    """Parts for each sentence: those given, and the others from the newest part generator of the same data set."""
    names = painter.origin.facts["part_names"]
    given_1P3 = torch.zeros(1, len(names), 3)
    for name, place in (config["parts"] or {}).items():
        if name not in names:
            raise UserError(f"parts.{name}={place}: data={painter.origin.data} has no such part{did_you_mean(name, names)}")
        given_1P3[0, names.index(name)] = torch.tensor([*place, 1.0])
    if config["part_run"] is None:
        if not config["parts"]:
            raise UserError(
                "part_run=null: says that nothing completes the parts, and none is given; give parts={beak: [0.7, 0.4]}"
            )
        return lambda said, key_B: {"parts": given_1P3.expand(len(key_B), -1, -1)}
    generator, encoder = _generator(config, painter.origin)

    def complete(said: Sequence[str] | None, key_B: Tensor) -> dict[str, Tensor]:
        text_BT = torch.from_numpy(encoder.encode(list(said) if said is not None else [first] * len(key_B)))
        return {"parts": generator.complete(text_BT, given_1P3.expand(len(key_B), -1, -1), key_B).cpu()}

    return complete


def _generator(config: Config, drawing: Origin) -> tuple[PartGeneratorStage, TextEncoder]:
    """The part generator that part_run means, of the data set that `drawing` learnt from, and the encoder that it reads with."""
    reference, logs, data = config["part_run"], Path(config["paths"]["logs"]), drawing.data
    parts = [STAGE, data, "latest"] if reference == "latest" else reference.removeprefix("run://").split("/")
    way = f"train one: python src/train.py stage={STAGE} data={data}, or give all parts and part_run=null"
    if len(parts) != 3 or parts[:2] != [STAGE, data]:
        raise UserError(f"part_run={reference}: not a part generator's run; give latest or run://{STAGE}/{data}/<name or latest>")
    found = [run for run in runs(logs, parts[0], parts[1], "*" if parts[2] == "latest" else parts[2]) if run.done.exists()]
    newest = checkpoint.newest_whole(found[0].checkpoints) if found else None
    if newest is None:
        raise UserError(f"part_run={reference}: no finished part generator of data={data} under {logs}/{STAGE}; {way}")
    at, state = newest
    names, wanted = state["data"].get("part_names"), drawing.facts["part_names"]
    if names != wanted:
        raise UserError(f"part_run={reference}: {found[0].path} knows other parts than {drawing.source}; {way}")
    origin = Origin(state["config"], state["data"], None, state["images_seen"], ("live",), {}, str(at), state.get("text"))
    encoder = loading.checked_encoder(origin)
    stage = restore.stage(state).eval()
    assert isinstance(stage, PartGeneratorStage)
    print(f"parts completed by {at} ({origin.images_seen:,} images seen)", flush=True)
    return stage, encoder
