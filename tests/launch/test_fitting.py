"""What the launcher asks of Lightning, on machines that are not at hand here."""

from typing import Any

import pytest
from commands import Composed

from stackgan.callbacks.speed import DataWait
from stackgan.devices import machine
from stackgan.devices.ranks import Place
from stackgan.launch import fitting, schema


@pytest.mark.parametrize(("gpu", "world"), [(True, 1), (True, 2), (False, 1), (False, 2)])
def test_ranks_share_batch_norm_on_gpus_alone(gpu: bool, world: int, composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    class Recorder:
        """A Trainer that only remembers."""

        def __init__(self, **words: Any) -> None:
            asked.update(words)

    monkeypatch.setattr(fitting, "Trainer", Recorder)
    monkeypatch.setattr(fitting, "_silence", lambda owner, name: None)
    for name in ("_signal_connector", "fit_loop"):
        monkeypatch.setattr(Recorder, name, type("Inner", (), {"epoch_loop": None}), raising=False)
    monkeypatch.setattr(machine, "on_gpu", lambda settings: gpu)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation: True)
    settings = schema.check(composed(f"trainer.devices={world}"))["trainer"]
    place = Place(0, world, 1234)
    fitting.new_trainer(settings, [], DataWait(), place)
    assert asked["sync_batchnorm"] == (gpu and world == 2)
    assert (asked["accelerator"], asked["devices"]) == ("gpu" if gpu else "cpu", world)
    assert ("strategy" in asked) == (world == 2)
    if world == 2:
        assert asked["plugins"] == [place]
        assert asked["strategy"]._ddp_kwargs["find_unused_parameters"] is True
    if gpu:
        assert asked["precision"] == "bf16-mixed"


def test_a_method_of_lightnings_that_is_gone_is_noticed() -> None:
    with pytest.raises(AttributeError):
        fitting._silence(object(), "no_such_method")
