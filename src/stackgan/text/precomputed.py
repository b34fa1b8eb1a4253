"""Embeddings that were computed elsewhere: a file beside the data, such as the authors' char-CNN-RNN embeddings."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stackgan.core.errors import UserError
from stackgan.core.fingerprint import fingerprint
from stackgan.text.embedding_file import EmbeddingFile
from stackgan.text.encoder import Captioned, Embeddings, Progress, TextEncoder


class PrecomputedEncoder(TextEncoder):
    """Looks embeddings up by (picture, place of the caption); their scale stays what it is.

    file: an .npz with keys and embeddings (see EmbeddingFile); None: the data set's own embeddings.npz, as prepare.py makes it of
    the authors' pickles or of an exported set.
    """

    reads_new = False

    def __init__(self, *, name: str, file: str | None) -> None:
        self.name, self.file = name, file
        self._data: Captioned | None = None

    def attach(self, data: Captioned) -> None:
        """Whose captions the embeddings are of."""
        self._data = data

    @cached_property
    def source(self) -> EmbeddingFile:
        """The file. Raises UserError where there is none."""
        own = None if self.file is not None or self._data is None else self._data.embeddings()
        if self.file is None and own is None:
            lacks = f"data={self._data.name} brings no embeddings" if self._data else "there is no data set to bring embeddings"
            raise UserError(f"text.file=null: {lacks}; set text.file=<file>.npz, or text=minilm")
        path = own or Path(str(self.file))
        if not path.is_file():
            raise UserError(f"text.file={path}: no such file; set it to an .npz with keys and embeddings, or take text=minilm")
        return EmbeddingFile(path)

    @cached_property
    def dim(self) -> int:  # type: ignore[override]
        """Width of the embeddings in the file."""
        return self.source.shape[2]

    @cached_property
    def fingerprint(self) -> str:
        """Of the file's content."""
        return fingerprint({"encoder": "precomputed", "content": self.source.digest()})

    def check(self) -> None:
        """Raise UserError where the file cannot be used."""
        _ = self.source.keys

    def encode_records(
        self, keys: Sequence[str], captions: Sequence[Sequence[str]], out_NMT: NDArray[Any], progress: Progress | None = None
    ) -> dict[int, str]:
        """See TextEncoder. A picture is refused that the file lacks, or that it has another number of captions for."""
        row_of = {key: row for row, key in enumerate(keys)}
        bad = dict.fromkeys(row_of.values(), f"has no embeddings in {self.source.path.name}")
        for key, text_MT in self.source.rows():
            row = row_of.get(key)
            if row is None:
                continue
            count = len(captions[row])
            there = int(np.flatnonzero(np.any(text_MT != 0, axis=1)).max(initial=-1)) + 1
            if not np.isfinite(text_MT).all():
                bad[row] = "has embeddings that are not finite (NaN or infinity)"
            elif count > len(text_MT) or there > count:
                bad[row] = f"has {count} captions and {min(there, len(text_MT))} embeddings in {self.source.path.name}"
            else:
                del bad[row]
                out_NMT[row, :count] = text_MT[:count]
        if progress is not None:
            progress(len({caption for several in captions for caption in several}))
        return bad

    def encode(self, sentences: Sequence[str], progress: Progress | None = None) -> Embeddings:
        """(N, dim) float32 of sentences that the data set has. Raises UserError for others: there is nothing to read them with."""
        if self._data is None:
            raise UserError(
                "text=precomputed: what was trained on embeddings out of a file reads no sentence of yours; to draw some, train "
                "with text=hashing, text=minilm or another encoder that can"
            )
        places = self._places(set(sentences))
        if unknown := [sentence for sentence in sentences if sentence not in places]:
            raise UserError(
                f"text=precomputed: cannot read new sentences ('{unknown[0][:60]}'), only those of its data set; "
                "train with text=hashing, text=minilm or another encoder that can"
            )
        wanted = {key for key, _ in places.values()}
        found = {key: text_MT for key, text_MT in self.source.rows() if key in wanted}
        if progress is not None:
            progress(len(sentences))
        picked = [found[key][place] for key, place in (places[sentence] for sentence in sentences)]
        return np.array(picked, np.float32).reshape(len(sentences), self.dim)

    def _places(self, sentences: set[str]) -> Mapping[str, tuple[str, int]]:
        """Where each of these sentences is a caption: the first picture in the file, and the place among its captions."""
        captions = self._data.captions() if self._data is not None else {}
        there, (_, most, _) = set(self.source.keys), self.source.shape
        found: dict[str, tuple[str, int]] = {}
        for key, several in captions.items():
            for place, sentence in enumerate(several[:most] if key in there else ()):
                if sentence in sentences:
                    found.setdefault(sentence, (key, place))
        return found
