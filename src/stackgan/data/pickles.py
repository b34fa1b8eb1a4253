"""Python 2 pickles of lists, strings, numbers and arrays, read without running anything that is in them.

A pickle is a program. This reader knows the instructions that plain data needs and refuses a file with any other before it
starts; of names it knows those that NumPy's arrays and scalars use, and puts harmless classes of its own in their place, so
that not even NumPy's code sees what the file says before it has been checked.
"""

import pickle
import pickletools
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from stackgan.core.errors import UserError

LIMIT = 8 * 2**30
"""Bytes of the largest file that is read; the authors' largest, 304images.pickle, has 2.5 GB."""

OPCODES = frozenset({
    "MARK", "STOP", "POP", "POP_MARK", "DUP", "PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET", "MEMOIZE", "PROTO",
    "FRAME", "NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES",
    "SHORT_BINBYTES", "BINBYTES8", "LIST", "EMPTY_LIST", "APPEND", "APPENDS", "TUPLE", "EMPTY_TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
    "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD",
})  # fmt: skip

REMEMBERING = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})

_KIND = re.compile(r"[biuf][1248]")
"""Truth values, whole numbers and floats; no objects, which could be anything, and no records."""


_BY_CODE = {opcode.code: opcode for opcode in pickletools.opcodes}


class Refused(pickle.UnpicklingError):
    """Something in the file that plain data does not need."""


class _Kind:
    """Stands for numpy.dtype."""

    def __init__(self, kind: Any, *_: Any) -> None:
        if not isinstance(kind, str) or not _KIND.fullmatch(kind.lstrip("<>|=")):
            raise Refused(f"an array of {repr(kind) if isinstance(kind, str) else type(kind).__name__}")
        self.kind, self.order = kind.lstrip("<>|="), "<"

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise Refused("a dtype with a strange state")
        self.order = state[1]

    def real(self) -> np.dtype[Any]:
        """What it stands for."""
        return np.dtype(self.order + self.kind)


class _Array:
    """Stands for numpy.ndarray."""

    value: np.ndarray[Any, Any] | None = None

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], _Kind):
            raise Refused("an array with a strange state")
        _, shape, kind, fortran, content = state
        self.value = _filled(shape, kind, content, "F" if fortran else "C")


def _filled(shape: Any, kind: _Kind, content: Any, order: Any) -> "np.ndarray[Any, Any]":
    raw = content.encode("latin-1") if isinstance(content, str) else content
    if not isinstance(raw, bytes) or not isinstance(shape, tuple) or not all(type(side) is int and side >= 0 for side in shape):
        raise Refused("an array with a strange state")
    flat = np.frombuffer(raw, kind.real())
    return flat.reshape(shape, order=order)


class _Call:
    """A name of NAMES: may be called, and has nothing that a file could change."""

    __slots__ = ("work",)

    def __init__(self, work: Callable[..., Any]) -> None:
        self.work = work

    def __call__(self, *values: Any) -> Any:
        return self.work(*values)

    def __setstate__(self, state: Any) -> None:
        raise Refused("a change to a type")


def _reconstruct(of: Any, shape: Any, kind: Any) -> _Array:
    if of is not _ARRAY_TYPE:
        raise Refused("an array of a strange type")
    return _Array()


def _scalar(kind: Any, content: Any = None) -> Any:
    if not isinstance(kind, _Kind):
        raise Refused("a number of a strange type")
    return _filled((), kind, content, "C").item()


def _encoded(text: Any, encoding: Any = "latin1") -> bytes:
    """How Python 3 writes bytes into an old pickle."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise Refused("a strange encoding")
    return text.encode("latin-1")


def _by_hand(*_: Any) -> None:
    raise Refused("an array that is made by hand")


_ARRAY_TYPE = _Call(_by_hand)

NAMES: dict[tuple[str, str], _Call] = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Call(_reconstruct) for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _Call(_scalar) for core in ("core", "_core")},
    ("numpy", "ndarray"): _ARRAY_TYPE,
    ("numpy", "dtype"): _Call(_Kind),
    ("_codecs", "encode"): _Call(_encoded),
}
"""What a file may name. Python 2 wrote numpy.core, NumPy 2 writes numpy._core."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Only what stands in NAMES."""
        if (module, name) not in NAMES:
            raise Refused(f"the name {module}.{name}")
        return NAMES[module, name]

    def persistent_load(self, pid: Any) -> Any:
        """Never."""
        raise Refused("a reference to something outside the file")


def read_pickle(path: Path) -> Any:
    """Lists, tuples, strings, bytes, numbers and arrays. Raises UserError for anything else.

    Also for dictionaries: the authors wrote none, and a key of nested tuples could take hours to hash.
    """
    way_out = "Take the file that the authors published; a pickle from elsewhere can run any program"
    try:
        size = path.stat().st_size
        if size > LIMIT:
            raise UserError(f"{path}: {size:,} bytes, more than {LIMIT:,} are not read. {way_out}")
        with path.open("rb") as file:
            _look_through(file)
            file.seek(0)
            return _plain(_Reader(file, encoding="latin1").load(), {})
    except Refused as error:
        raise UserError(f"{path}: refused, it contains {error}, which plain data does not need. {way_out}") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}). {way_out}") from error
    except (MemoryError, OverflowError) as error:
        raise UserError(f"{path}: refused, it asks for more memory than there is. {way_out}") from error
    except (pickle.UnpicklingError, ValueError, TypeError, KeyError, IndexError, EOFError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{path}: not a whole pickle ({' '.join(str(error).split()) or type(error).__name__}). {way_out}"
        ) from error


def _look_through(file: IO[bytes]) -> None:
    """Raise Refused for the first instruction that is not in OPCODES, or that remembers a value beyond all places in use.

    Who writes pickles numbers what is remembered one by one; the reader makes room for all numbers below the largest.
    """
    done = 0
    while code := file.read(1):
        done += 1
        opcode = _BY_CODE.get(code.decode("latin-1"))
        if opcode is None or opcode.name not in OPCODES:
            raise Refused(f"the instruction {opcode.name if opcode else code!r}")
        if opcode.name == "STOP":
            return
        if opcode.name == "STRING":
            file.readline()  # pickletools would have it in ASCII; Python 2 wrote any bytes
        elif opcode.arg is not None:
            value = opcode.arg.reader(file)
            if opcode.name in REMEMBERING and int(value) > done:
                raise Refused(f"the place {value} for a value, the {done:,}. instruction")
    raise EOFError("it is cut short")


def _plain(value: Any, seen: dict[int, Any]) -> Any:
    """Arrays in the place of what stood for them; lists are changed in place, so that one that holds itself ends."""
    if isinstance(value, _Array):
        if value.value is None:
            raise Refused("an array without content")
        return value.value
    if isinstance(value, list) and id(value) not in seen:
        seen[id(value)] = value
        for place, one in enumerate(value):
            value[place] = _plain(one, seen)
    if isinstance(value, tuple):
        if id(value) not in seen:
            # The tuple itself is kept too: another could get its id. Without this, a few tuples of each other take hours.
            seen[id(value)] = value, tuple(_plain(one, seen) for one in value)
        return seen[id(value)][1]
    if isinstance(value, _Kind | _Call):
        raise Refused("a type where a value should be")
    return value
