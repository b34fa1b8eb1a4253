"""Finding runs again: done ones first, the newest of them before the others."""

import os
from pathlib import Path

import pytest

from stackgan.runs.folder import RunFolder
from stackgan.runs.ledger import runs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three done runs in an order that neither names nor making give away, one unfinished, and things that are no runs."""
    for name, age in (("b", 30), ("c", 10), ("a", 20)):
        run = RunFolder(tmp_path / "stage1" / "toybirds" / name)
        run.begin({"name": name}, {})
        run.finish({"images_seen": 4})
        os.utime(run.done, (1_000_000 - age, 1_000_000 - age))
    RunFolder(tmp_path / "stage1" / "toybirds" / "unfinished").begin({}, {})
    (tmp_path / "stage1" / "toybirds" / "empty").mkdir()
    other = RunFolder(tmp_path / "stage2" / "oxford" / "z")
    other.begin({}, {})
    other.finish({"images_seen": 4})
    os.utime(other.done, (999_000, 999_000))
    return tmp_path


def names(found: list[RunFolder]) -> list[str]:
    return [run.path.name for run in found]


def test_order(root: Path) -> None:
    assert names(runs(root, "stage1")) == ["c", "a", "b", "unfinished"]
    assert names(runs(root)) == ["c", "a", "b", "z", "unfinished"]


def test_narrowing(root: Path) -> None:
    assert names(runs(root, data="oxford")) == ["z"]
    assert names(runs(root, "stage1", "toybirds", "a")) == ["a"]
    assert runs(root, "stage1", "oxford") == []
    assert runs(root / "nowhere") == []
