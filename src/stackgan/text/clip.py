"""CLIP's text tower as a text encoder (Radford et al. 2021)."""

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stackgan.core.errors import UserError
from stackgan.text.pretrained import PretrainedEncoder


class CLIPEncoder(PretrainedEncoder):
    """The projected embedding of the sentence, of which CLIP reads 77 tokens; the rest is cut off."""

    kind, package = "clip", "transformers"

    def __init__(self, *, name: str, model: str, precision: Literal["float32", "bfloat16"]) -> None:
        super().__init__(name, model, precision)

    @property
    def dim(self) -> int:  # type: ignore[override]
        """Width of the space that CLIP's texts and pictures share."""
        try:
            return int(json.loads((self.folder / "config.json").read_text())["projection_dim"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"text.model={self.model}: no CLIP model (its config.json names no projection_dim)") from error

    def load(self, folder: Path) -> Any:
        """See PretrainedEncoder."""
        from transformers import AutoTokenizer, CLIPTextModelWithProjection

        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        own: dict[str, Any] = {"use_safetensors": True, "dtype": "float32", "projection_dim": self.dim}
        model: Any = CLIPTextModelWithProjection.from_pretrained(str(folder), **own, **local)
        return AutoTokenizer.from_pretrained(str(folder), **local), model.eval()

    def embed(self, loaded: Any, sentences: list[str]) -> NDArray[np.float32]:
        """See PretrainedEncoder."""
        tokenizer, model = loaded
        length = model.config.max_position_embeddings
        tokens = tokenizer(sentences, padding=True, truncation=True, max_length=length, return_tensors="pt")
        found = model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]).text_embeds
        return np.asarray(found.float().numpy(), np.float32)
