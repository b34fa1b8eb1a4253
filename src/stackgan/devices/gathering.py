"""Ranks that torchrun or srun started: the first one gives the command, and the others are told its jobs.

Only the first composes settings, sweeps and writes; so all ranks of a job have its settings, whatever job that is.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Any

from torch import distributed
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from stackgan.core.errors import RunError, UserError
from stackgan.devices import machine
from stackgan.devices.crew import Crew, here
from stackgan.devices.ranks import Place

FOREVER = timedelta(days=365)
"""How long a rank waits for the first one, which may prepare data or wait for another process meanwhile; it dies with it."""
ARRIVAL = timedelta(seconds=60)
"""How long the first waits for ranks that have not come by its end: they began when it did."""
FAREWELL = 10.0
"""Seconds that the first waits for the others to have heard the end."""
END = "end"
TakePart = Callable[[Mapping[str, Any], Place], None]
"""What a rank does that is told a job, in plain data, and where it stands."""


@contextmanager
def gathered(take_part: TakePart) -> Iterator[bool]:
    """Whether this process gives the command. Another rank has taken part in all its jobs by then, or ended with them."""
    crew = here()
    if crew is None:
        yield True
    elif crew.rank == 0:
        try:
            yield True
        finally:
            _dismiss(crew)
    else:
        _serve(crew, take_part)
        yield False


class Meeting:
    """Where the ranks of a crew leave words for each other; jobs are counted. One a process."""

    store: Any = None
    jobs = 0

    @classmethod
    def place(cls, crew: Crew, patience: timedelta = FOREVER) -> Any:
        """The store, met at the first call, within patience. torchrun keeps it itself; under srun the first rank does."""
        if cls.store is None:
            os.environ.update(MASTER_ADDR=crew.address, MASTER_PORT=str(crew.port))
            cls.store = next(iter(rendezvous("env://", rank=crew.rank, world_size=crew.world, timeout=patience)))[0]
        return cls.store


class Told:
    """A job that the whole crew takes part in, from `with` to the end of its block, on the first rank.

    job: plain data, as TakePart takes it; the crew's other ranks are told the same.
    """

    def __init__(self, job: Mapping[str, Any], crew: Crew) -> None:
        self.job, self.crew = job, crew

    def __enter__(self) -> Place:
        Meeting.jobs += 1
        Meeting.place(self.crew).set(f"job {Meeting.jobs}", json.dumps(dict(self.job)))
        return _join(self.crew, self.job)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None or distributed.get_backend() != "nccl":
            distributed.destroy_process_group()
        if isinstance(error, Exception) and not isinstance(error, UserError | RunError) and (words := self._last_words()):
            raise RunError(f"{words}; the same command goes on from the newest checkpoint") from error

    def _last_words(self) -> str | None:
        """Of the first other rank that failed by itself; its neighbours' connections break a moment later."""
        until = time.monotonic() + 2.0
        while time.monotonic() < until:
            for other in range(1, self.crew.world):
                if Meeting.store.check([_words(other)]):
                    return f"rank {other}: {Meeting.store.get(_words(other)).decode()}"
            time.sleep(0.1)
        return None


def _words(other: int) -> str:
    return f"last words of rank {other} in job {Meeting.jobs}"


def _join(crew: Crew, job: Mapping[str, Any]) -> Place:
    """The process group of this job alone: one that broke leaves no trace in the next."""
    store = PrefixStore(f"group {Meeting.jobs}", Meeting.place(crew))
    backend = "nccl" if machine.on_gpu(job["job"]["config"]["trainer"]) else "gloo"
    distributed.init_process_group(backend, store=store, rank=crew.rank, world_size=crew.world)
    return Place(crew.rank, crew.world, crew.port, crew.address, crew.local_rank, crew.local_world)


def _serve(crew: Crew, take_part: TakePart) -> None:
    """Take part in job after job of the first rank's, until it says that this was all."""
    store = Meeting.place(crew)
    while True:
        Meeting.jobs += 1
        store.wait([f"job {Meeting.jobs}"], FOREVER)
        told = store.get(f"job {Meeting.jobs}").decode()
        if told == END:
            store.add("heard the end", 1)
            return
        try:
            job = json.loads(told)
            take_part(job, _join(crew, job))
        except Exception as error:
            if not isinstance(error, UserError | RunError):
                traceback.print_exc()
            store.set(_words(crew.rank), f"{type(error).__name__}: {' '.join(str(error).split())}")
            if distributed.is_initialized() and distributed.get_backend() == "nccl":
                os._exit(1)  # NCCL would wait for ranks that may be gone; whoever started the ranks then ends all
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _dismiss(crew: Crew) -> None:
    """Say that this was all, and stay until the others have heard it: under srun they ask this process."""
    try:
        store = Meeting.place(crew, ARRIVAL)
    except distributed.DistStoreError:  # no job was told, as after a mistake in the command, and so there was no meeting before
        print(f"not all of the {crew.world} ranks came to hear the end", file=sys.stderr, flush=True)
        return
    until = time.monotonic() + FAREWELL
    Meeting.jobs += 1
    store.set(f"job {Meeting.jobs}", END)
    while store.add("heard the end", 0) < crew.world - 1 and time.monotonic() < until:
        time.sleep(0.05)
