"""A tracker behind a thread and a queue: training hands its figures over and goes on, whatever becomes of them."""

import contextlib
import queue
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from stackgan.callbacks.tracker import Drawings, RunCard, Tracker

WAITING = 512
"""Calls that may wait for a slow tracker; what comes on top is left out."""

WAITING_BYTES = 64 * 2**20
"""Bytes of pictures that may wait."""

FAILURES = 3
"""After so many a tracker is left alone."""

ABANDON_SECONDS = 1.0

WHY_LETTERS = 240

Call = Callable[[], None]


class Guarded(Tracker):
    """The same interface; no exception comes through it, and only finish() waits, for at most tracker.finish_seconds and one more.

    The first failure prints one line. A failed begin, or FAILURES failures, and the tracker is not called again.
    """

    def __init__(self, name: str, tracker: Tracker) -> None:
        self.name, self.tracker, self.finish_seconds = name, tracker, tracker.finish_seconds
        self.failures = self.left_out = 0
        self._begun = self._told = False
        self._bytes = 0
        self._lock = threading.Lock()
        self._calls: queue.Queue[tuple[Call, int] | Call] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None

    @property
    def way_out(self) -> str:
        """The tracker's own."""
        return self.tracker.way_out

    def check(self) -> None:
        """The tracker's own, and the one method whose UserError comes through."""
        self.tracker.check()

    def begin(self, card: RunCard) -> None:
        """Start the thread; training does not wait for it."""

        def call() -> None:
            self.tracker.begin(card)
            self._begun = True

        # A daemon: one that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name=f"tracker {self.name}", daemon=True)
        self._thread.start()
        self._hand_over(call)

    def record(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Hand a row over."""
        row = dict(values)
        self._hand_over(lambda: self.tracker.record(images_seen, row))

    def pictures(self, images_seen: int, name: str, drawings: Drawings) -> None:
        """Hand pictures over; the arrays are kept, not copied."""
        self._hand_over(lambda: self.tracker.pictures(images_seen, name, drawings), drawings.nbytes)

    def finish(self, results: Mapping[str, Any], done: bool) -> None:
        """Let the tracker end, or give it up after finish_seconds. A second call does nothing, as does one without begin."""
        if self._thread is None:
            return
        thread, self._thread = self._thread, None
        deadline = time.monotonic() + self.finish_seconds
        figures = dict(results)
        with contextlib.suppress(queue.Full):
            self._calls.put(lambda: self.tracker.finish(figures, done), timeout=self.finish_seconds)
        thread.join(max(deadline - time.monotonic(), 0))
        if thread.is_alive():
            self._say(f"not done within {self.finish_seconds:g} s, given up; {self.way_out}")
            # What it still complains about is the consequence.
            self._told = True
            aside = threading.Thread(target=self._try, args=(self.tracker.abandon,), daemon=True)
            aside.start()
            aside.join(ABANDON_SECONDS)
        if self.left_out:
            self._say(f"too slow, {self.left_out} rows or pictures were left out; the run's folder holds them all")

    def _hand_over(self, call: Call, size: int = 0) -> None:
        """Never waits: what does not fit is counted."""
        if self._thread is None or self._off:
            return
        with self._lock:
            fits = self._bytes == 0 or self._bytes + size <= WAITING_BYTES
            try:
                if fits:
                    self._calls.put_nowait((call, size))
                    self._bytes += size
            except queue.Full:
                fits = False
        self.left_out += not fits

    @property
    def _off(self) -> bool:
        return self.failures >= FAILURES

    def _work(self) -> None:
        """The thread: one call after the other, in the order in which training made them."""
        while isinstance(item := self._calls.get(), tuple):
            call, size = item
            if not self._off:
                self._try(call, "training goes on without it; ")
            # Only a begin that failed leaves this false.
            if not self._begun:
                self.failures = FAILURES
            with self._lock:
                self._bytes -= size
        # What failed on the way may still close its files.
        if self._begun:
            self._try(item)

    def _try(self, call: Call, beside: str = "") -> None:
        try:
            call()
        except BaseException as error:  # SystemExit too: this is no thread that could end the program
            self.failures += 1
            if not self._told:
                self._told = True
                why = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")[:WHY_LETTERS]
                self._say(f"{why}; {beside}{self.way_out}")

    def _say(self, line: str) -> None:
        print(f"tracker {self.name}: {line}", file=sys.stderr, flush=True)


def guard(name: str, tracker: Tracker) -> Guarded:
    """The tracker as training may use it. name: for the lines that say what went wrong."""
    return Guarded(name, tracker)
