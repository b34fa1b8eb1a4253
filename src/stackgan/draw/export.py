"""mode=export: a generator as one safetensors file with its settings in the header. No pickle: reading it runs no code."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

import pydantic
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from stackgan.core import atomic
from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.core.shapes import Weights
from stackgan.draw.mode import Mode, Request
from stackgan.draw.painter import Origin, Painter

KEY: Final = "stackgan"
VERSION: Final = 1
PARTS = ("seed", "stage", "text", "data")
"""Of the settings, those that a picture depends on; where files lay on this machine is left out."""

PLACES = ("root", "cache")
Node = dict[str, Any]


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", strict=True)


class Facts(_Strict):
    """Fingerprints of what the generator was trained on."""

    text: str
    text_name: str
    text_dim: Annotated[Positive, pydantic.Field(le=1_000_000)]
    pictures: Any
    train_size: Positive
    part_names: list[str] | None = None


class Header(_Strict):
    """What the file says of itself.

    config: PARTS of the run's. first: config of the run that the stage stands on, and its `first`. encoder: what is told of a
    sentence encoder whose weights are in the file as `text.*`.
    """

    version: Literal[1]
    config: Node
    facts: Facts
    first: Node | None
    encoder: Node | None
    images_seen: Natural
    weights: Weights
    provenance: Node
    sha256: str


class Export(Mode):
    """generator.safetensors: the weights asked for (averaged ones by default), both stages of a Stage-II, the settings.

    `stackgan.load` and `run=` take it. A sentence encoder that was trained here (text=char_cnn_rnn) is in it; others are named.
    """

    name: ClassVar[str] = "export"
    least_sentences: ClassVar[int] = 0

    def draw(self, painter: Painter, request: Request, folder: Path) -> None:
        """generator.safetensors."""
        write(folder / "generator.safetensors", painter.origin, painter.sampler.state_dict(), request.weights)


def write(path: Path, origin: Origin, state: Mapping[str, Tensor], wanted: Weights) -> None:
    """Write the generator of a stage's state, whole or not at all."""
    weights = origin.weights(wanted)
    prefix = "average." if weights == "average" and any(name.startswith("average.") for name in state) else "generator."
    taken = {f"generator.{name}": value for name, value in _below(state, prefix).items()}
    # What a stage has beside its generator, such as a style encoder.
    taken |= {name: value for name, value in state.items() if not name.startswith(("generator.", "average."))}
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in sorted(taken.items())}
    told = None
    if origin.encoder is not None:
        told = {key: value for key, value in origin.encoder.items() if key != "weights"}
        tensors |= {f"text.{name}": value.contiguous() for name, value in origin.encoder["weights"].items()}
    header = Header(
        version=VERSION,
        config=_needed(origin.config),
        facts=Facts(**origin.facts),
        first=_first(origin.first),
        encoder=told,
        images_seen=origin.images_seen,
        weights=weights,
        provenance=dict(origin.provenance),
        sha256=_digest(tensors),
    )
    metadata = {"format": "pt", KEY: header.model_dump_json()}
    # save_file() would make a file that nobody else may read.
    atomic.write(path, lambda beside: beside.write_bytes(save(tensors, metadata)))


def read(path: Path) -> tuple[Origin, dict[str, Tensor]]:
    """What write() wrote. Raises UserError where it is damaged, of another version, or nothing of ours."""
    try:
        with safe_open(path, framework="pt") as file:
            said = (file.metadata() or {}).get(KEY)
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in sorted(file.keys())}
        if said is None:
            raise _refused(path, f"its header has no '{KEY}'")
        header = _header(path, said)
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise _refused(path, f"cannot be read ({type(error).__name__})") from error
    if _digest(tensors) != header.sha256:
        raise _refused(path, "its weights are not those that were written")
    facts = header.facts.model_dump()
    encoder = None if header.encoder is None else {**header.encoder, "weights": _below(tensors, "text.")}
    origin = Origin(
        header.config, facts, header.first, header.images_seen, (header.weights,), header.provenance, str(path), encoder
    )
    return origin, {name: value for name, value in tensors.items() if not name.startswith("text.")}


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _header(path: Path, said: str) -> Header:
    plain = json.loads(said)
    version = plain.get("version") if isinstance(plain, dict) else None
    if version != VERSION:
        raise _refused(path, f"format version {version}, this program reads {VERSION}")
    try:
        return Header.model_validate_json(said)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise _refused(path, f"its header is not sound ({'.'.join(map(str, first['loc']))}: {first['msg']})") from error


def _refused(path: Path, why: str) -> UserError:
    return UserError(f"{path}: {why}; export the generator again: python src/sample.py mode=export run=<the run's folder>")


def _first(of: Mapping[str, Any] | None) -> Node | None:
    """What a stage stands on, and what that stands on in turn."""
    if of is None:
        return None
    under = _first(of.get("first"))
    return {"config": _needed(of["config"])} | ({"first": under} if under else {})


def _needed(config: Mapping[str, Any]) -> Any:
    kept = {name: config[name] for name in PARTS}
    return {**kept, "data": {key: value for key, value in kept["data"].items() if key not in PLACES}}


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """Of names, types, shapes and bytes: safetensors has no checksum of its own."""
    found = hashlib.sha256()
    for name, value in sorted(tensors.items()):
        found.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        found.update(value.contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
