"""What encoders from other people's folders share: local files first, safetensors only, no code from the Hub."""

import hashlib
import importlib.util
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.text.encoder import Embeddings, Progress, TextEncoder

BATCH = 128
WANTED = ["*.json", "*.txt", "*.model", "*.safetensors"]
"""What is fetched of a Hub repository: no pickles, no code."""


class PretrainedEncoder(TextEncoder):
    """An encoder whose network lies in a folder, or under a name on the Hugging Face Hub.

    model: the folder, or the name; what was fetched before is used without asking the network. precision: float32 is the reference;
    bfloat16 is faster where the processor has it. Embeddings are brought to the length sqrt(dim). Raises UserError where the model
    cannot be had, has no safetensors, or wants code of its own run.
    """

    kind: str
    package: str

    def __init__(self, name: str, model: str, precision: Literal["float32", "bfloat16"]) -> None:
        self.name, self.model, self.precision = name, model, precision

    @abstractmethod
    def load(self, folder: Path) -> Any:
        """The network with what reads text for it."""

    @abstractmethod
    def embed(self, loaded: Any, sentences: list[str]) -> NDArray[np.float32]:
        """(B, dim) float32, of any length."""

    @cached_property
    def folder(self) -> Path:
        """Where the model's files are."""
        if importlib.util.find_spec(self.package) is None:
            install = "pip install --constraint constraints.txt --editable '.[text]' in the project's folder"
            raise UserError(f"text={self.kind}: needs the package {self.package.replace('_', '-')}: {install}")
        found = Path(self.model) if Path(self.model).is_dir() else _from_hub(self.model)
        if not list(found.glob("*.safetensors")):
            raise UserError(
                f"text.model={self.model}: {found} holds no .safetensors file; convert the model's weights, or name another"
            )
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Of the content of all files that make the model, and the precision; where they lie does not matter."""
        digest = hashlib.sha256()
        for path in sorted(path for pattern in WANTED for path in self.folder.rglob(pattern)):
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.relative_to(self.folder)} {content}\n".encode())
        return fingerprint({"encoder": self.kind, "files": digest.hexdigest(), "precision": self.precision})

    def check(self) -> None:
        """Raise UserError where the package or the model is missing."""
        _ = self.folder

    @cached_property
    def loaded(self) -> Any:
        """See load()."""
        folder = self.folder
        try:
            return self.load(folder)
        except Exception as error:
            why = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
            raise UserError(f"text.model={self.model}: not a model that text={self.kind} can read ({why})") from error

    def encode(self, sentences: Sequence[str], progress: Progress | None = None) -> Embeddings:
        """(N, dim) float32, each of length sqrt(dim). Sorted by length inside, so that little is spent on padding."""
        import torch

        out = np.zeros((len(sentences), self.dim), np.float32)
        # The sentence breaks ties: what shares a batch, and so the last bit, depends on the set of sentences alone.
        order = sorted(range(len(sentences)), key=lambda i: (len(sentences[i]), sentences[i]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            half = self.precision == "bfloat16"
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                found = self.embed(self.loaded, [sentences[i] for i in rows])
            length = np.linalg.norm(found, axis=1, keepdims=True)
            out[rows] = found * (self.dim**0.5 / np.maximum(length, 1e-12))
            if progress is not None:
                progress(len(rows))
        return out


def _from_hub(model: str) -> Path:
    """What lies in the Hub's cache on this machine, else what the network gives."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, allow_patterns=WANTED, local_files_only=True))
    except Exception:
        pass
    try:
        return Path(snapshot_download(model, allow_patterns=WANTED))
    except Exception as error:
        raise UserError(
            f"text.model={model}: no such folder here, and the Hub does not give it ({type(error).__name__}); "
            "give a folder with config.json, the tokenizer and model.safetensors"
        ) from error
