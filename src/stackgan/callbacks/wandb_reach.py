"""Online, offline or not at all: decided before the first wandb.init, which would prompt, or wait for a host that is not there."""

import contextlib
import http.client
import os
import ssl
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal
from urllib.parse import urlsplit

Mode = Literal["auto", "online", "offline"]

REACH_SECONDS = 2.0
DATA_DIR = "WANDB_DATA_DIR"

_failed: list[str] = []
"""Why wandb.init could not go online in this program: later runs do not try again."""


@dataclass(frozen=True)
class Way:
    """How wandb.init is called, and the reason, for the user."""

    mode: Literal["online", "offline", "disabled"]
    why: str


_kept: list[str] = []
"""What keep_in set last in this program."""


def load() -> ModuleType:
    """The package wandb, told to be silent; its settings are read once in a program, from the environment and its own files."""
    os.environ.setdefault("WANDB_SILENT", "true")
    # wandb 0.31 reports its own errors to the host, offline too; with a host that does not answer, its atexit hook then
    # holds the program for 10 s.
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    return wandb


def keep_in(folder: Path) -> None:
    """Artifacts of the run that now begins, as tables are, wait in this folder until they are sent, not in the user's home.

    A WANDB_DATA_DIR of the user's own stays. let_go ends it.
    """
    if os.environ.get(DATA_DIR) in (None, *_kept):
        _kept[:] = [str(folder.absolute())]
        os.environ[DATA_DIR] = _kept[0]


def let_go(folder: Path) -> None:
    """The run is over: what keep_in set for it is as the user had it, unset. That of a run that began since stays."""
    if _kept == [str(folder.absolute())]:
        if os.environ.get(DATA_DIR) == _kept[0]:
            del os.environ[DATA_DIR]
        _kept.clear()


def choose(mode: Mode) -> Way:
    """The way for this run. auto: online where there is a key and a host that answers. The environment's WANDB_MODE wins."""
    settings = load().setup().settings
    if settings.mode == "disabled":
        return Way("disabled", "WANDB_MODE=disabled")
    if mode == "offline":
        return Way("offline", "mode=offline")
    if settings.mode in ("offline", "dryrun"):
        return Way("offline", "WANDB_MODE=offline")
    if _failed:
        return Way("offline", _failed[0])
    trouble = key_trouble()
    if trouble is None and mode == "auto" and not answers(settings.base_url, REACH_SECONDS):
        trouble = f"{urlsplit(settings.base_url).netloc} does not answer"
    return Way("online", "") if trouble is None else Way("offline", trouble)


def remember_failure(why: str) -> None:
    """wandb.init failed online: the other runs of this program stay offline."""
    _failed.append(why)


def wants_key() -> bool:
    """Whether the environment leaves the choice of being online."""
    return load().setup().settings.mode not in ("disabled", "offline", "dryrun")


def key_trouble() -> str | None:
    """Why there is no key, or None: it is looked for in the environment, netrc and wandb's settings. Never prompts."""
    wandb = load()
    try:
        return None if wandb.login(prompt=False, verify=False) else "no API key"
    except wandb.Error as error:
        return " ".join(str(error).split())


def abandon() -> None:
    """Kill wandb's own process, for which the end of the program would wait without limit; a later run starts another."""
    # No public name leads there.
    setup = sys.modules.get("wandb.sdk.wandb_setup")
    connection = getattr(getattr(setup, "_singleton", None), "_connection", None)
    process = getattr(getattr(connection, "_proc", None), "_process", None)
    if process is not None:
        process.kill()
        # It finds that process gone, or its connection broken, and would end the program for it.
        with contextlib.suppress(OSError, SystemExit):
            load().teardown()


def answers(url: str, seconds: float) -> bool:
    """Whether an HTTP server answers within these seconds, with any status: a host can accept a connection and stay silent."""
    answered = threading.Event()

    def ask() -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=seconds).close()
        except urllib.error.HTTPError:
            pass
        except urllib.error.URLError as error:
            # Its certificate is for wandb to judge, which brings other roots than Python.
            if not isinstance(error.reason, ssl.SSLError):
                return
        except (OSError, ValueError, http.client.HTTPException):
            return
        answered.set()

    # In a thread: a name can take far longer to look up than the timeout says.
    asking = threading.Thread(target=ask, name="is W&B there", daemon=True)
    asking.start()
    asking.join(seconds)  # and no longer than it asks: a refusal comes at once
    return answered.is_set()
