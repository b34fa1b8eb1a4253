"""Drawing on first use. Nine pictures are drawn once for the whole file."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from stackgan import toybirds
from stackgan.core.errors import UserError
from stackgan.data.toybirds import ToyBirdsData

TRAIN, TEST = 32, 12


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("drawn")
    toybirds.write(root / toybirds.fingerprint(TRAIN, TEST, 0), TRAIN, TEST, 0, workers=1)
    return root


def module(settings: dict[str, Any], root: Path, **changed: Any) -> ToyBirdsData:
    return ToyBirdsData(**{**settings, "root": str(root), "train": TRAIN, "test": TEST, "draw_seed": 0, **changed})


def test_splits(settings: dict[str, Any], drawn: Path) -> None:
    birds = module(settings, drawn)
    birds.prepare_data()
    birds.setup()
    counts = {split: len(birds.examples(split, 99).key_N) for split in ("train", "held_out", "test")}
    assert counts == {"train": 32, "held_out": 6, "test": 6}
    assert birds.train_size == TRAIN
    classes = {split: {r.class_id for r in birds.records if r.split == split} for split in counts}
    assert classes["held_out"] <= classes["train"]
    assert not classes["test"] & classes["train"]
    assert birds.records[0].parts is not None


def test_validation_takes_the_held_out_pictures_of_its_classes_along(settings: dict[str, Any], drawn: Path) -> None:
    birds = module(settings, drawn, validate=True, validation_classes=27)
    kept = {r.class_id for r in birds.records if r.split == "validation"}
    assert len(kept) == 27
    assert not kept & {r.class_id for r in birds.records if r.split in ("train", "held_out", "test")}


def test_drawn_once_and_sets_lie_beside_each_other(
    settings: dict[str, Any], drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, ...]] = []

    def write(folder: Path, *order: int, workers: int, progress: Any) -> None:
        calls.append(order)
        progress(order[0] + order[1], order[0] + order[1])
        shutil.copytree(next(path for path in drawn.iterdir() if path.is_dir()), folder)

    monkeypatch.setattr(toybirds, "write", write)
    for seed in (0, 1, 0):
        module(settings, tmp_path / "birds", draw_seed=seed).prepare_data()
    assert calls == [(TRAIN, TEST, 0), (TRAIN, TEST, 1)]


def test_a_damaged_set_says_how_to_get_it_anew(settings: dict[str, Any], drawn: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(drawn, tmp_path / "birds"))
    for path in root.glob("*/CUB_200_2011/images/001.*/*"):
        path.unlink()
    with pytest.raises(UserError, match=r"picture is missing.*Remove this folder: toybirds are drawn anew"):
        module(settings, root).prepare_data()


def test_impossible_orders_and_places(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^data.train, data.test: .*toybirds draws"):
        module(settings, tmp_path / "birds", train=10**9).prepare_data()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"^data.root=.*cannot be drawn there"):
        module(settings, tmp_path / "file" / "birds").prepare_data()


def test_drawing_in_earnest(settings: dict[str, Any], tmp_path: Path) -> None:
    birds = module(settings, tmp_path / "birds", train=8, test=2)
    birds.prepare_data()
    assert birds.train_size == 8
    assert sorted(path.suffix for path in (tmp_path / "birds").iterdir()) == ["", ".lock"]
