"""Whoever keeps track of a run beside its own folder: chosen by `logger=`, told on the first rank alone."""

import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from stackgan.callbacks.guard import Guarded, guard
from stackgan.callbacks.tracker import RunCard
from stackgan.launch import cli, objects
from stackgan.launch.fitting import Job

Config = Mapping[str, Any]


def checked(config: Config) -> list[Guarded]:
    """The trackers of `logger=`. Raises UserError, before anything is touched, for one that cannot work as it is set."""
    trackers = [guard(name, objects.build(node, f"logger.{name}")) for name, node in config["logger"].items()]
    for tracker in trackers:
        tracker.check()
    return trackers


class Trackers:
    """All of them, from the beginning of a run to its end. results: set once the run is done, to be told."""

    def __init__(self, trackers: Sequence[Guarded], job: Job, images_seen: int) -> None:
        self.all = trackers
        self.job, self.images_seen = job, images_seen
        self.results: dict[str, Any] | None = None

    def __enter__(self) -> "Trackers":
        card = self._card() if self.all else None
        for tracker in self.all:
            assert card is not None
            tracker.begin(card)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # Together: the end of a run waits for the slowest of them, not for one after the other.
        ends = [
            threading.Thread(target=tracker.finish, args=(self.results or {}, self.results is not None)) for tracker in self.all
        ]
        for end in ends:
            end.start()
        for end in ends:
            end.join()

    def _card(self) -> RunCard:
        config, folder = self.job.config, Path(self.job.folder)
        stage, data, recipe = config["stage"]["name"], config["data"]["name"], config["stage"]["recipe"]
        networks = [config["stage"][part]["name"] for part in ("network", "encoder", "classifier") if part in config["stage"]]
        return RunCard(
            folder=folder,
            name=folder.name,
            stage=stage,
            data=data,
            group=config["sweep"]["name"] if cli.multirun() else None,
            tags=(stage, data, *networks, recipe["name"], config["text"]["name"]),
            config=config,
            provenance=json.loads((folder / "provenance.json").read_text()),
            images_seen=self.images_seen,
            batch_size=recipe["batch_size"],
        )
