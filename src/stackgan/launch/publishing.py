"""compare.py publish=wandb: the comparison's pages, sent within a time limit, without a prompt."""

import importlib.util
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stackgan.callbacks import wandb_reach
from stackgan.core.errors import UserError
from stackgan.core.ranges import PositiveFloat
from stackgan.launch import settings
from stackgan.report import wandb_pages
from stackgan.report.comparison import Comparison
from stackgan.report.record import Record

INSTALL = "pip install --constraint constraints.txt --editable '.[dashboards]' in the project's folder"
AGAIN = (
    "`wandb login` or WANDB_API_KEY brings a key, a higher wandb.answer_seconds waits longer, publish=null leaves it at the files"
)


class Wandb(settings.Part):
    """Where the pages go, and what is on them beside what the comparison shows."""

    project: str | None
    entity: str | None
    losses: list[str]
    answer_seconds: PositiveFloat
    seconds: PositiveFloat


def foresee(records: Sequence[Record], config: Mapping[str, Any]) -> tuple[str | None, str]:
    """Entity (None: the account's own) and project of the pages. Raises UserError, before anything is written, where none can be.

    config: of Wandb.
    """
    if importlib.util.find_spec("wandb_workspaces") is None:
        raise UserError(f"publish=wandb: needs the package wandb-workspaces: {INSTALL}")
    tracked = [record.folder for record in records if record.folder is not None and wandb_pages.own_id(record)]
    if not tracked:
        raise UserError("publish=wandb: none of these runs was tracked by logger=wandb, whose curves it shows; leave publish out")
    written = [((folder.settings() or {}).get("logger") or {}).get("wandb") for folder in tracked]
    nodes = [node for node in written if node is not None]
    if not nodes and config["project"] is None:
        raise UserError("wandb.project=null: these runs went on with another logger=, and no longer say where they went; set it")
    found: dict[str, str | None] = {}
    for name in ("entity", "project"):
        theirs = {node.get(name) for node in nodes}
        if config[name] is None and len(theirs) > 1:
            raise UserError(
                f"wandb.{name}=null: these runs went to {', '.join(sorted(map(str, theirs)))}; set the one whose runs are meant"
            )
        found[name] = config[name] or next(iter(theirs), None)
    if silent := [str(folder.path) for folder, node in zip(tracked, written, strict=True) if node is None]:
        where = f"only on the pages if they are in {found['project'] or 'stackgan'}"
        print(f"note: went on with another logger=, and so {where}: {', '.join(silent)}", flush=True)
    return found["entity"], found["project"] or "stackgan"


def publish(
    made: Comparison, keys: wandb_pages.Keys, place: tuple[str | None, str], config: Mapping[str, Any], folder: Path
) -> list[str]:
    """Send both pages; returns their addresses. folder: where the comparison's files are. Raises UserError where that fails.

    config: of Wandb.
    """
    # Before the host's time begins: importing these takes seconds on a busy machine.
    client = wandb_reach.load().Api
    if trouble := _trouble():
        raise UserError(f"publish=wandb: {trouble}; the files are in {folder}; {AGAIN}")
    limit, seconds = config["answer_seconds"], config["seconds"]
    silent = f"publish=wandb: {_host()} does not answer within wandb.answer_seconds={limit:g}; the files are in {folder}; {AGAIN}"
    until = time.monotonic() + limit
    if not wandb_reach.answers(_url(), limit):
        raise UserError(silent)
    answered = threading.Event()
    sent: list[str] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            account = client()  # asks the host whose key this is
            answered.set()
            sent.extend(_send(account, made, keys, *place))
        except BaseException as error:  # SystemExit too: this is no thread that could end the program
            failed.append(error)
        answered.set()

    # A daemon: a host that accepts a request and stays silent must not keep the program from ending.
    thread = threading.Thread(target=work, name="publish to W&B", daemon=True)
    thread.start()
    if not answered.wait(max(until - time.monotonic(), 0)):
        wandb_reach.abandon()
        raise UserError(silent)
    thread.join(seconds)
    if thread.is_alive():
        wandb_reach.abandon()
        raise UserError(
            f"publish=wandb: not done within wandb.seconds={seconds:g}; the files are in {folder}; set it higher, or publish=null"
        )
    if failed:
        why = " ".join(f"{type(failed[0]).__name__}: {failed[0]}".split())[:200]
        raise UserError(f"publish=wandb: {why}; the files are in {folder}; {AGAIN}")
    return sent


def unsent(records: Sequence[Record]) -> list[Path]:
    """W&B's folders of these runs with sessions that `wandb sync` has not sent: the pages lack them until it has."""
    places = [record.folder.path / "wandb" for record in records if record.folder is not None]
    return [place for place in places if any(not _synced(file) for file in place.glob("offline-run-*/*.wandb"))]


def _synced(file: Path) -> bool:
    return file.with_name(f"{file.name}.synced").exists()


def _trouble() -> str | None:
    """Why nothing can be sent, whatever the host says; found out without a prompt."""
    return wandb_reach.key_trouble() if wandb_reach.wants_key() else "WANDB_MODE says offline"


def _url() -> str:
    return str(wandb_reach.load().setup().settings.base_url)


def _host() -> str:
    return urlsplit(_url()).netloc


def _send(account: Any, made: Comparison, keys: wandb_pages.Keys, entity: str | None, project: str) -> list[str]:
    entity = entity or account.default_entity
    if not entity:
        raise ValueError("this account has no entity of its own: set wandb.entity")
    # The report first: it makes the project where the runs were not synced yet.
    pages = [wandb_pages.report(made, keys, entity, project), wandb_pages.workspace(made, keys, entity, project)]
    return [page.save().url for page in pages]
