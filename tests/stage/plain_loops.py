"""What the tests that train by hand, in plain torch, share: a loop's small parts, float64, and comparing. Imported by them."""

from dataclasses import replace
from typing import TypeVar

import torch
from tiny_stages import BATCH, SEED
from torch import Tensor, nn
from torch.nn import functional as F

from stackgan.core import chance
from stackgan.core.shapes import Batch
from stackgan.stage.conditional import Conditional

S = TypeVar("S", bound=Conditional)


def floats(x: Tensor) -> Tensor:
    """uint8 to [-1, 1]; x * (2 / 255) - 1 and not x / 127.5 - 1, whose last bit differs."""
    return (x.to(torch.float32) * (2 / 255) - 1).double().contiguous(memory_format=torch.channels_last)


def toggle(net: nn.Module, on: bool) -> None:
    net.requires_grad_(on)


def down(adam: torch.optim.Optimizer, loss: Tensor) -> None:
    adam.zero_grad()
    loss.backward()
    adam.step()


def should_be(target: int, logit: Tensor) -> Tensor:
    """-log D(x) for 1, -log(1 - D(x)) for 0; D is the sigmoid of the logit."""
    return F.softplus(-logit if target else logit).mean()


def moved(x: Tensor, stream: str, i: int) -> Tensor:
    """Every picture shifted by up to an eighth of its side, grey coming in."""
    reach = x.shape[-1] // 8
    u = torch.rand(BATCH, 2, generator=chance.generator(SEED, f"{stream}/translation", i))
    out = []
    shifts = (torch.floor(u * (2 * reach + 1)) - reach).int().tolist()
    for picture, (down_, right) in zip(x, shifts[: len(x)], strict=True):
        padded = F.pad(picture, (reach,) * 4)
        out.append(padded[:, reach - down_ :, reach - right :][:, : x.shape[2], : x.shape[3]])
    return torch.stack(out).contiguous(memory_format=torch.channels_last)


def exact(stage: S) -> S:
    """In float64, and with weights of full strength: at 0.02 the gradients of so narrow a G are near Adam's 1e-8."""
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(1)
        for weight in stage.parameters():
            if weight.dim() > 1:
                nn.init.kaiming_normal_(weight)
    if stage.average is not None:
        stage.average.load_state_dict(stage.generator.state_dict())
    prepared = stage._prepared
    stage._prepared = lambda x_BCHW: prepared(x_BCHW).double()  # type: ignore[method-assign]
    return stage.double()


def doubled(batch: Batch) -> Batch:
    """Sentences in float64, as the networks are."""
    other = batch.mismatched_text_BT
    return replace(batch, text_BT=batch.text_BT.double(), mismatched_text_BT=None if other is None else other.double())


def mean_of(average: nn.Module, live: nn.Module, i: int) -> None:
    decay = min(0.999, (1 + i) / (10 + i))
    for kept, weight in zip(average.parameters(), live.parameters(), strict=True):
        kept.data = decay * kept.data + (1 - decay) * weight.data
    for kept, buffer in zip(average.buffers(), live.buffers(), strict=True):
        kept.data = buffer.data.clone()


def agree(ours: nn.Module, theirs: nn.Module, before: nn.Module, what: str) -> int:
    """Equal states, to a hundred-thousandth of what training moved each tensor by; returns how many tensors moved."""
    count, old, wanted = 0, before.state_dict(), theirs.state_dict()
    for name, found in ours.state_dict().items():
        value, target, start = found.double(), wanted[name].double(), old[name].double()
        off, moved_by = (value - target).abs(), (target - start).norm()
        count += bool((value != start).any())
        assert off.max() <= 1e-9, f"{what} {name}: off by {off.max():.1e}"
        assert off.norm() <= 1e-5 * moved_by + 1e-9, f"{what} {name}: off by {off.norm():.1e} where {moved_by:.1e} was moved"
    return count
