"""Any sentence-transformers model as a text encoder."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stackgan.core.ranges import Positive
from stackgan.text.pretrained import PretrainedEncoder


class SentenceTransformerEncoder(PretrainedEncoder):
    """What the model's own modules make of a sentence (pooling, normalisation, ...); it is read as far as the model reads."""

    kind, package = "sentence_transformer", "sentence_transformers"

    def __init__(self, *, name: str, model: str, precision: Literal["float32", "bfloat16"]) -> None:
        super().__init__(name, model, precision)

    @property
    def dim(self) -> int:  # type: ignore[override]
        """Width of a sentence; only the loaded model knows it."""
        width: Positive | None = self.loaded.get_embedding_dimension()
        assert width is not None
        return width

    def load(self, folder: Path) -> Any:
        """See PretrainedEncoder."""
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            str(folder), device="cpu", local_files_only=True, trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )

    def embed(self, loaded: Any, sentences: list[str]) -> NDArray[np.float32]:
        """See PretrainedEncoder."""
        return np.asarray(loaded.encode(sentences, batch_size=len(sentences), show_progress_bar=False), np.float32)
