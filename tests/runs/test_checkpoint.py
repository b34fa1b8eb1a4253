"""Checkpoint files: plain data, whole or not there, nothing in them run."""

import os
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from stackgan.core.errors import UserError
from stackgan.runs import checkpoint
from stackgan.runs.checkpoint import load, newest, newest_whole, on_cpu, save, set_aside

HEAD = {"format": checkpoint.FORMAT, "config": {"seed": 0}}


def test_newest_is_the_most_images_seen(tmp_path: Path) -> None:
    assert newest(tmp_path) is None
    assert newest(tmp_path / "nowhere") is None
    for name in ("seen-000000900.pt", "seen-000001000.pt", "seen-1000000000.pt", ".seen-000009000.pt.1.part", "seen-latest.pt"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "seen-000000900.pt")
    found = newest(tmp_path)
    assert found is not None
    assert found.name == "seen-1000000000.pt"


class Bomb:
    """Pickled code."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "it ran"
    torch.save(HEAD | {"weights": Bomb(trap)}, tmp_path / "zip.pt")
    (tmp_path / "bare.pt").write_bytes(pickle.dumps(Bomb(trap), protocol=2))
    for name in ("zip.pt", "bare.pt"):
        with pytest.raises(UserError, match=re.escape(name)):
            load(tmp_path / name)
    assert not trap.exists()
    pickle.loads((tmp_path / "bare.pt").read_bytes())
    assert trap.exists()  # the trap itself works


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 cut off"])
def test_garbage_is_refused_with_a_way_out(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "seen-000000004.pt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"cannot be read.*delete it to go on from the one before") as caught:
        load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("value", [{"weights": {}}, {"format": checkpoint.FORMAT + 1}, [1, 2], torch.zeros(2)])
def test_foreign_files_are_refused(tmp_path: Path, value: Any) -> None:
    torch.save(value, tmp_path / "seen-000000004.pt")
    with pytest.raises(UserError, match=f"not a checkpoint of this version \\(format {checkpoint.FORMAT}\\)"):
        load(tmp_path / "seen-000000004.pt")


def test_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load(tmp_path / "seen-000000004.pt")


def filled(folder: Path, *seen: int) -> list[Path]:
    paths = [folder / f"seen-{images:09d}.pt" for images in seen]
    for images, path in zip(seen, paths, strict=True):
        save(path, HEAD | {"images_seen": images, "weights": {"w": torch.arange(1000.0)}})
    return paths


def test_saves_views_and_graphs_as_plain_tensors(tmp_path: Path) -> None:
    weight = torch.ones(3, requires_grad=True)
    save(tmp_path / "seen-000000004.pt", on_cpu(HEAD | {"weights": {"w": weight * 2}}))
    found = torch.load(tmp_path / "seen-000000004.pt")["weights"]["w"]
    assert found.tolist() == [2.0, 2.0, 2.0]
    assert not found.requires_grad


def test_the_newest_whole_one_is_found_behind_damaged_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert newest_whole(tmp_path) is None
    good, cut, flipped = filled(tmp_path, 8, 16, 24)
    cut.write_bytes(cut.read_bytes()[:-100])
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1  # one bit of the 4,000 bytes of weights, which torch.load alone would not notice
    flipped.write_bytes(content)
    assert torch.load(flipped)["images_seen"] == 24
    found = newest_whole(tmp_path)
    assert found is not None
    assert (found[0], found[1]["images_seen"]) == (good, 8)
    err = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1].split("/")[-1] for line in err] == ["seen-000000024.pt", "seen-000000016.pt"]
    set_aside(tmp_path, after=good)
    assert newest(tmp_path) == good
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "seen-000000008.pt",
        "seen-000000016.damaged",
        "seen-000000024.damaged",
    ]
    flipped.with_suffix(".damaged").rename(flipped)
    cut.with_suffix(".damaged").rename(cut)
    good.unlink()
    with pytest.raises(UserError, match=r"seen-000000016.pt: cannot be read"):
        newest_whole(tmp_path)


@pytest.mark.parametrize("error", [RuntimeError("disk full"), KeyboardInterrupt(), OSError("read-only")])
def test_a_failed_save_leaves_the_old_one_and_nothing_else(tmp_path: Path, error: BaseException, monkeypatch: Any) -> None:
    (path,) = filled(tmp_path, 4)
    before = path.read_bytes()

    def half(state: Any, path: Path) -> None:
        Path(path).write_bytes(b"half")
        raise error

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(type(error)):
        save(path, HEAD)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def syncing(handle: int) -> None:
        happened.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink().name}")
        fsync(handle)

    def renaming(path: Path, target: Path) -> Path:
        happened.append(f"rename {path.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", renaming)
    filled(tmp_path, 4)
    part = f".seen-000000004.pt.{os.getpid()}.part"
    assert happened == [f"sync {part}", f"rename {part}", f"sync {tmp_path.name}"]
