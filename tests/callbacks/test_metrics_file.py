import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from commands import SRC

from stackgan.callbacks.metrics_file import MetricsFile, MetricsWriter
from stackgan.callbacks.speed import DataWait


@pytest.fixture
def file(tmp_path: Path) -> MetricsFile:
    return MetricsFile(tmp_path / "metrics.csv")


def test_a_new_name_adds_a_column_and_old_rows_stay(file: MetricsFile) -> None:
    file.record(4, {"loss": 1.5})
    file.record(8, {"score": 0.25})
    file.record(12, {"loss": 0.5, "score": 1.0})
    assert file.path.read_text().splitlines() == ["images_seen,loss,score", "4,1.5,", "8,,0.25", "12,0.5,1.0"]


def test_rows_past_a_checkpoint_are_cut_and_columns_kept(file: MetricsFile) -> None:
    for seen in (4, 8, 12):
        file.record(seen, {"loss": seen / 4})
    again = MetricsFile(file.path)
    again.cut(8)
    again.record(12, {"loss": 9.0})
    assert file.path.read_text().splitlines() == ["images_seen,loss", "4,1.0", "8,2.0", "12,9.0"]


def test_cutting_a_file_that_is_not_there_makes_none(file: MetricsFile) -> None:
    file.cut(8)
    assert not file.path.exists()


def test_half_a_row_is_dropped_and_the_next_stands_alone(file: MetricsFile) -> None:
    for seen in (640, 1280):
        file.record(seen, {"loss": 0.5})
    whole = file.path.read_bytes()
    for kept in range(whole.index(b"1280"), len(whole)):  # killed after each byte of the last row
        file.path.write_bytes(whole[:kept])
        again = MetricsFile(file.path)
        again.cut(1280)
        assert file.path.read_text().splitlines() == ["images_seen,loss", "640,0.5"]
        again.record(1280, {"loss": 0.5})
        assert file.path.read_bytes() == whole


def test_rows_wait_while_nothing_can_be_written(
    file: MetricsFile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.record(4, {"loss": 1.0})

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        file.record(8, {"loss": 2.0})
        file.record(12, {"score": 3.0})
    assert len(file.path.read_text().splitlines()) == 2
    err = capsys.readouterr().err.splitlines()
    assert err == [
        f"warning: {file.path}: cannot be written (No space left on device); training goes on, and tries again with the next row"
    ]
    file.record(16, {"loss": 4.0})
    assert file.path.read_text().splitlines() == ["images_seen,loss,score", "4,1.0,", "8,2.0,", "12,,3.0", "16,4.0,"]


def test_half_a_row_on_a_full_disk_is_taken_back(file: MetricsFile) -> None:
    """In a process of its own, which may write no file longer than 55 bytes."""
    file.record(4, {"loss": 1.0})
    code = f"""
import resource, sys
from pathlib import Path
from stackgan.callbacks.metrics_file import MetricsFile
resource.setrlimit(resource.RLIMIT_FSIZE, (55, resource.RLIM_INFINITY))
file = MetricsFile(Path({str(file.path)!r}))
file.cut(4)
for seen in range(8, 60, 4):
    file.record(seen, {{"loss": 123.456}})
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(file.path.read_text().count("\\n"))
file.record(60, {{"loss": 1.0}})
"""
    environment = {**os.environ, "PYTHONPATH": str(SRC), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert int(ended.stdout) == 4  # the header, the first row, and the two that fit
    assert ended.stderr.count("cannot be written (File too large)") == 1
    rows = file.path.read_text().splitlines()[1:]
    assert rows == ["4,1.0", *(f"{seen},123.456" for seen in range(8, 60, 4)), "60,1.0"]


def test_rows_that_are_not_whole_are_dropped(file: MetricsFile) -> None:
    file.path.write_text("images_seen,loss,score\n4,1.0,2.0\n8,1.0,2.0,9.0\n12,1.0\n16,3.0,\n")
    file.cut(100)
    assert file.path.read_text().splitlines() == ["images_seen,loss,score", "4,1.0,2.0", "16,3.0,"]


def test_terms_of_a_checkpoint_join_those_of_the_device() -> None:
    """Those of a checkpoint lie on the CPU; the meta device stands for a GPU."""
    writer = MetricsWriter(lambda *_: None, 10, DataWait())
    stage = SimpleNamespace(images_seen=0, iteration=1, terms={"d": torch.ones((), device="meta")})
    writer.on_train_start(SimpleNamespace(world_size=1), stage)  # type: ignore[arg-type]
    writer.load_state_dict({"terms": {"d": torch.ones(3)}})
    writer.on_train_batch_end(SimpleNamespace(world_size=1), stage)  # type: ignore[arg-type]
    joined = writer.state_dict()["terms"]["d"]
    assert (joined.device.type, joined.shape) == ("meta", (4,))


def writer_run(file: MetricsFile, every: int, rows: list[dict[str, float]], stop: int | None = None) -> list[dict[str, str]]:
    """Train for these rows of terms; stop: cut after that many, then go on from the state in another writer."""
    waited, stage = DataWait(), SimpleNamespace(images_seen=0, iteration=0, terms={})
    writer = MetricsWriter(file.record, every, waited)
    trainer: Any = SimpleNamespace(optimizers=[_rate(0.1), _rate(0.2)], is_global_zero=True, is_last_batch=False, world_size=1)
    writer.on_train_start(trainer, stage)
    for row in rows:
        stage.terms = {name: torch.tensor(value) for name, value in row.items()}
        stage.images_seen += 4
        stage.iteration += 1
        trainer.is_last_batch = stage.iteration == len(rows)
        writer.on_train_batch_end(trainer, stage)
        if stage.iteration == stop:
            kept = writer.state_dict()
            writer.on_train_end(trainer, stage)
            writer = MetricsWriter(file.record, every, waited)
            writer.on_train_start(trainer, stage)
            writer.load_state_dict(kept)
    writer.on_train_end(trainer, stage)
    return file._read()


def _rate(lr: float) -> SimpleNamespace:
    return SimpleNamespace(param_groups=[{"lr": lr}])


ROWS = [{"d/real": 1.0, "d/r1": 8.0}, {"d/real": 2.0}, {"d/real": 6.0}, {"d/real": 5.0, "d/r1": 2.0}, {"d/real": 7.0}]


@pytest.mark.parametrize("stop", [None, 1, 2, 3, 4])
def test_means_over_the_stretch_and_of_lazy_terms_over_where_they_occur(file: MetricsFile, stop: int | None) -> None:
    """Also where the run was stopped between two rows and went on."""
    found = writer_run(file, 3, ROWS, stop)
    shown = [(row["images_seen"], float(row["d/real"]), float(row["d/r1"])) for row in found]
    assert shown == [("12", 3.0, 8.0), ("20", 6.0, 2.0)]
    assert {(row["generator_lr"], row["discriminator_lr"]) for row in found} == {("0.1", "0.2")}
    assert all(float(row["images_per_second"]) > 0 for row in found)
    assert all(float(row["peak_memory_gib"]) > 0.01 for row in found)


def test_no_short_stretch_is_written_where_none_is_left(file: MetricsFile) -> None:
    assert [row["images_seen"] for row in writer_run(file, 2, [{"d": 1.0}] * 4)] == ["8", "16"]
