"""Out with `datasets` and in again to the same bytes; and whatever else `datasets` opens."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from PIL import Image
from tiny_sets import picture, write_cub

from stackgan.core.errors import UserError
from stackgan.data.cub import CubData
from stackgan.data.export import export
from stackgan.data.hf import HfData
from stackgan.data.module import CaptionedPictures
from stackgan.text.precomputed import PrecomputedEncoder

Make = Callable[..., HfData]
GUESS = dict.fromkeys(("subset", "revision", "image_column", "caption_column", "class_column"))


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


@pytest.fixture
def cub(tmp_path: Path, settings: dict[str, Any]) -> CubData:
    write_cub(tmp_path / "cub")
    return ready(CubData(**{**settings, "name": "cub", "root": str(tmp_path / "cub"), "region": "box", "batch_size": 4}))


@pytest.fixture
def hf(settings: dict[str, Any]) -> Make:
    """hf(root, **changed)"""
    return lambda root, **changed: HfData(**{**settings, **GUESS, "name": "hf", "root": str(root), "batch_size": 2, **changed})


def ready(module: Any) -> Any:
    module.prepare_data()
    module.setup()
    return module


def content(module: CaptionedPictures) -> list[Any]:
    return [
        module.cache.pictures(76).read_bytes(),
        module.cache.text(module.text).read_bytes(),
        np.load(module.cache.frames).tolist(),
    ]


def test_out_and_in_again_to_the_same_bytes(cub: CubData, hf: Make, tmp_path: Path) -> None:
    export(cub, tmp_path / "out")
    again = ready(hf(tmp_path / "out", region="box", text=PrecomputedEncoder(name="precomputed", file=None)))
    assert content(again) == content(cub)
    for one, other in zip(cub.source.records, again.source.records, strict=True):
        assert one.image.read_bytes() == other.image.read_bytes()
        kept = ("key", "captions", "class_id", "class_name", "split", "box", "parts")
        assert [getattr(one, name) for name in kept] == [getattr(other, name) for name in kept]
    assert (again.source.part_names, again.source.split_note) == (cub.source.part_names, cub.source.split_note)
    cub.plan(0, 3)
    again.draw = cub.draw
    again.plan(0, 3)
    for one, other in zip(cub.train_dataloader(), again.train_dataloader(), strict=True):
        assert np.array_equal(one.real_BCHW, other.real_BCHW)
        assert np.array_equal(one.extras["parts"], other.extras["parts"])


def test_others_read_it_with_plain_datasets(cub: CubData, tmp_path: Path) -> None:
    export(cub, tmp_path / "out")
    found = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "hf"))
    assert {split: len(rows) for split, rows in found.items()} == {"test": 4, "train": 8}
    row = found["train"][0]
    record = next(record for record in cub.source.records if record.split == "train")
    assert isinstance(row["image"], Image.Image)
    assert (row["key"], row["captions"], row["box"]) == (record.key, list(record.captions), list(record.box or ()))
    np.testing.assert_array_equal(np.float32(row["embeddings"]), cub.text.encode(record.captions))


def test_nothing_is_overwritten_and_nothing_left_half(cub: CubData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(UserError, match=r"^export=.*exists already"):
        export(cub, tmp_path / "out")
    monkeypatch.setattr(Path, "read_bytes", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(cub, tmp_path / "new")
    assert not [path for path in tmp_path.iterdir() if "new" in path.name]


def rows(count: int = 12) -> dict[str, list[Any]]:
    return {"image": [picture(i) for i in range(count)], "text": [f"a dog {i}\n{i} kites" for i in range(count)]}


def test_a_saved_data_set(hf: Make, tmp_path: Path) -> None:
    features = datasets.Features(
        {"image": datasets.Image(), "text": datasets.Value("string"), "label": datasets.ClassLabel(names=["ant", "bee"])}
    )
    data = datasets.Dataset.from_dict(rows() | {"label": [i % 2 for i in range(12)]}, features=features)
    datasets.DatasetDict({"train": data, "validation": data.select([0, 1])}).save_to_disk(str(tmp_path / "saved"))
    module = ready(hf(tmp_path / "saved"))
    records = module.source.records
    assert [record.split for record in records] == ["train"] * 12 + ["validation"] * 2
    assert records[1].captions == ("a dog 1", "1 kites")
    assert {record.class_name for record in records} == {"ant", "bee"}
    np.testing.assert_array_equal(np.asarray(Image.open(records[3].image)), np.asarray(picture(3)))


def test_one_split_is_split_by_name(hf: Make, tmp_path: Path) -> None:
    data = datasets.Dataset.from_dict(rows(30)).cast_column("image", datasets.Image())
    data.to_parquet(str(tmp_path / "x.parquet"))
    module = hf(tmp_path / "x.parquet")
    module.bring()
    assert {record.split for record in module.source.records} == {"train", "test"}
    assert "fixed tenth" in module.source.split_note


def test_an_image_folder(hf: Make, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    with (tmp_path / "own" / "metadata.jsonl").open("w") as file:
        for i in range(12):
            picture(i).save(tmp_path / "own" / f"{i}.png")
            file.write(json.dumps({"file_name": f"{i}.png", "text": f"a dog {i}"}) + "\n")
    module = ready(hf(tmp_path / "own"))
    assert sorted(record.captions for record in module.source.records)[0] == ("a dog 0",)
    assert all(
        record.image.read_bytes() in {path.read_bytes() for path in (tmp_path / "own").glob("*.png")} for record in module.records
    )


def test_columns_are_named_or_guessed(hf: Make, tmp_path: Path) -> None:
    data = datasets.Dataset.from_dict({"photo": rows()["image"], "said": rows()["text"]}).cast_column("photo", datasets.Image())
    data.to_parquet(str(tmp_path / "x.parquet"))
    with pytest.raises(UserError, match=r"^data\.caption_column=null: no column of data\.root=.*; there are photo, said"):
        hf(tmp_path / "x.parquet").bring()
    with pytest.raises(UserError, match=r"^data\.caption_column=sad: .*no such column; there are photo, said"):
        hf(tmp_path / "x.parquet", caption_column="sad").bring()
    module = hf(tmp_path / "x.parquet", caption_column="said")
    module.bring()
    assert len(module.source.records) == 12


@pytest.mark.parametrize(("name", "entry"), [("sentences", [{"raw": "a dog"}]), ("sentence", {"raw": "a dog"}), ("text", 7)])
def test_what_is_no_sentence_is_not_trained_on(hf: Make, tmp_path: Path, name: str, entry: Any) -> None:
    data = datasets.Dataset.from_dict({"image": rows(3)["image"], name: [entry] * 3}).cast_column("image", datasets.Image())
    data.to_parquet(str(tmp_path / "x.parquet"))
    with pytest.raises(UserError, match=rf"^data\.caption_column={name}: holds a (dict|int) .*there are image, {name}$"):
        hf(tmp_path / "x.parquet").bring()
    assert not list((tmp_path / "cache").rglob("captions.jsonl"))


def test_nothing_said_is_no_caption(hf: Make, tmp_path: Path) -> None:
    data = datasets.Dataset.from_dict({"image": rows(3)["image"], "text": ["a dog", None, "two\nkites"]})
    data.cast_column("image", datasets.Image()).to_parquet(str(tmp_path / "x.parquet"))
    module = hf(tmp_path / "x.parquet", on_problem="skip")
    module.bring()
    assert [record.captions for record in module.source.records] == [("a dog",), ("two", "kites")]


def test_it_is_converted_once(hf: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = datasets.Dataset.from_dict(rows()).cast_column("image", datasets.Image())
    data.to_parquet(str(tmp_path / "x.parquet"))
    hf(tmp_path / "x.parquet").bring()
    monkeypatch.setattr("stackgan.data.hf.opened", lambda *_: pytest.fail("opened again"))
    hf(tmp_path / "x.parquet").bring()


def test_a_row_cannot_name_another_file_of_the_machine(hf: Make, tmp_path: Path) -> None:
    picture(0).save(tmp_path / "secret.png")
    data = datasets.Dataset.from_dict({"image": [{"bytes": None, "path": str(tmp_path / "secret.png")}], "text": ["x"]})
    (tmp_path / "own").mkdir()
    data.to_parquet(str(tmp_path / "own" / "x.parquet"))
    module = hf(tmp_path / "own")
    with pytest.raises(UserError):
        module.prepare_data()
    assert not list((tmp_path / "cache").rglob("*.png"))


def test_what_cannot_be_opened_is_one_line(hf: Make, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    for root in (tmp_path / "x.parquet", tmp_path / "x.txt", "nobody/nothing-at-all"):
        with pytest.raises(UserError, match=r"^data\.root=.*cannot be opened") as caught:
            hf(root).bring()
        assert "\n" not in str(caught.value)
    assert not list((tmp_path / "cache").rglob("captions.jsonl"))
