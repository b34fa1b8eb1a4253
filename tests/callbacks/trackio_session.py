"""One run tracked by Trackio, as a program of its own: python trackio_session.py FOLDER STORE FIRST LAST [killed]. Batches of 4.

Trackio takes one place a program; and here every connection is an error that is told.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any

from wandb_session import BATCH, drawings

from stackgan.callbacks.guard import guard
from stackgan.callbacks.tracker import RunCard
from stackgan.callbacks.trackio_tracker import TrackioTracker


def refuse(_: socket.socket, address: Any) -> None:
    print(f"connection to {address}", flush=True)
    raise OSError("no network here")


def main(folder: Path, store: str, first: int, last: int, *more: str) -> None:
    config = {"seed": 3, "stage": {"name": "stage1", "images": None, "splits": ["a", "b"]}}
    card = RunCard(
        folder,
        folder.name,
        "stage1",
        "toybirds",
        "augmentation",
        ("toybirds", "light"),
        config,
        {"commit": "abc"},
        first * BATCH,
        BATCH,
    )
    tracker = guard("trackio", TrackioTracker(project="stackgan", folder=store))
    tracker.begin(card)
    for iteration in range(first, last):
        seen = (iteration + 1) * BATCH
        tracker.record(seen, {"generator/loss": float("nan") if iteration == 4 else 1 / (iteration + 1)})
        if iteration in (first, last - 1):
            tracker.pictures(seen, "sheets/test", drawings(seen))
    results = {} if "killed" in more else {"agreement/test/normalised": 0.25, "health": ["fine"]}
    tracker.finish(results, done="killed" not in more)


if __name__ == "__main__":
    socket.socket.connect = refuse  # type: ignore[method-assign, assignment]
    os.environ["HF_TOKEN"], os.environ["TRACKIO_SPACE_ID"] = "hf_none", "somebody/somewhere"
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:])
