import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from stackgan.callbacks.guard import guard
from stackgan.callbacks.tensorboard_tracker import TensorBoardTracker
from stackgan.callbacks.tracker import Drawings, RunCard
from stackgan.core.errors import UserError


def card(folder: Path, images_seen: int, group: str | None = None, **config: Any) -> RunCard:
    return RunCard(folder, "abcd", "stage1", "toybirds", group, (), {"seed": 3, **config}, {"commit": "abc"}, images_seen, 4)


def run(folder: Path, rows: list[tuple[int, float]], begun: int = 0) -> None:
    tracker = TensorBoardTracker()
    tracker.check()
    tracker.begin(card(folder, begun))
    for seen, loss in rows:
        tracker.record(seen, {"generator/loss": loss})
    pictures = np.zeros((2, 8, 6, 3), np.uint8)
    pictures[1, :, :, 2] = 100
    tracker.pictures(rows[-1][0], "sheets/test", Drawings(pictures, ("a red bird", "a blue bird, it sings"), (0, 1)))
    tracker.finish({"score": 0.25}, done=True)


def read(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder / "tensorboard"), {"tensors": 0, "images": 0, "scalars": 0})
    found.Reload()
    return found


def points(found: EventAccumulator) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in found.Scalars("generator/loss")]


def test_scalars_over_images_seen(tmp_path: Path) -> None:
    run(tmp_path, [(4, 0.5), (8, 0.25), (12, math.nan)])
    found = points(read(tmp_path))
    assert found[:2] == [(4, 0.5), (8, 0.25)]
    assert found[2][0] == 12
    assert math.isnan(found[2][1])


def test_pictures_under_their_sentences(tmp_path: Path) -> None:
    run(tmp_path, [(4, 0.5)])
    found = read(tmp_path)
    assert found.Tags()["images"] == ["sheets/test/00 a red bird", "sheets/test/01 a blue bird, it sings"]
    for tag in found.Tags()["images"]:
        assert [(event.step, event.width, event.height) for event in found.Images(tag)] == [(4, 6, 8)]


def test_settings_and_results_as_text(tmp_path: Path) -> None:
    run(tmp_path, [(4, 0.5)])
    found = read(tmp_path)

    def text(name: str) -> Any:
        (event,) = found.Tensors(f"{name}/text_summary")
        return event.step, event.tensor_proto.string_val[0].decode()

    assert text("config") == (0, '    {\n      "seed": 3\n    }')
    assert text("provenance") == (0, '    {\n      "commit": "abc"\n    }')
    assert text("results") == (4, '    {\n      "score": 0.25,\n      "done": true\n    }')


def test_settings_and_sweep_as_hyperparameters(tmp_path: Path) -> None:
    tracker = TensorBoardTracker()
    settings = {
        "stage": {"_target_": "x", "text_twice": False, "images": None, "recipe": {"name": "modern", "beta1": 0.5}},
        "callbacks": {"a": 1},
    }
    tracker.begin(card(tmp_path, 0, "augmentation", **settings))
    tracker.finish({}, done=False)
    content = read(tmp_path).SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    found = HParamsPluginData.FromString(content).session_start_info.hparams
    texts = {name: value.string_value for name, value in found.items() if value.HasField("string_value")}
    numbers = {name: value.number_value for name, value in found.items() if value.HasField("number_value")}
    assert texts == {"sweep": "augmentation", "data": "toybirds", "stage.recipe.name": "modern"}
    assert numbers | {name: float(value.bool_value) for name, value in found.items() if value.HasField("bool_value")} == {
        "seed": 3, "stage.text_twice": 0, "stage.recipe.beta1": 0.5
    }  # fmt: skip


def test_a_resumed_run_forgets_what_lies_past_its_checkpoint(tmp_path: Path) -> None:
    run(tmp_path, [(4, 0.5), (8, 0.25), (12, 9.0), (16, 9.0)])
    run(tmp_path, [(12, 0.125)], begun=8)
    assert points(read(tmp_path)) == [(4, 0.5), (8, 0.25), (12, 0.125)]


def test_behind_the_guard(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    guarded = guard("tensorboard", TensorBoardTracker())
    guarded.begin(card(tmp_path, 0))
    guarded.record(4, {"generator/loss": 0.5})
    guarded.finish({}, done=False)
    assert points(read(tmp_path)) == [(4, 0.5)]
    assert "tracker tensorboard" not in capfd.readouterr().err


def test_a_missing_package_has_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"^logger=tensorboard: .*pip install .*'\.\[tensorboard\]'"):
        TensorBoardTracker().check()
