"""What a run would write, where, and how much of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stackgan.data.cache import Cache
from stackgan.data.encoded import expected_bytes
from stackgan.data.module import CaptionedPictures, cached_size
from stackgan.launch.underneath import Underneath
from stackgan.runs import checkpoint
from stackgan.runs.folder import RunFolder

Config = Mapping[str, Any]
Row = tuple[str, str, float | None, str]
"""What, where, how many bytes (None: small, or not foreseen), and a note."""


@dataclass(frozen=True)
class Writes:
    """budget: images to see. below: what the stage would stand on, None for none.

    data: read, though perhaps a sketch of it that lies elsewhere; config says where the whole one goes.
    """

    config: Config
    folder: RunFolder
    data: CaptionedPictures
    budget: int
    below: Underneath | None

    def rows(self, checkpoint_bytes: int) -> Iterator[Row]:
        """All of it. checkpoint_bytes: of one."""
        if self.below is not None and self.below.first is not None:
            first = self.below.first
            yield "run below", str(first.path), None, f"trained first, {self.below.images:,} images"
            yield "its checkpoints", str(first.checkpoints / "seen-*.pt"), None, "not measured"
        trainer = self.config["trainer"]
        yield "run", str(self.folder.path), None, self._state()
        kept, best = trainer["checkpoints_kept"], trainer["best"]
        every = f"one every {trainer['checkpoint_every_images']:,} images"
        note = f"{checkpoint_bytes / 1e6:,.1f} MB each, {every}, the newest {kept} kept"
        note += f", and the best by {best} where that is recorded" if best else ""
        # The best is a second name of one of them, or a file of its own where that one was not kept.
        files = min(kept + bool(best), -(-self.budget // trainer["checkpoint_every_images"]))
        yield "checkpoints", str(self.folder.checkpoints / "seen-*.pt"), files * checkpoint_bytes, note
        yield (
            "figures",
            str(self.folder.metrics),
            None,
            f"a row every {trainer['log_every']} iterations; results.json and DONE at the end",
        )
        if "sheets" in self.config["callbacks"]:
            yield "sheets", str(self.folder.sheets), None, "PNG"
        for name, node in self.config["logger"].items():
            yield "tracker", node.get("folder") or str(self.folder.path / name), None, ""
        yield from self._data()

    def _state(self) -> str:
        if done := self.folder.images_done():
            return f"done, {done:,} images seen; a longer budget goes on"
        newest = checkpoint.newest(self.folder.checkpoints)
        return f"there, goes on from {newest.name}" if newest else "new"

    def _data(self) -> Iterator[Row]:
        """The published set where we make it, and the cache's arrays."""
        data, settings = self.data, self.config["data"]
        records = data.source.records
        count = len(records)
        if data.root != settings["root"]:
            count = settings["train"] + settings["test"]
            yield "data set", settings["root"], None, f"{count:,} pictures would be drawn first"
        root = Path(settings["cache"])
        cache = replace(data.cache, root=root, folder=root / data.name / data.cache.folder.name)
        first = self.below.config if self.below is not None else None
        sizes = {*data.sizes, *([cached_size(first["stage"]["resolution"])] if first else [])}
        if data.root != settings["root"]:
            cache = replace(cache, folder=root / data.name / "<fingerprint>")
        for size in sorted(sizes):
            need = float(expected_bytes(cache.kept, count, [size]))
            yield f"pictures {size} px", str(cache.pictures(size)), need, _there(cache.pictures(size), cache)
        most = max(len(record.captions) for record in records)
        yield "sentences", str(cache.text(data.text)), 4.0 * count * most * data.text_dim, _there(cache.text(data.text), cache)
        if data.image_encoder is not None:
            path = cache.features(data.image_encoder)
            yield "features", str(path), 4.0 * count * 2 * data.image_encoder.dim, _there(path, cache)


def _there(path: Path, cache: Cache) -> str:
    if path.exists():
        return "there already"
    return "new" if cache.kept == "pixels" else f"new, about; as {cache.kept}"
