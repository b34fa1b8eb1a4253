"""What a data set's file hands on: records, and what is wrong with the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stackgan.core.errors import UserError

Split = Literal["train", "validation", "held_out", "test"]
"""train; validation: train classes kept out by data.validate; held_out: pictures of train classes that the data set
keeps out; test: classes that never choose anything."""

Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels of the picture as it is on disk; may reach outside it."""

Part = tuple[float, float, bool]
"""x, y in pixels of the picture as it is on disk, and whether the part can be seen."""


@dataclass(frozen=True, slots=True)
class Record:
    """One picture. key: its unique name without root and ending. captions: at least one, none empty, stripped."""

    key: str
    image: Path
    captions: tuple[str, ...]
    class_id: int
    class_name: str
    split: Split
    box: Box | None = None
    parts: tuple[Part, ...] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A file and what is wrong with it."""

    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


@dataclass(frozen=True)
class Source:
    """A whole data set. split_note says which class split was used, for people and for the fingerprint."""

    records: tuple[Record, ...]
    split_note: str


def unusable(root: Path, what: str, way_out: str) -> UserError:
    """The error for a data set that cannot be read as a whole."""
    return UserError(f"data.root={root}: {what}. {way_out}")


class DataProblems(UserError):
    """Pictures or captions that cannot be used. The line names how many and the first three; problems holds all."""

    def __init__(self, root: Path, problems: Sequence[Problem], way_out: str) -> None:
        self.root, self.problems, self.way_out = root, tuple(problems), way_out
        super().__init__(f"data.root={root}: {_summary(root, problems)}. {way_out}")


def _summary(root: Path, problems: Sequence[Problem]) -> str:
    def short(problem: Problem) -> str:
        inside = problem.path.is_relative_to(root)
        return f"{problem.path.relative_to(root) if inside else problem.path}: {problem.what}"

    count = "1 problem" if len(problems) == 1 else f"{len(problems):,} problems"
    more = "" if len(problems) <= 3 else "; ..."
    return f"{count}: " + "; ".join(short(problem) for problem in problems[:3]) + more


def read_captions(path: Path, problems: list[Problem]) -> tuple[str, ...]:
    """The sentences of a caption file, one a line. A missing or empty file is added to problems and gives ()."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        problems.append(Problem(path, "caption file is missing"))
        return ()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # what the publishers' tools wrote before UTF-8; any bytes are readable so
    captions = tuple(line for line in (" ".join(line.split()) for line in text.splitlines()) if line)
    if not captions:
        problems.append(Problem(path, "caption file has no sentence in it"))
    return captions
