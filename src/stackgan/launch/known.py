"""What is known of a run once its data are read: facts that its checkpoints keep."""

from collections.abc import Mapping
from typing import Any

from stackgan.data.module import CaptionedPictures
from stackgan.launch import build
from stackgan.metric.image_encoder import PretrainedImageEncoder

Config = Mapping[str, Any]


def of_text(data: CaptionedPictures) -> dict[str, Any]:
    """Of the sentence encoder alone."""
    return {"text": data.text.fingerprint, "text_name": data.text.name, "text_dim": data.text_dim}


def facts(config: Config, data: CaptionedPictures, start: PretrainedImageEncoder | None) -> dict[str, Any]:
    """Fingerprints of data, encoders and first weights, and the sizes that networks follow. start: see build.start."""
    found = {**of_text(data), "pictures": data.fingerprint, "train_size": data.train_size}
    if data.image_encoder is not None:
        found |= {"features": data.image_encoder.fingerprint, "feature_dim": data.image_encoder.dim}
    if data.classes is not None:
        found["classes"] = {str(class_id): name for class_id, name in data.class_names.items()}
    if "parts" in build.stage_class(config).requires:
        found["part_names"] = list(data.source.part_names)
    if start is not None:
        found["start"] = start.weights_hash
    return found
