"""Who makes batches: this process on a CPU, others while a GPU trains, unless their shared memory is too small."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from stackgan.data.module import CaptionedPictures
from stackgan.data.workers import SHARED, loader_processes

Build = Callable[..., CaptionedPictures]
CPU, GPU = torch.device("cpu"), torch.device("cuda")
MEGABYTE = 2**20
Room = Callable[[int], None]


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    """room(free): every folder lies on a disk with so many bytes left."""

    def set_to(free: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(total=free, used=0, free=free))

    return set_to


def test_a_cpu_s_cores_are_for_training(room: Room, tmp_path: Path) -> None:
    room(10**12)
    assert loader_processes(CPU, 1, tmp_path) == 0


@pytest.mark.parametrize(("megabytes", "expected"), [(7, 2), (8, 0)])
def test_a_container_s_64_megabytes(megabytes: int, expected: int, room: Room, tmp_path: Path) -> None:
    """Two processes with two batches each: four batches, and room for as many again."""
    room(64 * MEGABYTE)
    assert loader_processes(GPU, megabytes * MEGABYTE, tmp_path) == expected


def test_where_there_is_no_such_folder(room: Room, tmp_path: Path) -> None:
    room(0)
    assert loader_processes(GPU, MEGABYTE, tmp_path / "none") == 2


@pytest.mark.parametrize(("device", "asked", "expected"), [(GPU, None, 2), (CPU, None, 0), (GPU, 0, 0), (GPU, 1, 1)])
def test_the_loader_has_as_many(device: torch.device, asked: int | None, expected: int, room: Room, ready: Build) -> None:
    room(10**12)
    module = ready(workers=asked)
    strategy = SimpleNamespace(root_device=device)
    module.trainer = SimpleNamespace(world_size=1, global_rank=0, strategy=strategy)
    module.plan(0, 2)
    loader = module.train_dataloader()
    assert (loader.num_workers, loader.pin_memory) == (expected, device.type == "cuda")


@pytest.mark.parametrize(("mismatched", "pictures"), [("image", 16), ("sentence", 8), ("roll", 8), ("none", 8)])
def test_a_batch_s_bytes_are_its_pictures(mismatched: str, pictures: int, ready: Build) -> None:
    module = ready(mismatched=mismatched)
    assert module.draw.bytes == pictures * 3 * 64 * 64
    module.plan(0, 1)
    (batch,) = module.train_dataloader()
    other = batch.mismatched_BCHW.numel() if batch.mismatched_BCHW is not None else 0
    assert batch.real_BCHW.numel() + other == module.draw.bytes


def test_linux_hands_batches_on_by_that_folder() -> None:
    assert Path("/dev/shm") == SHARED
