from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from stackgan.callbacks.metrics_file import MetricsFile, MetricsWriter


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


def writer_run(file: MetricsFile, every: int, rows: list[dict[str, float]]) -> list[dict[str, str]]:
    writer = MetricsWriter(file, every)
    stage = SimpleNamespace(images_seen=0, iteration=0, terms={})
    trainer: Any = SimpleNamespace(optimizers=[_rate(0.1), _rate(0.2)], is_global_zero=True)
    writer.on_train_start(trainer, stage)
    for row in rows:
        stage.terms = {name: torch.tensor(value) for name, value in row.items()}
        stage.images_seen += 4
        stage.iteration += 1
        writer.on_train_batch_end(trainer, stage)
    writer.on_train_end(trainer, stage)
    return file._read()


def _rate(lr: float) -> SimpleNamespace:
    return SimpleNamespace(param_groups=[{"lr": lr}])


def test_means_over_the_stretch_and_of_lazy_terms_over_where_they_occur(file: MetricsFile) -> None:
    rows = [{"d/real": 1.0, "d/r1": 8.0}, {"d/real": 2.0}, {"d/real": 6.0}, {"d/real": 5.0, "d/r1": 2.0}, {"d/real": 7.0}]
    found = writer_run(file, 3, rows)
    shown = [(row["images_seen"], float(row["d/real"]), float(row["d/r1"])) for row in found]
    assert shown == [("12", 3.0, 8.0), ("20", 6.0, 2.0)]
    assert {(row["generator_lr"], row["discriminator_lr"]) for row in found} == {("0.1", "0.2")}
    assert all(float(row["images_per_second"]) > 0 for row in found)


def test_no_short_stretch_is_written_where_none_is_left(file: MetricsFile) -> None:
    assert [row["images_seen"] for row in writer_run(file, 2, [{"d": 1.0}] * 4)] == ["8", "16"]
