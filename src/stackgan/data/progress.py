"""A bar for work that takes longer than a breath; on standard error, so that standard output stays for results."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yields advance(count). A terminal sees a bar, a log file one line. total: None where it is not known beforehand."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total)
        yield lambda count: progress.advance(task, count)


def notice(line: str) -> None:
    """One line for the person who waits."""
    print(line, file=sys.stderr, flush=True)
