"""text=precomputed with a data set around it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_sets import write_folder, write_vectors

from stackgan.data.folder import FolderData, read_folder
from stackgan.data.records import DataProblems
from stackgan.text.precomputed import PrecomputedEncoder

Build = Callable[..., FolderData]


@pytest.fixture
def own(tmp_path: Path, settings: dict[str, Any]) -> Build:
    """own(**changed): a folder of 14 pictures with its own embeddings."""
    root = tmp_path / "own"
    write_folder(root, 14)
    write_vectors(root / "embeddings.npz", read_folder(root).records)

    def make(**changed: Any) -> FolderData:
        text = PrecomputedEncoder(name="precomputed", file=None)
        return FolderData(**{**settings, "name": "folder", "root": str(root), "text": text, "batch_size": 4, **changed})

    return make


def test_they_are_cached_and_served(own: Build, tmp_path: Path) -> None:
    module = own(captions_averaged=1)
    module.prepare_data()
    module.setup()
    assert module.text_dim == 6
    with np.load(tmp_path / "own" / "embeddings.npz") as file:
        np.testing.assert_array_equal(module.arrays.text_NMT, file["embeddings"])
    examples = module.examples("train", 5)
    np.testing.assert_array_equal(module.text.encode(examples.sentences), examples.text_NT.numpy())


def test_not_finite_is_a_problem_or_skipped(own: Build, tmp_path: Path) -> None:
    path = tmp_path / "own" / "embeddings.npz"
    with np.load(path) as file:
        keys, embeddings = file["keys"], file["embeddings"]
    embeddings[3] = np.nan
    np.savez(path, keys=keys, embeddings=embeddings)
    with pytest.raises(DataProblems, match=r"1 problem: .*not finite \(NaN or infinity\).*on_problem=skip"):
        own().prepare_data()
    module = own(on_problem="skip")
    module.prepare_data()
    module.setup()
    assert [record.key for record in module.records if record.split == "skipped"] == [str(keys[3])]
    assert np.isfinite(module.arrays.text_NMT).all()
