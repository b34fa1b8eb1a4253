"""Trackio: curves, captioned pictures and settings in a local database, which its dashboard shows without an account."""

import contextlib
import importlib.util
import io
import json
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stackgan.callbacks.tracker import Drawings, RunCard, Tracker, flat, kept_id
from stackgan.core.errors import UserError

ID_FILE = "trackio-id"
INSTALL = "pip install --editable '.[trackio]' in the project's folder"


class TrackioTracker(Tracker):
    """One Trackio run for one run folder, which keeps its id; images seen are its step.

    folder: of the database and the pictures of all runs, for a dashboard compares what lies in one folder. Trackio takes one
    a program. project: must not begin with `registry-`. Nothing is sent anywhere, whatever accounts the environment knows.
    """

    def __init__(self, *, project: str, folder: str) -> None:
        self.project, self.folder = project, Path(folder).absolute()
        self._run: Any = None
        self._seen = 0

    @property
    def way_out(self) -> str:
        """How to look at what is there."""
        return f"TRACKIO_DIR={self.folder} trackio show --project {self.project} shows what was kept; " + super().way_out

    def check(self) -> None:
        """Raise UserError where the package is missing."""
        if importlib.util.find_spec("trackio") is None:
            raise UserError(f"logger=trackio: needs the package trackio: {INSTALL}")

    def begin(self, card: RunCard) -> None:
        """Go on in the same run, without what lies past the checkpoint. Raises RuntimeError where Trackio writes elsewhere."""
        # Read once, by the first import; that takes a second, and a run without this tracker needs none of it.
        os.environ["TRACKIO_DIR"] = str(self.folder)
        from trackio.run import Run
        from trackio.sqlite_storage import SQLiteStorage
        from trackio.utils import TRACKIO_DIR

        if self.folder != TRACKIO_DIR:
            raise RuntimeError(f"Trackio keeps to {TRACKIO_DIR} in this program")

        class Local(Run):  # type: ignore[misc]
            """Without the question to the Hugging Face Hub whose token it is that lies on this machine."""

            def _get_username(self) -> str | None:
                return None

        SQLiteStorage.validate_project_name(self.project)
        own = kept_id(card.folder / ID_FILE)
        _cut(SQLiteStorage.get_project_db_path(self.project), self.folder / "media", own, card.images_seen)
        # Flat, since the dashboard groups runs by settings of the first level alone.
        config = dict(flat({**card.config, "provenance": dict(card.provenance), "tags": " ".join(card.tags)}))
        # Not trackio.init(), which goes online where TRACKIO_SPACE_ID or TRACKIO_SERVER_URL is set, and asks for the token's owner.
        self._run = Local(None, self.project, None, name=f"{card.stage} {card.name}", run_id=own, group=card.group, config=config)
        self._seen = card.images_seen

    def record(self, images_seen: int, values: Mapping[str, float]) -> None:
        """A row of figures."""
        self._run.log(dict(values), step=images_seen)
        self._seen = images_seen

    def pictures(self, images_seen: int, name: str, drawings: Drawings) -> None:
        """A key a picture: the dashboard then finds the same sentence in every run."""
        from trackio import Image

        shown = {
            f"{name}/{index:02d}": Image(picture, caption=caption)
            for index, (picture, caption) in enumerate(zip(drawings.drawn_NHWC, drawings.sentences, strict=True))
        }
        self._run.log(shown, step=images_seen)
        self._seen = images_seen

    def finish(self, results: Mapping[str, Any], done: bool) -> None:
        """Results as `summary/...`, since Trackio's runs have no summary of their own; then wait until all is written."""
        figures = {f"summary/{key}": value for key, value in flat(results) if isinstance(value, int | float)}
        self._run.log({**figures, "summary/done": float(done)}, step=self._seen)
        # It says that it uploads, which a local run does not.
        with contextlib.redirect_stdout(io.StringIO()):
            self._run.finish()


def _cut(database: Path, media: Path, run_id: str, images_seen: int) -> None:
    """Forget the run's rows past images_seen, and their pictures: a resumed run writes them anew."""
    if not database.exists():
        return
    with contextlib.closing(sqlite3.connect(database, timeout=30)) as connection, connection:
        past = (run_id, images_seen)
        for (row,) in connection.execute("SELECT metrics FROM metrics WHERE run_id = ? AND step > ?", past).fetchall():
            for value in json.loads(row).values():
                if isinstance(value, dict) and "file_path" in value:
                    (media / value["file_path"]).unlink(missing_ok=True)
        connection.execute("DELETE FROM metrics WHERE run_id = ? AND step > ?", past)
