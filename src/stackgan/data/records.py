"""What a data set's file hands on: records, and what is wrong with the data."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from stackgan.core.errors import UserError

Split = Literal["train", "validation", "held_out", "test"]
"""train; validation: what data.validate keeps out of it; held_out: pictures of train classes that the data set keeps
out; test: what never chooses anything."""

Skipped = Literal["skipped"]
"""In a split's place: a row of the cache whose picture or text cannot be used, or is not wanted."""

Region = Literal["whole", "box"]
"""What is cached: the whole picture, or StackGAN's square around the box."""

JudgedClasses = Literal["all", "test"]
"""Whose pictures a judge learns to tell apart: of all classes, or of the test classes alone (StackGAN, section 4.1)."""

Box = tuple[float, float, float, float]
"""Left, top, width, height in pixels of the picture as a viewer shows it; may reach outside it."""

Part = tuple[float, float, bool]
"""x, y in pixels of the picture as a viewer shows it, and whether the part can be seen."""


@dataclass(frozen=True, slots=True)
class Record:
    """One picture. key: its unique name without root and ending. captions: at least one, none empty, stripped.

    class_id: None, and class_name "", in a data set without classes.
    """

    key: str
    image: Path
    captions: tuple[str, ...]
    class_id: int | None
    class_name: str
    split: Split | Skipped
    box: Box | None = None
    parts: tuple[Part, ...] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A file and what is wrong with it. key: of the picture that cannot be used therefore."""

    path: Path
    what: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


@dataclass(frozen=True)
class Source:
    """A whole data set. records: the pictures without a problem; problems: what is wrong with the others.

    split_note says which split was used, for people and for the fingerprint. way_out ends the line about problems.
    part_names: what Record.parts are, in their order.
    """

    records: tuple[Record, ...]
    split_note: str
    problems: tuple[Problem, ...] = ()
    way_out: str = ""
    part_names: tuple[str, ...] = ()

    @property
    def left_out(self) -> int:
        """Pictures that have a problem."""
        return len({problem.key or str(problem.path) for problem in self.problems})

    def checked(self, root: Path) -> "Source":
        """Itself. Raises DataProblems where there are problems, UserError where no picture is left."""
        if self.problems:
            raise DataProblems(root, self.problems, self.way_out)
        return self


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


def read_captions(path: Path, problems: list[Problem], key: str = "") -> tuple[str, ...]:
    """The sentences of a caption file, one a line. A missing, empty or undecodable file is added to problems: ()."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        problems.append(Problem(path, "caption file is missing", key))
        return ()
    except UnicodeDecodeError as error:
        problems.append(Problem(path, f"caption file is not UTF-8 (byte {error.start + 1})", key))
        return ()
    captions = sentences(text.splitlines())
    if not captions:
        problems.append(Problem(path, "caption file has no sentence in it", key))
    return captions


def sentences(lines: Sequence[str]) -> tuple[str, ...]:
    """The lines that say something, each on one line and without surrounding space."""
    return tuple(line for line in (" ".join(line.split()) for line in lines) if line)


def said(value: Any) -> tuple[str, ...]:
    """The sentences in a list's entry or a table's cell: lines of a string, or strings of a list; None and NaN say nothing.

    Raises TypeError for anything else: a number or a record is no sentence, however it would look as text.
    """
    if isinstance(value, str):
        return sentences(value.splitlines())
    entries = [one for one in (value if isinstance(value, list | tuple) else [value]) if one is not None and one == one]
    for one in entries:
        if not isinstance(one, str):
            raise TypeError(f"a {type(one).__name__} in a caption's place, not a string")
    # A line break within a list's entry is a space.
    return sentences(entries)


def is_unicode(*texts: str) -> bool:
    """Whether texts can be written: JSON and file names may hold half a surrogate pair, which UTF-8 does not have."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


NOT_UNICODE = "not valid Unicode (half of a surrogate pair)"
"""What is wrong with texts for which is_unicode() is False."""


def inside(folder: Path, name: str) -> Path | None:
    """folder / name for a name out of a list; None where it would lead elsewhere (absolute, a drive, `..`)."""
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts or path.is_absolute() or ".." in path.parts or path.parts[0].endswith(":") or "\0" in name:
        return None
    return folder / path


OUTSIDE = "leads outside the data set's folder; lists name pictures relative to it, without .."
"""What is wrong with a path for which inside() is None."""
