"""What does W&B cost where its host cannot be reached? Images a second with the tracker and without, a stretch each in turn.

`python benchmarks/tracking.py --pairs 7`: the Trainer of throughput.py's light/stage1, with a row every fifth iteration
and pictures once a stretch, many times as often as in a real run. The key is a dummy, the host a closed port of this machine.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch import Callback, Trainer
from throughput import intervals, job_of, now, timed

from stackgan.callbacks.guard import guard
from stackgan.callbacks.tracker import Drawings, RunCard, Tracker
from stackgan.callbacks.wandb_tracker import WandbTracker
from stackgan.devices.ranks import Place
from stackgan.launch import fitting

PICTURES = np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), np.uint8)
DRAWINGS = Drawings(
    PICTURES, ("a small red bird with white wings",) * len(PICTURES), tuple(range(len(PICTURES))), {"real": PICTURES}
)


class Switched(Callback):
    """Hands rows on to the tracker in every second stretch, and keeps the seconds of each."""

    def __init__(self, tracker: Tracker, iterations: int) -> None:
        self.tracker, self.iterations, self.on = tracker, iterations, False
        self.seconds: dict[bool, list[float]] = {True: [], False: []}
        self._begun: float | None = None

    def record(self, images_seen: int, values: Mapping[str, float]) -> None:
        """As a tracker."""
        if self.on:
            self.tracker.record(images_seen, values)

    def pictures(self, *words: Any) -> None:
        """The callbacks' pictures have no part in this."""

    def on_train_batch_end(self, trainer: Trainer, pl_module: Any, *_: Any) -> None:
        """At the end of a stretch the switch is turned; the first stretch only warms up."""
        if pl_module.iteration % self.iterations:
            return
        if self._begun is not None:
            self.seconds[self.on].append(now() - self._begun)
            self.on = not self.on
        self._begun = now()
        if self.on:
            self.tracker.pictures(pl_module.images_seen, "drawn", DRAWINGS)


def main() -> None:
    """Print the ratio of speeds, pair by pair."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--pairs", type=int, default=7)
    words.add_argument("--seconds", type=float, default=15.0, help="length of a stretch")
    given = words.parse_args()
    os.environ |= {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "0" * 40}
    with tempfile.TemporaryDirectory() as folder:
        job, data = job_of("light/stage1", folder)
        intervals(job.config)
        job.config["trainer"]["log_every"] = 5
        tracker = guard("wandb", WandbTracker(project="stackgan", entity=None, mode="auto", tags=[], finish_seconds=8.0))
        batch = job.config["stage"]["recipe"]["batch_size"]
        tracker.begin(RunCard(Path(job.folder), "run", "stage1", "toybirds", None, (), job.config, {}, 0, batch))
        ratios = measured(job, data, tracker, given.pairs, given.seconds)
        ending = timed(tracker.finish, {}, True)
    shown = " ".join(f"{ratio:.3f}" for ratio in ratios)
    print(f"speed with the tracker / without: {shown}; median {statistics.median(ratios):.3f}; finish {ending:.1f} s")


def measured(job: fitting.Job, data: Any, tracker: Tracker, pairs: int, seconds: float) -> Sequence[float]:
    """Speed with the tracker over speed without, for each pair of stretches."""
    iterations = max(1, round(seconds / 0.15))
    switched = Switched(tracker, iterations)
    budget = (2 * pairs + 1) * iterations * job.config["stage"]["recipe"]["batch_size"]
    told: Any = switched
    fitting.fit(fitting.Job(**{**job.plain(), "budget": budget}), data, Place(0, 1, 0), [told], [switched])
    return [without / having for having, without in zip(switched.seconds[True], switched.seconds[False], strict=True)]


if __name__ == "__main__":
    main()
