"""The cache: complete or absent, nothing done twice."""

import json
import shutil
import threading
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from stackgan.core.errors import UserError
from stackgan.data import fill
from stackgan.data.cache import Cache
from stackgan.data.module import CaptionedPictures
from stackgan.data.records import DataProblems
from stackgan.text.hashing import HashingEncoder

Build = Callable[..., CaptionedPictures]


def files(module: CaptionedPictures) -> set[str]:
    return {str(p.relative_to(module.cache.folder)) for p in module.cache.folder.rglob("*") if p.is_file()} - {".lock"}


def count_calls(monkeypatch: pytest.MonkeyPatch, name: str) -> list[Any]:
    calls: list[Any] = []
    real = getattr(fill, name)
    monkeypatch.setattr(fill, name, lambda *args: calls.append(args) or real(*args))
    return calls


def test_content(build: Build) -> None:
    module = build(first_resolution=128)
    module.prepare_data()
    text = f"text/{module.text.fingerprint}.npy"
    assert files(module) == {"whole_76.npy", "whole_152.npy", "whole_76.alike.npy", "whole_152.alike.npy", "records.json", text}
    pictures = np.load(module.cache.pictures(76), mmap_mode="r")
    assert (pictures.shape, pictures.dtype) == ((30, 76, 76, 3), np.uint8)
    np.testing.assert_array_equal(pictures[4], fill.squares(module.records[4].image, (76,), False)[0])
    embeddings = np.load(module.cache.text(module.text))
    assert (embeddings.shape, embeddings.dtype) == ((30, 4, 16), np.float32)
    np.testing.assert_array_equal(embeddings[3], module.text.encode(module.records[3].captions))
    assert embeddings[6, 1].any()
    assert not embeddings[6, 2:].any()  # the picture with two captions
    rows = json.loads((module.cache.folder / "records.json").read_text())["records"]
    assert rows[0]["key"] == "image_00001"


