"""The trained character CNN-RNN as a text encoder: what `stage=text_encoder` leaves behind."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from stackgan.core.fingerprint import fingerprint, weights_digest
from stackgan.text.characters import LENGTH, places
from stackgan.text.encoder import Embeddings, Progress, TextEncoder

BATCH = 128


class CharCnnRnnEncoder(TextEncoder):
    """Embeddings by a trained network.

    run: where the network came from, in words. network: as it was trained, still without weights. trained: out of the run's
    checkpoint, {"network": its settings, "weights": state dict, "lower_case": how it was trained to read, "scale": what brings
    entries to a mean square of 1, ...}.
    """

    def __init__(self, *, name: str, run: str, trained: Mapping[str, Any], network: nn.Module) -> None:
        self.name, self.run, self.trained = name, run, trained
        network.load_state_dict(trained["weights"])
        self.network = network.eval().requires_grad_(False)
        self.dim = int(trained["network"]["dim"])

    @cached_property
    def fingerprint(self) -> str:
        """Of settings and weights; where they lie does not matter."""
        told = {key: value for key, value in self.trained.items() if key != "weights"}
        return fingerprint({"encoder": "char_cnn_rnn", "weights": weights_digest(self.trained["weights"]), **told})

    def carried(self) -> Mapping[str, Any]:
        """The network itself, so that what was trained on its embeddings reads new sentences without this run's folder."""
        return self.trained

    def encode(self, sentences: Sequence[str], progress: Progress | None = None) -> Embeddings:
        """(N, dim) float32. A sentence is read up to its 201st character."""
        out = np.empty((len(sentences), self.dim), np.float32)
        read_NL = torch.from_numpy(places(sentences, self.trained["lower_case"]).reshape(-1, LENGTH))
        for start in range(0, len(sentences), BATCH):
            with torch.inference_mode():
                out[start : start + BATCH] = self.network(read_NL[start : start + BATCH]).numpy() * self.trained["scale"]
            if progress is not None:
                progress(len(read_NL[start : start + BATCH]))
        return out
