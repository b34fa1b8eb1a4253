"""On a real GPU: the host does not wait, and a step that must not be taken is still not taken."""

import pytest
import torch
from lightning.pytorch import Callback
from tiny_stages import batches, fit, tiny
from torch import Tensor

from stackgan.core.errors import UserError
from stackgan.core.shapes import Batch
from stackgan.stage import base
from stackgan.stage.stacked import Fakes
from stackgan.stage.stackgan import StackGAN

pytestmark = pytest.mark.gpu


def weights(stage: StackGAN, player: str) -> dict[str, Tensor]:
    return {name: value.cpu() for name, value in stage.state_dict().items() if name.startswith(f"{player}.")}


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("stage", ["stage1", "stage2"])
def test_the_first_iteration_is_the_cpu_s(stage: str) -> None:
    """Same draws, same sums: what both players minimise differs by rounding alone (TensorFloat-32 keeps ten bits)."""
    size = 64 if stage == "stage1" else 128
    here = fit(tiny(stage=stage), batches(1, size))
    there = fit(tiny(stage=stage), batches(1, size), accelerator="gpu")
    assert there.terms.keys() == here.terms.keys()
    for name, term in here.terms.items():
        assert there.terms[name].is_cuda
        assert float(there.terms[name]) == pytest.approx(float(term), rel=0.02, abs=0.005), name


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_a_step_that_is_not_finite_is_held_back_on_the_device(player: str) -> None:
    """The weights are bit for bit those before it, and the complaint comes when the host asks."""
    stage = tiny()
    terms = getattr(stage, f"{player}_terms")
    before: dict[str, dict[str, Tensor]] = {}

    def broken(batch: Batch, fakes: Fakes) -> dict[str, Tensor]:
        found = terms(batch, fakes)
        if stage.iteration != 1:
            return found
        before[player] = weights(stage, player)
        return {name: term * float("inf") for name, term in found.items()}

    setattr(stage, f"{player}_terms", broken)
    fit(stage, batches(2), accelerator="gpu")
    after = weights(stage, player)
    trained = {name for name, _ in stage.named_parameters()}
    assert equal({k: v for k, v in before[player].items() if k in trained}, {k: v for k, v in after.items() if k in trained})
    with pytest.raises(UserError, match=rf"stage1: the {player}'s term .* at iteration 1 \(4 images seen\)"):
        stage.check_finite()


def test_the_complaint_comes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "CHECK_EVERY", 2)
    broken = batches(5)
    broken[0].text_BT[0, 0] = float("nan")
    stage = tiny()
    with pytest.raises(UserError, match=r"discriminator's term .* at iteration 0"):
        fit(stage, broken, accelerator="gpu")
    assert stage.iteration == 2


def test_the_host_waits_for_the_device_in_no_iteration() -> None:
    """torch raises where anything in an iteration would make the host wait. The first ones may: cuDNN tries its ways."""
    stage, strict = tiny(), []

    class Watched(Callback):
        def on_train_batch_start(self, trainer: object, pl_module: object, batch: object, index: int) -> None:
            if index == 3:
                strict.append(index)
                torch.cuda.set_sync_debug_mode("error")

        def on_train_batch_end(self, *_: object) -> None:
            torch.cuda.set_sync_debug_mode("default")

    try:
        fit(stage, batches(5), Watched(), accelerator="gpu")
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert strict == [3]
    assert stage.iteration == 5