def test_ready_caches_are_left_alone(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    build().prepare_data()
    monkeypatch.setattr(Cache, "locked", lambda self: pytest.fail("nothing is missing"))
    build(seed=5, batch_size=4, validate=True).prepare_data()


def test_a_new_encoder_never_decodes_and_a_new_size_never_encodes(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    build().prepare_data()
    decoded, encoded = count_calls(monkeypatch, "squares"), count_calls(monkeypatch, "write_text")
    build(text=HashingEncoder(name="hashing", dim=24, window=1)).prepare_data()
    assert (len(decoded), len(encoded)) == (0, 1)
    build(resolution=128).prepare_data()
    assert (len(decoded), len(encoded)) == (30, 1)
    assert {call[1] for call in decoded} == {(152,)}


def test_each_sentence_is_encoded_once(build: Build) -> None:
    class Counting(HashingEncoder):
        def encode(self, sentences: Any, progress: Any = None) -> Any:
            assert len(set(sentences)) == len(sentences) == 30 * 4 - 2
            return super().encode(sentences, progress)

    build(text=Counting(name="hashing", dim=8, window=1)).prepare_data()


def test_an_encoder_that_cannot_work_is_noticed_before_decoding(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing(HashingEncoder):
        def check(self) -> None:
            raise UserError("text=missing: not installed")

    decoded = count_calls(monkeypatch, "squares")
    with pytest.raises(UserError, match="text=missing"):
        build(text=Missing(name="missing", dim=8, window=1)).prepare_data()
    assert not decoded


def test_broken_pictures_are_all_found_and_nothing_is_kept(build: Build, flowers: Path) -> None:
    (flowers / "jpg" / "image_00003.jpg").write_bytes(b"")
    whole = (flowers / "jpg" / "image_00009.jpg").read_bytes()
    (flowers / "jpg" / "image_00009.jpg").write_bytes(whole[: len(whole) // 2])
    module = build(first_resolution=128, prepare_workers=2)
    with pytest.raises(DataProblems, match=r"2 problems: jpg/image_00003\.jpg: not a whole picture .*Fetch") as caught:
        module.prepare_data()
    assert [problem.path.name for problem in caught.value.problems] == ["image_00003.jpg", "image_00009.jpg"]
    assert files(module) == {"records.json"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_cut_in_the_middle_leaves_nothing_half(build: Build, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    real = fill.squares

    def squares(path: Path, *rest: Any) -> Any:
        if path.name == "image_00020.jpg":
            raise error
        return real(path, *rest)

    monkeypatch.setattr(fill, "squares", squares)
    module = build()
    with pytest.raises(error):
        module.prepare_data()
    assert files(module) == {"records.json"}
    monkeypatch.setattr(fill, "squares", real)
    module.prepare_data()
    assert len(files(module)) == 4


def test_what_a_killed_process_left_is_removed(build: Build) -> None:
    module = build()
    folder = module.cache.folder
    (folder / "text").mkdir(parents=True)
    for name in ("whole_76.npy.part", "text/abc.npy.part", ".records.json.99.part"):
        (folder / name).write_bytes(b"half")
    module.prepare_data()
    assert not [name for name in files(module) if name.endswith(".part")]


def test_a_second_process_waits_and_then_has_nothing_to_do(
    build: Build, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = build(), build()
    decoded = count_calls(monkeypatch, "squares")
    (first.cache.folder / "text").mkdir(parents=True)
    with FileLock(first.cache.folder / ".lock"):
        waiting = threading.Thread(target=second.prepare_data)
        waiting.start()
        waiting.join(timeout=0.3)
        assert waiting.is_alive()
        fill.write_pictures(first.cache, Path(first.root), first.records, [76], False, 1)
    waiting.join(timeout=20)
    assert len(decoded) == 30
    assert "another process prepares oxford; waiting" in capsys.readouterr().err


def test_a_full_disk_is_noticed_before_writing(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(9, 9, 1000))
    with pytest.raises(UserError, match=r"^data\.cache=.*whole_76\.npy needs 0\.0 GB, 0\.0 GB are free; set paths\.cache"):
        build().prepare_data()


@pytest.mark.parametrize(("short", "enough"), [(1, False), (0, True)])
def test_sizes_that_are_filled_together_need_room_together(
    build: Build, monkeypatch: pytest.MonkeyPatch, short: int, enough: bool
) -> None:
    usage, need = namedtuple("usage", "total used free"), 30 * 3 * (76 * 76 + 152 * 152)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(9, 9, need - short))
    module = build(first_resolution=128)
    if enough:
        module.prepare_data()
    else:
        with pytest.raises(UserError, match=r"whole_76\.npy and whole_152\.npy needs"):
            module.prepare_data()
        assert files(module) == {"records.json"}


def test_a_cache_that_cannot_be_written(build: Build, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"^data\.cache=.*set paths\.cache to a folder you can write"):
        build(cache=str(tmp_path / "file")).prepare_data()


def test_a_missing_root_writes_nothing(build: Build, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        build(root=str(tmp_path / "nowhere")).prepare_data()
    assert not (tmp_path / "cache").exists()


def test_the_fingerprint_follows_the_content(build: Build, flowers: Path) -> None:
    def names() -> list[str]:
        return [build(**changed).cache.folder.name for changed in ({}, {"contrast_stretch": True})]

    seen = names()
    (flowers / "text_c10" / "class_00006" / "image_00006.txt").write_text("another sentence")
    seen += names()
    (flowers / "jpg" / "image_00006.jpg").write_bytes((flowers / "jpg" / "image_00007.jpg").read_bytes())
    seen += names()
    (flowers / "trainvalclasses.txt").write_text("1\n2\n3\n4\n5")
    (flowers / "testclasses.txt").write_text("6")
    seen += names()
    assert len(set(seen)) == 8
    same = [build(**changed).cache.folder.name for changed in ({"seed": 3}, {"resolution": 256}, {"validate": True})]
    assert set(same) == {seen[6]}
