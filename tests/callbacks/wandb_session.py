"""One tracked run, as a program of its own: python wandb_session.py FOLDER MODE FIRST LAST [freeze] [begun]. Batches of 4.

freeze: wandb's process is stopped before the end. begun: no row before the tracker has begun, as in a long run.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from stackgan.callbacks.guard import guard
from stackgan.callbacks.tracker import Drawings, RunCard
from stackgan.callbacks.wandb_tracker import WandbTracker

BATCH = 4


def pictures(images_seen: int) -> "np.ndarray":  # type: ignore[type-arg]
    """Two pictures (2, 8, 6, 3) whose pixels say where they come from."""
    made = np.zeros((2, 8, 6, 3), np.uint8)
    made[0, :, :, 0], made[1, :, :, 2], made[:, 0, 0, 1] = 200, 100, images_seen % 256
    return made


def drawings(images_seen: int) -> Drawings:
    """Those two, with the noise's keys and pictures of half the size to see them beside."""
    made = pictures(images_seen)
    return Drawings(made, ("a red bird", "a blue bird, it sings"), (7, 2**40), {"real": made[:, ::2, ::2] // 2})


def main(folder: Path, mode: str, first: int, last: int, *more: str) -> None:
    config, provenance = {"seed": 3, "stage": {"name": "stage1", "images": None}}, {"commit": "abc", "threads": 2}
    card = RunCard(
        folder, folder.name, "stage1", "toybirds", "augmentation", ("toybirds", "light"), config, provenance, first * BATCH, BATCH
    )
    tracker = guard("wandb", WandbTracker(project="stackgan", entity=None, mode=mode, tags=["mine"], finish_seconds=8.0))  # type: ignore[arg-type]
    tracker.begin(card)
    while "begun" in more and not tracker._begun:
        time.sleep(0.01)
    worst = 0.0
    for iteration in range(first, last):
        seen = (iteration + 1) * BATCH
        then = time.perf_counter()
        tracker.record(seen, {"generator/loss": 1 / (iteration + 1), "discriminator/real": 0.5})
        worst = max(worst, time.perf_counter() - then)
        if iteration in (first, last - 1):
            tracker.pictures(seen, "sheets/test", drawings(seen))
        time.sleep(0.005)
    if "freeze" in more:
        freeze()
    then = time.perf_counter()
    tracker.finish({"images_seen": last * BATCH, "agreement/test/normalised": 0.25}, done=True)
    print(f"worst {worst:.6f} finish {time.perf_counter() - then:.6f}")


def freeze() -> None:
    """Stop wandb's own process, as a full disk might."""
    deadline = time.monotonic() + 60
    while not (cores := _cores()) and time.monotonic() < deadline:
        time.sleep(0.1)  # on a busy machine it takes its time to appear
    time.sleep(3)
    assert cores, "wandb began no process of its own"
    for core in cores:
        os.kill(core, signal.SIGSTOP)


def _cores() -> list[int]:
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "wandb-core" in line]


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
