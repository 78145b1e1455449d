"""Which names a FLAME pickle may use, and what they stand for. No name is called.

The table is exact: module and name together. NumPy's and SciPy's modules have been renamed over the years, so the old
and the new spelling are both there.
"""

from __future__ import annotations

from typing import Any

from inference_core.flame.pickle_values import (
    ArrayState,
    ChumpyState,
    DType,
    Known,
    Refused,
    SparseState,
    array_of,
)


def _scalar(arguments: tuple[Any, ...]) -> Any:
    dtype, content = arguments
    return array_of((1,), dtype, content, "C")[0]


def _frombuffer(arguments: tuple[Any, ...]) -> ArrayState:
    content, dtype, shape, order = arguments
    result = ArrayState()
    result.set_state((1, shape, dtype, order == "F", content))
    return result


def _encoded(arguments: tuple[Any, ...]) -> str:
    """Python 3 writes bytes as text in old protocols; it stays text until an array is asked for (`array_of`)."""
    text, encoding = arguments
    if encoding not in ("latin1", "latin-1") or not isinstance(text, str):
        raise Refused("it encodes text")
    return text


def _reconstructed(arguments: tuple[Any, ...]) -> Any:
    made, base = arguments[:2]
    if not isinstance(made, Known) or getattr(base, "label", "") != "object":
        raise Refused("it builds an object of a class of its own")
    return made.make(())


def _nothing(arguments: tuple[Any, ...]) -> Any:
    del arguments
    raise Refused("it calls a name that only stands for a kind of value")


def _collection(arguments: tuple[Any, ...]) -> list[Any]:
    """Sets and ordered dictionaries are in chumpy's bookkeeping, which nobody reads."""
    return list(arguments)


def _table() -> dict[tuple[str, str], Known]:
    table: dict[tuple[str, str], Known] = {
        ("numpy", "ndarray"): Known("numpy.ndarray", _nothing),
        ("numpy.matrixlib.defmatrix", "matrix"): Known("numpy.ndarray", _nothing),  # read as an ordinary array
        ("numpy", "dtype"): Known("numpy.dtype", DType),
        ("_codecs", "encode"): Known("encode", _encoded),
        ("collections", "OrderedDict"): Known("OrderedDict", lambda _: {}),
    }
    for core in ("numpy.core", "numpy._core"):
        table[core + ".multiarray", "_reconstruct"] = Known("array", ArrayState)
        table[core + ".multiarray", "scalar"] = Known("scalar", _scalar)
        table[core + ".numeric", "_frombuffer"] = Known("array", _frombuffer)
    for copy in ("copy_reg", "copyreg"):
        table[copy, "_reconstructor"] = Known("object", _reconstructed)
    for builtins in ("__builtin__", "builtins"):
        table[builtins, "object"] = Known("object", _nothing)
        table[builtins, "set"] = table[builtins, "frozenset"] = Known("set", _collection)
        table[builtins, "bytes"] = Known("bytes", lambda arguments: b"" if not arguments else _nothing(arguments))
    for form in ("csc", "csr", "coo"):
        for module in (f"scipy.sparse.{form}", f"scipy.sparse._{form}"):
            for kind in ("matrix", "array"):
                table[module, f"{form}_{kind}"] = Known(f"scipy {form}", lambda _, form=form: SparseState(form))  # type: ignore[misc]
    for module, name in (
        ("chumpy.ch", "Ch"), ("chumpy", "Ch"), ("chumpy.ch", "MatVecMult"), ("chumpy.reordering", "Select"),
        ("chumpy.reordering", "transpose"), ("chumpy.reordering", "Concatenate"), ("chumpy.ch_ops", "add"),
        ("chumpy.ch_ops", "subtract"), ("chumpy.ch_ops", "multiply"),
    ):  # fmt: skip
        table[module, name] = Known(f"chumpy {name}", lambda _, name=name: ChumpyState(name))  # type: ignore[misc]
    return table


_TABLE = _table()


def known(module: str, name: str) -> Known:
    """What a name of the file stands for.

    Raises:
        Refused: with the name.
    """
    found = _TABLE.get((module, name))
    if found is None:
        shown = f"{module}.{name}"
        raise Refused(f"it wants to use {shown[:80]!r}, and a head file may only hold arrays of numbers")
    return found
