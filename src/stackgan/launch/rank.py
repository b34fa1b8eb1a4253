"""`python -m stackgan.launch.rank`: one of the further processes of a run. Reads its job from standard input, a line of JSON."""

import json
import os
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any

from stackgan.core.errors import RunError, UserError
from stackgan.devices import machine
from stackgan.devices.ranks import Place
from stackgan.launch import build, fitting

COMMAND = (sys.executable, "-m", "stackgan.launch.rank")


def main() -> None:
    """Take part in the job; end with it, or with the process that gave it."""
    told: dict[str, Any] = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_first, daemon=True).start()
    place = Place(told["rank"], told["world"], told["port"])
    try:
        take_part(told, place)
    except Exception as error:
        line = str(error)
        if not isinstance(error, UserError | RunError):
            traceback.print_exc()
            line = f"{type(error).__name__}: {line.splitlines()[0] if line else ''}"
        print(f"error: {line}", file=sys.stderr, flush=True)
        # Not the ordinary way out: it would wait for ranks that may be gone.
        os._exit(1)


def take_part(told: Mapping[str, Any], place: Place) -> None:
    """Train with the others. told: the `job` in plain data. Raises UserError or RunError as the first rank does."""
    job = fitting.Job(**told["job"])
    machine.prepare(job.config["trainer"])
    data = build.data_module(job.config, job.text_run)
    if data.text.fingerprint != job.facts["text"]:
        raise RunError(f"text={data.text.name}: is not what the first process read; was its run changed? Start again")
    data.setup()
    fitting.fit(job, data, place)


def _end_with_the_first() -> None:
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
