"""What a FLAME pickle's values are to us: arrays, sparse matrices, chumpy's two kinds of arrays, made by our own hands.

Which names of a file stand for them says `pickle_names`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]

MOST_DIMENSIONS = 4
LARGEST_DENSE = 1_000_000  # values of a sparse matrix when it is written out; FLAME's has 25,115
DEEPEST_EXPRESSION = 8  # chumpy arrays that are parts of others

_DTYPE = re.compile(r"[<>|=]?(?:[fiu][1248]|f2|b1|\?|[SU]\d{1,4})")


class Refused(Exception):
    """The file asks for something that no FLAME file needs. The text continues "was not opened: ..."."""


@dataclass(frozen=True)
class Known:
    """A name of the table: what it makes of the arguments that the file gives it."""

    label: str
    make: Callable[[tuple[Any, ...]], Any]


class Stateful:
    """Something that gets its content in a second step, pickle's BUILD."""

    def set_state(self, state: Any) -> None:
        """Take the state.

        Raises:
            Refused: for one that holds objects, or less than it claims.
            ValueError: for one of another form.
        """
        raise NotImplementedError

    def value(self, _depth: int = 0) -> Array:
        """The array that it stands for; `_depth` of them lie around it."""
        raise NotImplementedError


class DType(Stateful):
    """A number format. Python objects and records are refused."""

    def __init__(self, words: tuple[Any, ...]) -> None:
        code = _text(words[0]) if words else ""
        if not _DTYPE.fullmatch(code):
            raise Refused(
                f"it holds values of the kind {code[:20]!r}, and only numbers are read"
                if code != "O8" and code != "O"
                else "it holds arrays of Python objects, and only numbers are read"
            )
        self.dtype = np.dtype(code)

    def set_state(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise Refused("it holds records, and only numbers are read")
        order = _text(state[1])
        if order not in ("<", ">", "|", "="):
            raise ValueError("an unknown byte order")
        self.dtype = np.dtype(order + self.dtype.str[1:])

    def value(self, _depth: int = 0) -> Array:
        raise Refused("it has a number format where an array belongs")


class ArrayState(Stateful):
    """An ndarray: shape, format and bytes that must fit each other before anything is made of them."""

    def __init__(self, arguments: tuple[Any, ...] = ()) -> None:
        if arguments and getattr(arguments[0], "label", "") != "numpy.ndarray":
            raise Refused("it builds an array of a class of its own")
        self._content: tuple[Any, DType, Any, str] | None = None

    def set_state(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) not in (4, 5):
            raise ValueError("an array's state has five parts")
        shape, dtype, fortran, content = state[-4:]
        check_size(shape, dtype, content)
        self._content = (shape, dtype, content, "F" if fortran else "C")

    def value(self, _depth: int = 0) -> Array:
        # Only now: text of Python 2 is copied into bytes, and a file may name the same text a thousand times.
        if self._content is None:
            raise ValueError("an array without content")
        return array_of(*self._content)


class SparseState(Stateful):
    """A SciPy matrix, written out by ourselves: SciPy trusts the indices in it."""

    def __init__(self, form: str) -> None:
        self._form = form
        self._state: dict[str, Any] = {}

    def set_state(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise ValueError("a matrix without fields")
        self._state = state

    def value(self, _depth: int = 0) -> Array:
        state, depth = self._state, _depth
        rows, columns = _shape(state.get("_shape", state.get("shape")))
        if rows * columns > LARGEST_DENSE:
            raise Refused(f"it claims a matrix of {rows} x {columns}")
        values = plain(state["data"], depth).ravel()
        if self._form == "coo":
            row, column = (state["coords"] if "coords" in state else (state["row"], state["col"]))[:2]
            across, along = _index(plain(row, depth), rows), _index(plain(column, depth), columns)
        else:
            count = rows if self._form == "csr" else columns
            starts = _index(plain(state["indptr"], depth), len(values) + 1)
            if len(starts) != count + 1 or np.any(np.diff(starts) < 0) or starts[-1] != len(values):
                raise ValueError("a matrix whose parts do not fit")
            major = np.repeat(np.arange(count), np.diff(starts))
            minor = _index(plain(state["indices"], depth), columns if self._form == "csr" else rows)
            across, along = (major, minor) if self._form == "csr" else (minor, major)
        if not len(across) == len(along) == len(values):
            raise ValueError("a matrix whose parts do not fit")
        dense = np.zeros((rows, columns))
        np.add.at(dense, (across, along), values.astype(np.float64))
        return dense


class ChumpyState(Stateful):
    """An array of chumpy, which no longer installs: Ch holds an array, Select picks values of one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._state: dict[str, Any] = {}

    def set_state(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise ValueError("a chumpy array without fields")
        self._state = state

    def value(self, _depth: int = 0) -> Array:
        depth = _depth
        if depth > DEEPEST_EXPRESSION:
            raise Refused("its chumpy arrays are nested too deep")
        state = self._state
        if self._name == "Ch" and "x" in state:
            return plain(state["x"], depth + 1)
        if self._name == "Select" and "a" in state and "idxs" in state:
            source = plain(state["a"], depth + 1).ravel()
            chosen = source[_index(plain(state["idxs"], depth + 1), len(source))]
            shape = state.get("preferred_shape")
            return chosen if shape is None else chosen.reshape(_dimensions(shape))
        raise Refused(f"it holds a chumpy expression ({self._name}) instead of its values")


def plain(value: Any, depth: int = 0) -> Array:
    """What the file holds as an array.

    Raises:
        Refused: where the file holds a computation instead of values.
        ValueError: where it holds no numbers.
    """
    if isinstance(value, Stateful):
        return value.value(depth)
    if isinstance(value, np.generic):
        return np.asarray(value)
    if isinstance(value, (list, tuple)) and len(value) <= 10_000 and all(isinstance(v, (int, float)) for v in value):
        return np.asarray(value, dtype=np.float64)
    if isinstance(value, (bool, int, float)):
        return np.asarray(float(value))
    raise ValueError("something that is not an array where one belongs")


def check_size(shape: Any, dtype: Any, content: Any) -> None:
    """See to it that an array's shape and what the file holds for it fit.

    Raises:
        Refused: where they do not, or where it holds objects instead of numbers.
        ValueError: for an array without a number format.
    """
    if not isinstance(dtype, DType):
        raise ValueError("an array without a number format")
    if not isinstance(content, (bytes, bytearray, str)):
        raise Refused("it holds arrays of Python objects, and only numbers are read")
    dimensions = _dimensions(shape)
    claimed = math.prod(dimensions) * dtype.dtype.itemsize
    if claimed != len(content):
        raise Refused(
            f"an array claims {' x '.join(map(str, dimensions)) or 'one'} values ({_size(claimed)}), "
            f"but the file holds {_size(len(content))} of them"
        )


def array_of(shape: Any, dtype: DType, content: Any, order: str) -> Array:
    """A view of `content` as an array; text is Python 2's way to write bytes.

    Raises:
        Refused: where shape and content do not fit, as `check_size` says.
        ValueError: for an array without a number format.
    """
    check_size(shape, dtype, content)
    if not content:
        return np.zeros(0, dtype=dtype.dtype)
    raw = content.encode("latin1") if isinstance(content, str) else content
    return np.frombuffer(raw, dtype=dtype.dtype).reshape(_dimensions(shape), order="F" if order == "F" else "C")


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GB" if count >= 2**30 else f"{count} bytes"


def _dimensions(shape: Any) -> tuple[int, ...]:
    values = (shape,) if isinstance(shape, int) else shape
    if isinstance(values, ArrayState):
        held = values.value()
        values = tuple(held.ravel().tolist()) if held.size <= MOST_DIMENSIONS else ()
    if not isinstance(values, (tuple, list)) or len(values) > MOST_DIMENSIONS:
        raise ValueError("an array with too many dimensions")
    if not all(isinstance(v, (int, np.integer)) and 0 <= int(v) < 2**62 for v in values):
        raise ValueError("an array with an impossible shape")
    return tuple(int(v) for v in values)


def _shape(shape: Any) -> tuple[int, int]:
    values = _dimensions(shape)
    if len(values) != 2:
        raise ValueError("a matrix without rows and columns")
    return values[0], values[1]


def _index(values: Array, limit: int) -> NDArray[np.int64]:
    if values.dtype.kind not in "iu" and values.size:
        raise ValueError("indices that are not whole numbers")
    index = values.ravel().astype(np.int64)
    if index.size and (index.min() < 0 or index.max() >= limit):
        raise ValueError("indices that point outside")
    return index


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin1")
    if not isinstance(value, str):
        raise ValueError("a name that is not text")
    return value
