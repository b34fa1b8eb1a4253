"""toybirds: birds that our own code draws and describes, in CUB's layout. Drawn on first use."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock

from stackgan import toybirds
from stackgan.core.errors import UserError
from stackgan.core.ranges import Natural, Positive
from stackgan.data.cub_layout import class_numbers, read_files, read_records
from stackgan.data.fill import cores
from stackgan.data.module import CaptionedPictures
from stackgan.data.progress import bar
from stackgan.data.records import Source, Split

SKETCHED = 240, 40
"""Training and test birds of a sketch."""


class ToyBirdsData(CaptionedPictures):
    """Drawn birds: whole pictures, 30 train and 10 test classes, and held-out pictures of the train classes.

    train: pictures to train on. test: pictures kept out, the smaller half of train classes ("held_out"), the rest of
    test classes. draw_seed: of the drawing. Each set lies in a folder of its own below root.
    """

    def __init__(self, *, train: Positive, test: Natural, draw_seed: Natural, **shared: Any) -> None:
        super().__init__(**shared)
        self.order = train, test, draw_seed

    @property
    def provides(self) -> frozenset[str]:
        """Also what only drawn birds have: a program that reads their colours back."""
        return super().provides | {"toybirds"}

    @cached_property
    def folder(self) -> Path:
        """Where this set lies."""
        return Path(self.root) / toybirds.fingerprint(*self.order)

    @property
    def there(self) -> bool:
        """Whether the set is drawn."""
        return self.folder.exists()

    def sketch(self, folder: Path) -> Mapping[str, Any]:
        """A few birds of every species."""
        train, test, _ = self.order
        return {**super().sketch(folder), "root": str(folder), "train": min(train, SKETCHED[0]), "test": min(test, SKETCHED[1])}

    def bring(self) -> None:
        """Draw the set where it is missing; a second process waits for the first."""
        if self.there:
            return
        try:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder.with_suffix(".lock")):
                if not self.folder.exists():
                    draw(self.folder, *self.order, workers=self.prepare_workers)
        except OSError as error:
            raise UserError(
                f"data.root={self.root}: toybirds cannot be drawn there ({error.strerror}); "
                "set data.root or paths.data to a folder you can write"
            ) from error
        except ValueError as error:
            raise UserError(f"data.train, data.test: {error}") from error

    def read(self) -> Source:
        """See read_toybirds."""
        return read_toybirds(self.folder)


def read_toybirds(folder: Path) -> Source:
    """All pictures, in the order of images.txt. Raises UserError."""
    way_out = "Remove this folder: toybirds are drawn anew where they are missing"
    files = read_files(folder, way_out)
    test = class_numbers(folder, folder / "testclasses.txt", files.class_names, way_out)

    def split_of(class_id: int, in_train: bool) -> Split:
        if in_train:
            return "train"
        return "test" if class_id in test else "held_out"

    kinds = {files.class_ids[number] for number, in_train in files.in_train.items() if in_train}
    note = f"testclasses.txt: {len(kinds)} train, {len(test)} test"
    return read_records(folder, files, split_of, note, way_out)


def draw(folder: Path, train: int, test: int, seed: int, workers: int) -> None:
    """Draw a set with a bar on the terminal. workers: processes, 0 for one a core."""
    with bar("toybirds", train + test) as advance:
        done = 0

        def report(drawn: int, of: int) -> None:
            nonlocal done
            advance(min(drawn, of) - done)
            done = min(drawn, of)

        toybirds.write(folder, train, test, seed, workers=workers or cores(), progress=report)
