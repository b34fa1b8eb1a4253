"""One run in several processes: this one is rank 0; the others are started here, told the job, and watched.

Lightning would start them by giving the whole command again, which in a multirun begins every job of it anew; these are told the
resolved settings of one job instead, and know nothing of Hydra.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from lightning.fabric.plugins import ClusterEnvironment
from torch import distributed

from stackgan.core.errors import RunError, UserError

SOURCE = str(Path(__file__).parents[2])
"""Where this package lies, for processes that are started here."""
GRACE = 10.0
"""Seconds that a rank gets to end by itself once another has died."""
FAREWELL = 60.0
"""Seconds that the other ranks get to end once rank 0 is through."""


class Place(ClusterEnvironment):
    """Where a process stands: its rank among world processes, that meet at an address and port.

    local, local_world: the same on this machine, where there are several.
    """

    def __init__(
        self, rank: int, world: int, port: int, address: str = "127.0.0.1", local: int | None = None, local_world: int | None = None
    ) -> None:
        super().__init__()
        self.rank, self.world, self.port, self.address = rank, world, port, address
        self.local = rank if local is None else local
        self.local_world = world if local_world is None else local_world

    @property
    def creates_processes_externally(self) -> bool:
        """They are started by us or by whoever gave the command, not by Lightning."""
        return True

    @property
    def main_address(self) -> str:
        """The first rank's machine."""
        return self.address

    @property
    def main_port(self) -> int:
        """Where the ranks meet."""
        return self.port

    @staticmethod
    def detect() -> bool:
        """Never by itself."""
        return False

    def world_size(self) -> int:
        """How many processes."""
        return self.world

    def set_world_size(self, size: int) -> None:
        """Known already."""

    def global_rank(self) -> int:
        """Which of them."""
        return self.rank

    def set_global_rank(self, rank: int) -> None:
        """Known already."""

    def local_rank(self) -> int:
        """Which of those on this machine."""
        return self.local

    def node_rank(self) -> int:
        """Which machine."""
        return self.rank // self.local_world


class Company:
    """The other ranks of a job, from `with` to the end of its block. The first to die ends all, and a RunError names it.

    job: plain data. command: starts a process that takes part in the job, which it reads from its standard input, a line of JSON
    with its rank, world and port added. Nothing is started where world is 1.
    """

    def __init__(self, job: Mapping[str, Any], world: int, command: Sequence[str]) -> None:
        self.job, self.command, self.place = job, command, Place(0, world, _free_port() if world > 1 else 0)
        self._others: list[_Other] = []
        self._leaving = threading.Event()

    def __enter__(self) -> Place:
        for rank in range(1, self.place.world):
            told = {**self.job, "rank": rank, "world": self.place.world, "port": self.place.port}
            self._others.append(_Other(rank, told, self.command))
        if self._others:
            threading.Thread(target=self._watch, daemon=True).start()
        return self.place

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._others:
            return
        self._leaving.set()
        dead = self._first_dead(wait=0.0 if error is None or isinstance(error, UserError | RunError | SystemExit) else 5.0)
        until = time.monotonic() + (FAREWELL if error is None else 0.0)
        for other in self._others:
            other.end(until)
        # NCCL would wait for what the dead still owe it.
        if distributed.is_initialized() and (error is None or distributed.get_backend() != "nccl"):
            distributed.destroy_process_group()
        if dead is not None and isinstance(error, Exception) and not isinstance(error, UserError | RunError):
            raise RunError(self._obituary(dead)) from error

    def _first_dead(self, wait: float) -> "_Other | None":
        """The other rank that failed first; where one dies, its neighbours' connections break a moment later."""
        until = time.monotonic() + wait
        while True:
            failed = [other for other in self._others if other.failed_at() is not None]
            if failed or time.monotonic() > until:
                return min(failed, key=lambda other: other.failed_at() or 0.0, default=None)
            time.sleep(0.05)

    def _watch(self) -> None:
        """Where another rank dies and this one, stuck in a call that waits for it, cannot notice: end the program."""
        while not self._leaving.wait(0.2):
            if (dead := self._first_dead(wait=0.0)) is not None and not self._leaving.wait(GRACE):
                for other in self._others:
                    other.end(0.0)
                print(f"error: {self._obituary(dead)}", file=sys.stderr, flush=True)
                os._exit(1)

    @staticmethod
    def _obituary(dead: "_Other") -> str:
        line = f"rank {dead.rank} (process {dead.process.pid}) {_how(dead.process.returncode)}"
        return f"{line}{f': {dead.last_words}' if dead.last_words else ''}; the same command goes on from the newest checkpoint"


class _Other:
    """One other rank's process. Its standard input is its lifeline: it ends when this process does."""

    def __init__(self, rank: int, job: Mapping[str, Any], command: Sequence[str]) -> None:
        path = os.pathsep.join(filter(None, [SOURCE, os.environ.get("PYTHONPATH")]))
        self.rank, self.last_words = rank, ""
        self._failed_at: float | None = None
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path}, text=True,
        )  # fmt: skip
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def failed_at(self) -> float | None:
        """When it was first seen to have failed, None while it has not."""
        if self._failed_at is None and self.process.poll() not in (None, 0):
            self._failed_at = time.monotonic()
            self._listener.join(1.0)
        return self._failed_at

    def end(self, until: float) -> None:
        """Let it end by itself until then, and kill it after."""
        try:
            self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.strip():
                if line.startswith("error: "):
                    self.last_words = line.strip().removeprefix("error: ")
                print(f"rank {self.rank}: {line}", end="", file=sys.stderr, flush=True)


def _how(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
