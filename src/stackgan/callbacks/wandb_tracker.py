"""Weights & Biases: curves over images seen, captioned pictures, settings; online where that is possible, else offline."""

import shlex
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stackgan.callbacks import wandb_reach
from stackgan.callbacks.tracker import Drawings, RunCard, Tracker, kept_id
from stackgan.callbacks.wandb_reach import Mode
from stackgan.core.errors import UserError
from stackgan.core.ranges import PositiveFloat

ID_FILE = "wandb-id"
INIT_SECONDS = 4.0
TABLE_SECONDS = 1.0
ROWS = 100
"""Of a table of one look, at most: its pictures are kept once more than those of the list."""


class WandbTracker(Tracker):
    """One W&B run for one run folder, which keeps its id; wandb's files lie in `wandb/` there.

    mode: auto is offline by itself where there is no key or no network; online complains about a missing key before
    training. Each resumed session is a file of its own with that id, and step = iteration, so that `wandb sync` joins
    them. finish_seconds: how long the end of a run waits for uploads; what is left then can be sent by `wandb sync`.
    """

    def __init__(self, *, project: str, entity: str | None, mode: Mode, tags: list[str], finish_seconds: PositiveFloat) -> None:
        self.project, self.entity, self.mode, self.tags = project, entity, mode, tags
        self.finish_seconds = finish_seconds
        self._card: RunCard | None = None
        self._run: Any = None
        self._asking: threading.Thread | None = None
        self._tables = True

    @property
    def way_out(self) -> str:
        """How to send the files, once there are some."""
        if self._run is None:
            return super().way_out
        folder = Path(self._run.dir).parent
        # All offline sessions of a run belong to one command, which sends them in their order.
        which = "offline-run-*" if self._run.offline else shlex.quote(folder.name)
        return f"wandb sync {shlex.quote(str(folder.parent))}/{which} sends it later"

    def check(self) -> None:
        """Raise UserError where mode=online lacks a key."""
        if self.mode == "online" and wandb_reach.wants_key() and (trouble := wandb_reach.key_trouble()):
            way = "run `wandb login`, set WANDB_API_KEY, or set mode=auto, which is offline where there is no key"
            raise UserError(f"logger.wandb.mode=online: {trouble}; {way}")

    def begin(self, card: RunCard) -> None:
        """Go online, or offline with a line that says why."""
        self._card, way = card, wandb_reach.choose(self.mode)
        if way.mode == "disabled":
            _say(f"off ({way.why})")
            return
        why = way.why
        if way.mode == "online":
            try:
                self._run = self._init(card, "online")
            except Exception as error:
                why = " ".join(f"wandb.init failed: {error}".split())[:160]
                wandb_reach.remember_failure(why)
                # wandb's process still holds the id; the next init starts another process.
                wandb_reach.load().teardown()
        if self._run is None:
            self._run = self._init(card, "offline")
        self._run.define_metric("images_seen")
        self._run.define_metric("*", step_metric="images_seen")
        _say(f"offline ({why}); {self.way_out}" if self._run.offline else str(self._run.url))
        # Last: nobody ends a run whose begin failed.
        wandb_reach.keep_in(card.folder / "wandb")

    def record(self, images_seen: int, values: Mapping[str, float]) -> None:
        """A row at the step of its iteration."""
        self._log(images_seen, dict(values))

    def pictures(self, images_seen: int, name: str, drawings: Drawings) -> None:
        """A list of pictures, each under its sentence, for the slider over steps; and a table of this look, to sort and filter.

        The table `<name>/table` has a row a sentence, at most ROWS: W&B keeps each look's as it was logged.
        The first that fails, as where the host takes no artifacts or the disk is full, is said, and the run's last.
        """
        if self._run is None or self._card is None:
            return
        image = wandb_reach.load().Image
        drawn = [image(picture, caption=said) for picture, said in zip(drawings.drawn_NHWC, drawings.sentences, strict=True)]
        self._log(images_seen, {name: drawn})
        if self._tables:
            self._or_no_more_tables(lambda: self._log_table(images_seen, f"{name}/table", drawn, drawings))

    def finish(self, results: Mapping[str, Any], done: bool) -> None:
        """Results go into the run's summary. Raises TimeoutError where uploading takes too long."""
        self._tables = False
        try:
            if self._run is not None:
                self._run.summary.update({**results, "done": done})
                self._run.finish(exit_code=0 if done else 1)
        finally:
            self._let_go()

    def abandon(self) -> None:
        """Kill wandb's own process, for which the end of the program would wait without limit; a later run starts another."""
        self._tables = False
        self._let_go()
        wandb_reach.abandon()

    def _let_go(self) -> None:
        if self._card is not None:
            wandb_reach.let_go(self._card.folder / "wandb")

    def _log(self, images_seen: int, values: dict[str, Any]) -> None:
        if self._run is not None and self._card is not None:
            self._run.log({**values, "images_seen": images_seen}, step=self._card.iteration(images_seen))

    def _log_table(self, images_seen: int, name: str, drawn: list[Any], drawings: Drawings) -> None:
        """drawn: the logged list."""
        image = wandb_reach.load().Image
        columns = {
            "images seen": [images_seen] * len(drawn), "sentence": drawings.sentences, "key": drawings.keys,
            # Of the same files, but new: wandb keeps a table's objects, and those of the logged list have loaded their pixels.
            "drawn": [image(logged) for logged in drawn[:ROWS]],
            **{whose: [image(picture) for picture in pictures[:ROWS]] for whose, pictures in drawings.beside.items()},
        }  # fmt: skip
        rows = [list(row) for row in zip(*(column[:ROWS] for column in columns.values()), strict=True)]
        table = wandb_reach.load().Table(columns=list(columns), data=rows)
        self._within_limits(lambda: self._log(images_seen, {name: table}))

    def _within_limits(self, log: Callable[[], None]) -> None:
        """Online, a table is logged once the host has answered a question, for which the rows behind it would wait.

        Where that takes longer than TABLE_SECONDS this look has no table, nor has the next while the question is open.
        """
        if self._run.offline:
            log()
            return
        if self._asking is not None and self._asking.is_alive():
            return
        self._asking = threading.Thread(target=self._or_no_more_tables, args=(log,), name="table for W&B", daemon=True)
        self._asking.start()
        self._asking.join(TABLE_SECONDS)

    def _or_no_more_tables(self, log: Callable[[], None]) -> None:
        """A failed table is no failed row, of which a few would end all curves. Once the run ends, what fails is not news."""
        try:
            log()
        except Exception as error:
            if self._tables:
                self._tables = False
                why = " ".join(f"{type(error).__name__}: {error}".split())[:160]
                _say(f"no more tables in this run ({why}); rows and lists of pictures go on")

    def _init(self, card: RunCard, mode: str) -> Any:
        wandb = wandb_reach.load()
        settings = wandb.Settings(
            silent=True,
            console="off",
            disable_git=True,
            disable_code=True,
            save_code=False,
            x_disable_stats=True,
            init_timeout=INIT_SECONDS,
            # Before the guard loses patience, so that wandb closes its files itself.
            finish_timeout=0.75 * self.finish_seconds,
            finish_timeout_raises=True,
        )
        return wandb.init(
            project=self.project,
            entity=self.entity,
            dir=card.folder,
            id=kept_id(card.folder / ID_FILE),
            name=card.name,
            group=card.group,
            job_type=card.stage,
            tags=list(dict.fromkeys([*card.tags, *self.tags])),
            config={**card.config, "provenance": dict(card.provenance)},
            mode=mode,
            # Offline there is nobody to ask; `wandb sync` joins by id.
            resume="allow" if mode == "online" else None,
            # A run of its own, whatever became of the one before it in this program.
            reinit="create_new",
            settings=settings,
        )


def _say(line: str) -> None:
    print(f"W&B: {line}", file=sys.stderr, flush=True)
