"""TensorBoard: event files in the run's folder, with images seen as the step."""

import importlib.util
import json
from collections.abc import Mapping
from typing import Any

from stackgan.callbacks.tracker import Drawings, RunCard, Tracker, flat
from stackgan.core.errors import UserError

FOLDER = "tensorboard"
INSTALL = "pip install --constraint constraints.txt --editable '.[tensorboard]' in the project's folder"
FLUSH_SECONDS = 30
HYPERPARAMETERS = ("seed", "stage", "text")
"""Settings that the page of hyperparameters has columns for, beside the names of data and sweep."""


class TensorBoardTracker(Tracker):
    """Scalars and pictures, each picture under a tag that ends with its sentence; settings as hyperparameters and
    text, results as text.
    """

    def __init__(self) -> None:
        self._writer: Any = None
        self._seen = 0

    def check(self) -> None:
        """Raise UserError where the package is missing."""
        if importlib.util.find_spec("tensorboard") is None:
            raise UserError(f"logger=tensorboard: needs the package tensorboard: {INSTALL}")

    def begin(self, card: RunCard) -> None:
        """Open a file of events; TensorBoard forgets those past the checkpoint that a run resumes from."""
        # Imported here: it takes a second, and a run without this tracker needs none of it.
        from torch.utils.tensorboard import SummaryWriter

        self._seen = card.images_seen
        self._writer = SummaryWriter(str(card.folder / FOLDER), purge_step=card.images_seen + 1, flush_secs=FLUSH_SECONDS)
        for name, value in (("config", card.config), ("provenance", card.provenance)):
            self._text(name, value, card.images_seen)
        self._hyperparameters(card)

    def record(self, images_seen: int, values: Mapping[str, float]) -> None:
        """A point a figure."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, images_seen)
        self._seen = images_seen

    def pictures(self, images_seen: int, name: str, drawings: Drawings) -> None:
        """A tag a picture: a slider then shows the same sentence over images seen."""
        for index, (picture, caption) in enumerate(zip(drawings.drawn_NHWC, drawings.sentences, strict=True)):
            self._writer.add_image(f"{name}/{index:02d} {caption}", picture, images_seen, dataformats="HWC")
        self._seen = images_seen

    def finish(self, results: Mapping[str, Any], done: bool) -> None:
        """Results as text; then close."""
        self._text("results", {**results, "done": done}, self._seen)
        self._writer.close()

    def _hyperparameters(self, card: RunCard) -> None:
        """For the page that sets runs side by side by their settings; it takes the figures from the scalars by itself."""
        from torch.utils.tensorboard.summary import hparams

        chosen = {group: card.config[group] for group in HYPERPARAMETERS if group in card.config}
        named = flat({"sweep": card.group, "data": card.data, **chosen})
        values = {name: value for name, value in named if value is not None and not name.endswith("_target_")}
        _, begun, _ = hparams(values, {})  # type: ignore[no-untyped-call]
        self._writer.file_writer.add_summary(begun)

    def _text(self, name: str, value: Mapping[str, Any], images_seen: int) -> None:
        # Four spaces make it a block of code in Markdown.
        lines = json.dumps(dict(value), indent=2, ensure_ascii=False, default=str).splitlines()
        self._writer.add_text(name, "\n".join("    " + line for line in lines), images_seen)
