"""Reads a pickle without running it: a small machine for the few steps that a file of arrays needs.

Python's own unpickler calls whatever a file names. This one calls nothing: a name from the file is looked up in a table
of our own (`pickle_names`), where `numpy.core.multiarray._reconstruct` stands for "an array follows", and a name that
is not in the table is refused. Arrays are views of bytes that the file really holds, so a claimed size costs no memory.
The opcodes are those of `pickletools`, which reads them without acting on them.
"""

from __future__ import annotations

import io
import pickletools
from typing import Any

from inference_core.errors import BadInput
from inference_core.flame.pickle_names import known
from inference_core.flame.pickle_values import Known, Refused, Stateful

LARGEST_FILE = 256 * 2**20  # bytes; FLAME's files have 30 to 60 MB
MOST_STEPS = 100_000  # a FLAME file has some hundreds

_MARK = object()
_REMEDY = "Download the file again from FLAME's own page."
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": list}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NOTHING = {"PROTO", "FRAME"}
# Steps that only put a value of theirs on the stack.
_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
    "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
}  # fmt: skip


def read_pickle(content: bytes, name: str) -> dict[str, Any]:
    """The dictionary that a pickle holds: plain values, arrays and `Stateful` stand-ins. `name` is for messages.

    Raises:
        BadInput: where the file asks for what is not allowed or not there, or ends too early.
    """
    if len(content) > LARGEST_FILE:
        raise BadInput(f"{name} is larger than any FLAME file ({len(content) >> 20} MB).", _REMEDY)
    try:
        result = _Machine().run(content)
    except Refused as error:
        raise BadInput(f"{name} was not opened: {error}.", _REMEDY) from error
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeError, AttributeError) as error:
        # pickletools says "pickle exhausted" or "expected N bytes" for a file that ends in the middle.
        if "exhausted" in str(error) or "bytes in a" in str(error) or "not enough data" in str(error):
            raise BadInput(f"{name} ends in the middle: the download is not complete.", _REMEDY) from error
        raise BadInput(f"{name} is damaged.", _REMEDY) from error
    if not isinstance(result, dict) or not all(isinstance(key, str) for key in result):
        raise BadInput(f"{name} does not hold a dictionary of arrays, as a FLAME file does.", _REMEDY)
    return result


class _Machine:
    """The stack and the memo. Nothing on them is a live object of another library but arrays that we made."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, content: bytes) -> Any:
        for step, (opcode, argument, _) in enumerate(pickletools.genops(io.BytesIO(content))):
            if step >= MOST_STEPS:
                raise Refused("it takes more steps than any FLAME file")
            if opcode.name == "STOP":
                return self.stack.pop()
            if opcode.name == "FRAME" and int(argument or 0) > len(content):
                raise ValueError("pickle exhausted by a frame")
            self._step(opcode.name, argument)
        raise ValueError("pickle exhausted before seeing STOP")

    def _step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _NOTHING:
            return
        if name in _VALUES:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name == "EMPTY_TUPLE":
            stack.append(())
        elif name in _TUPLES:
            values = tuple(self._pop(_TUPLES[name]))
            stack.append(values)
        elif name == "MARK":
            stack.append(_MARK)
        elif name in _STEPS:
            _STEPS[name](self, argument)
        else:
            raise Refused(f"it uses the pickle step {name}, which no FLAME file needs")

    def _pop(self, count: int) -> list[Any]:
        if len(self.stack) < count or any(value is _MARK for value in self.stack[-count:]):
            raise ValueError("the stack is empty")
        values = self.stack[-count:]
        del self.stack[-count:]
        return values

    def _pop_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _top(self, kind: type[Any]) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise ValueError("a step meets another value than it works on")
        return self.stack[-1]

    def _put(self, place: int) -> None:
        if self.stack[-1] is _MARK:
            raise ValueError("a mark cannot be kept")
        self.memo[place] = self.stack[-1]

    def _add(self, pairs: list[Any]) -> None:
        target = self._top(dict)
        if len(pairs) % 2:
            raise ValueError("a key without a value")
        for key, value in zip(pairs[::2], pairs[1::2], strict=True):
            if not isinstance(key, (str, int)):  # hashing a hostile key could run deep
                raise ValueError("a key is not a name")
            target[key] = value

    def _dict(self) -> None:
        pairs = self._pop_mark()
        self.stack.append({})
        self._add(pairs)

    def _extend(self, values: list[Any]) -> None:
        self._top(list).extend(values)

    def _global(self, module: str, name: str) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise ValueError("a name that is not text")
        self.stack.append(known(module, name))

    def _reduce(self) -> None:
        function, arguments = self._pop(2)
        self.stack.append(_called(function, arguments))

    def _build(self) -> None:
        (state,) = self._pop(1)
        target = self.stack[-1]
        if not isinstance(target, Stateful):
            raise Refused("it gives a state to something that has none")
        target.set_state(state)


def _called(function: Any, arguments: Any) -> Any:
    if not isinstance(function, Known):
        raise Refused("it calls something that is not a function")
    if not isinstance(arguments, tuple):
        raise ValueError("the arguments are not a tuple")
    return function.make(arguments)


_STEPS: dict[str, Any] = {
    "POP": lambda machine, _: machine.stack.pop(),
    "POP_MARK": lambda machine, _: machine._pop_mark(),
    "DUP": lambda machine, _: machine.stack.append(machine._top(object)),
    "TUPLE": lambda machine, _: machine.stack.append(tuple(machine._pop_mark())),
    "LIST": lambda machine, _: machine.stack.append(machine._pop_mark()),
    "FROZENSET": lambda machine, _: machine.stack.append(machine._pop_mark()),
    "DICT": lambda machine, _: machine._dict(),
    "APPEND": lambda machine, _: machine._extend(machine._pop(1)),
    "APPENDS": lambda machine, _: machine._extend(machine._pop_mark()),
    "ADDITEMS": lambda machine, _: machine._extend(machine._pop_mark()),
    "SETITEM": lambda machine, _: machine._add(machine._pop(2)),
    "SETITEMS": lambda machine, _: machine._add(machine._pop_mark()),
    "GET": lambda machine, place: machine.stack.append(machine.memo[place]),
    "BINGET": lambda machine, place: machine.stack.append(machine.memo[place]),
    "LONG_BINGET": lambda machine, place: machine.stack.append(machine.memo[place]),
    "PUT": lambda machine, place: machine._put(place),
    "BINPUT": lambda machine, place: machine._put(place),
    "LONG_BINPUT": lambda machine, place: machine._put(place),
    "MEMOIZE": lambda machine, _: machine._put(len(machine.memo)),
    "GLOBAL": lambda machine, words: machine._global(*words.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine._global(*machine._pop(2)),
    "REDUCE": lambda machine, _: machine._reduce(),
    "NEWOBJ": lambda machine, _: machine._reduce(),
    "BUILD": lambda machine, _: machine._build(),
}
