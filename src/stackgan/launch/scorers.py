"""R-precision's scorer from `scorer=`: both maps of a run of stage=text_encoder. The only place that resolves `scorer`."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.core.shapes import ImageEncoder
from stackgan.launch import encoders, restore
from stackgan.launch.objects import build
from stackgan.metric.joint_scorer import JointScorer
from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder
from stackgan.runs.ledger import runs
from stackgan.stage.text_encoder import TextEncoderStage
from stackgan.text.char_cnn_rnn import CharCnnRnnEncoder
from stackgan.text.encoder import TextEncoder

Config = Mapping[str, Any]
STAGE = "text_encoder"
OURS = "stackgan.metric."
AGAIN = "bring that back, or train it again"
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def scorer(config: Config, data_name: str, text: str) -> JointScorer:
    """The scorer for this data set, which must not read with the encoder that the generator learnt from.

    config: `scorer`, a reference or None for latest (the newest that will do), and `paths.logs`. text: fingerprint of the
    generator's encoder, "" where it is not known. Raises UserError.
    """
    reference, logs = config["scorer"], Path(config["paths"]["logs"])
    refused: UserError | None = None
    for run in _runs(reference, data_name, logs):
        try:
            return _built(run, reference, data_name, text)
        except UserError as error:
            refused = refused or error
    if refused is not None:
        raise refused
    where = logs / STAGE / data_name
    raise UserError(f"scorer={_shown(reference)}: no finished run of a text encoder under {where}; train one: {_train(data_name)}")


def _runs(reference: str | None, data_name: str, logs: Path) -> Iterator[RunFolder]:
    """Those that the reference may mean, the best guess first."""
    parts = [STAGE, data_name, "latest"] if reference is None else reference.removeprefix("run://").split("/")
    sound = len(parts) == 3 and parts[0] == STAGE and all(_PART.fullmatch(part) for part in parts)
    if not sound or (reference is not None and not reference.startswith("run://")):
        raise UserError(
            f"scorer={reference}: not a text encoder's run; give run://{STAGE}/<data>/<name|latest>, or null to look for one"
        )
    if parts[1] != data_name:
        way = f"give run://{STAGE}/{data_name}/latest, or train one: {_train(data_name)}"
        raise UserError(f"scorer={reference}: it learnt from data={parts[1]}, but pictures of data={data_name} are scored; {way}")
    for run in runs(logs, STAGE, data_name, "*" if parts[2] == "latest" else parts[2]):
        if run.done.exists():
            yield run


def _built(run: RunFolder, reference: str | None, data_name: str, text: str) -> JointScorer:
    newest = checkpoint.newest_whole(run.checkpoints)
    if newest is None:
        raise UserError(f"scorer={_shown(reference)}: {run.path} holds no checkpoint; train it again")
    state = newest[1]
    try:
        stage, sentences, images = _parts(state)
        read_with = _fingerprints(state, stage, sentences)
    except UserError:
        raise
    except Exception as error:
        what = str(error).splitlines()[0][:120] if str(error) else ""
        raise UserError(f"{run.path}: this version cannot rebuild its text encoder ({type(error).__name__}: {what})") from error
    if text in read_with:
        other = " stage/encoder=linear text=hashing" if sentences.gives == "characters" else ""
        way = f"name another run, or train one: {_train(data_name)}{other}"
        raise UserError(f"scorer={_shown(reference)}: {run.path} reads with the encoder that the generator learnt from; {way}")
    for what, wanted, here in (
        ("text", state["data"]["text"], sentences.fingerprint),
        ("image", state["data"]["features"], images.fingerprint),
    ):
        if wanted != here:
            raise UserError(
                f"scorer={_shown(reference)}: {run.path} learnt with the {what} encoder {wanted}, here it is {here}; {AGAIN}"
            )

    def read(given: Sequence[str]) -> Tensor:
        return stage.embed_text(torch.from_numpy(sentences.encode(given)))

    reader = state["config"]["stage"]["encoder"]["name"] if sentences.gives == "characters" else sentences.name
    name = f"{reader}-{data_name}"
    return JointScorer(name, images, stage.image_map, read, _content(state), _told(run, state))


def _parts(state: Config) -> tuple[TextEncoderStage, TextEncoder, ImageEncoder]:
    stage = restore.stage(state)
    assert isinstance(stage, TextEncoderStage)
    node = state["config"]["stage"]["image_encoder"]
    if not str(node["_target_"]).startswith(OURS):
        raise ValueError(f"its image encoder is {node['_target_']}")
    images: ImageEncoder = build(node, "stage.image_encoder")
    images.check()
    sentences = encoders.text_encoder(state["config"], from_checkpoint=True)
    sentences.check()
    return stage.eval(), sentences, images


def _fingerprints(state: Config, stage: TextEncoderStage, sentences: TextEncoder) -> set[str]:
    """Of the encoders that a generator may have learnt from and that this scorer reads with."""
    if sentences.gives != "characters":
        return {sentences.fingerprint}
    # As text=char_cnn_rnn names this run.
    encoder = CharCnnRnnEncoder(name="char_cnn_rnn", run="", trained=encoders.trained(state), network=stage.text)
    return {encoder.fingerprint}


def _content(state: Config) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(state["weights"].items()):
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return fingerprint({"weights": digest.hexdigest(), "text": state["data"]["text"]})


def _told(run: RunFolder, state: Config) -> dict[str, Any]:
    results = state["callbacks"].get("Keeper", {}).get("results", {})
    accuracy = {name: value for name, value in results.items() if name.startswith("zero_shot/")}
    text, images = state["config"]["text"]["name"], state["config"]["stage"]["image_encoder"]["name"]
    facts = {"run": str(run.path), "text": text, "image_encoder": images, "data": state["data"]["pictures"]}
    return {**facts, "images_seen": state["images_seen"], **accuracy}


def _train(data_name: str) -> str:
    return f"python src/train.py stage={STAGE} data={data_name}"


def _shown(reference: str | None) -> str:
    return "null" if reference is None else reference
