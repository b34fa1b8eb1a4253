"""Processes that make batches beside the one that trains."""

import signal
import sys
from typing import Any


def loader_processes(count: int) -> dict[str, Any]:
    """What PyTorch's DataLoader is told of them; nothing for none.

    Forked on Linux whatever the process itself was started by: those of joblib know a way of their own that the loader cannot use.
    """
    if not count:
        return {}
    context = "fork" if sys.platform == "linux" else None
    return {"num_workers": count, "worker_init_fn": leave_stopping_to_the_run, "multiprocessing_context": context}


def leave_stopping_to_the_run(worker: int) -> None:
    """Ctrl-C, or a signal to the whole group, reaches these processes too: they go on until the run has made its checkpoint.

    The run ends them at its own end; where it is killed they see that it is gone.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
