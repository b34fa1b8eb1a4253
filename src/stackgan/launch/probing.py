"""What training costs on this machine: a few real steps, of which nothing is kept."""

import signal
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from stackgan.callbacks import speed
from stackgan.data.module import CaptionedPictures
from stackgan.devices.ranks import Place
from stackgan.launch import fitting
from stackgan.launch.layers import Layers
from stackgan.runs.stopping import Wishes
from stackgan.stage.base import Stage

STEPS, WARM_UP = 20, 4
"""Steps of a probe, and how many of them are not timed; the 16 others hold one of the lazy penalties, as in training."""

SECONDS = 60.0
"""After so many seconds a probe ends early; two steps are counted and one is timed however long they take."""

COUNTED = 2


@dataclass(frozen=True)
class Cost:
    """What a probe found.

    images_per_second: one device's. first_flops, flops: a picture's, forward and backward, in the first iteration, which has every
    lazy penalty, and in the second. memory: as speed.peak_memory(). checkpoint_bytes: of the tensors in a checkpoint.
    """

    steps: int
    timed: int
    images_per_second: float
    first_flops: float
    flops: float
    memory: Mapping[str, float]
    checkpoint_bytes: int


class Counter(FlopCounterMode):
    """PyTorch's count of a whole pass: 2 for each multiplication with its addition, in convolutions and matrix products alone.

    PyTorch's own also sorts by module, with hooks that refuse the gradient of a gradient (R1).
    """

    def __init__(self) -> None:
        super().__init__(display=False)
        self.mod_tracker: Any = _Whole()


class _Whole:
    parents = frozenset({"Global"})

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        return


class Probe(Callback):
    """Watches the steps. networks: whose layers are listed; head: what checkpoints hold beside the stage's state.

    wishes: signals that ask to stop after the step they fall into.
    """

    def __init__(self, networks: Mapping[str, nn.Module], head: Mapping[str, Any]) -> None:
        self.wishes = Wishes()
        self.layers = {name: Layers(network) for name, network in networks.items()}
        self.head = head
        self.flops: list[int] = []
        self.seconds: list[float] = []
        self.checkpoint_bytes = 0
        self._watching = ExitStack()
        self._counter = Counter()

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Start the clock."""
        self._last = time.perf_counter()

    def on_train_batch_start(self, trainer: Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Count in the first steps; look at layers in the very first."""
        if len(self.seconds) == 0:
            for layers in self.layers.values():
                self._watching.enter_context(layers)
        if len(self.seconds) < COUNTED:
            self._counter = self._watching.enter_context(Counter())

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """Take the time, and end early where steps are slow."""
        if len(self.seconds) < COUNTED:
            self._watching.close()
            self.flops.append(self._counter.get_total_flops())
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        self._last = now
        if self.wishes.caught or (len(self.seconds) > COUNTED and sum(self.seconds) > SECONDS):
            trainer.should_stop = True

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Weigh what a checkpoint would hold."""
        leaves = tree_leaves({**self.head, **pl_module.run_state()})
        self.checkpoint_bytes = sum(leaf.nbytes for leaf in leaves if isinstance(leaf, Tensor))

    def on_exception(self, trainer: Trainer, pl_module: Any, exception: BaseException) -> None:
        """Leave no counter behind."""
        self._watching.close()

    def cost(self, batch_size: int) -> Cost:
        """All together. batch_size: pictures a step."""
        timed = self.seconds[WARM_UP:] or self.seconds[COUNTED:]
        first, flops = (each / batch_size for each in self.flops)
        return Cost(
            len(self.seconds),
            len(timed),
            batch_size * len(timed) / sum(timed),
            first,
            flops,
            speed.peak_memory(),
            self.checkpoint_bytes,
        )


def probed(stage: Stage, data: CaptionedPictures, settings: Mapping[str, Any], probe: Probe) -> Cost:
    """Train the stage for STEPS iterations, or fewer where they are slow. settings: `trainer`'s, of one device.

    Raises SystemExit where a signal asked to stop.
    """
    stage.images_seen = 0
    data.plan(0, STEPS)
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with probe.wishes:
        fitting.new_trainer(settings, [probe], speed.DataWait(), Place(0, 1, 0)).fit(stage, datamodule=data)
    if caught := probe.wishes.caught:
        print(f"stopped by {signal.Signals(caught).name}", flush=True)
        sys.exit(128 + caught)
    return probe.cost(stage.batch_size)
