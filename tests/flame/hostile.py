"""Hostile files: each tries to run something that creates a file, or to take more memory than there is."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np


class _Calls:
    """Pickles as a call of `function` with `arguments`."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self._call


def _named(module: str, name: str, arguments: bytes) -> bytes:
    """A call of module.name with a pickled tuple."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + arguments + b"R."


def _text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def executing(canary: Path) -> dict[str, bytes]:
    """Files that would create `canary` if anything in them ran."""
    import builtins
    import os
    import subprocess

    touch = f"touch {canary}"
    code = f"open({str(canary)!r}, 'w').close()"
    one = _text(touch) + b"\x85"  # (touch,)
    files = {f"os.system, protocol {p}": pickle.dumps(_Calls(os.system, touch), protocol=p) for p in range(6)}
    files |= {
        "eval": pickle.dumps(_Calls(builtins.eval, code)),
        "exec": pickle.dumps(_Calls(builtins.exec, code)),
        "Popen": pickle.dumps(_Calls(subprocess.Popen, ["touch", str(canary)])),
        "in a FLAME dictionary": pickle.dumps({"v_template": np.zeros((2, 3)), "f": _Calls(os.system, touch)}),
        "inside an object array": pickle.dumps({"v_template": np.array([_Calls(os.system, touch)], dtype=object)}),
        "INST": b"(" + _text(touch) + b"ios\nsystem\n.",
        "OBJ": b"(cos\nsystem\n" + _text(touch) + b"o.",
        "NEWOBJ": b"\x80\x02cos\nsystem\n" + one + b"\x81.",
        "NEWOBJ_EX": b"\x80\x04cos\nsystem\n" + one + b"}\x92.",
        "numpy.load": _named("numpy", "load", one),
        "numpy.testing.runstring": _named("numpy.testing", "runstring", _text(code) + b"}\x86"),
        "numpy.testing._private.utils.runstring": _named(
            "numpy.testing._private.utils", "runstring", _text(code) + b"}\x86"
        ),
        "numpy.f2py.compile": _named("numpy.f2py", "compile", one),
        "numpy.fromfile": _named("numpy", "fromfile", one),
        "numpy.memmap": _named("numpy", "memmap", _text(str(canary)) + _text("uint8") + _text("w+") + b"\x87"),
        "numpy.core.multiarray by another way": _named("numpy.core", "multiarray.os.system", one),
        "a method of ours": _named("inference_core.flame.pickle_reader", "io.os.system", one),
        "scipy.io.loadmat": _named("scipy.io", "loadmat", one),
        "ctypes": _named("ctypes", "CDLL", one),
        "chumpy.os": _named("chumpy.utils", "os.system", one),
        "chumpy.ch.eval": _named("chumpy.ch", "eval", _text(code) + b"\x85"),
        "_reconstruct of another class": _named(
            "numpy.core.multiarray", "_reconstruct", b"csubprocess\nPopen\nK\x00\x85U\x01b\x87"
        ),
        "_reconstructor of another class": _named(
            "copy_reg", "_reconstructor", b"csubprocess\nPopen\nc__builtin__\nobject\nN\x87"
        ),
        "calls what a call returned": b"\x80\x02cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R" + one + b"R.",
        "BUILD on a module's name": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n}U\x08__dict__}sb.",
        "BUILD with __class__": b"\x80\x02cchumpy.ch\nCh\n)\x81}U\x09__class__cos\nsystem\nsb.",
        "BUILD with __setstate__": b"\x80\x02cnumpy\ndtype\nU\x02f8\x85R}U\x0c__setstate__cos\nsystem\nsb.",
        "persistent id": b"\x80\x02U\x03abcQ.",
        "extension": b"\x80\x02\x82\x01.",
        "getattr": _named("__builtin__", "getattr", b"cos\n__dict__\nU\x06system\x86"),
    }
    return files


def _array_state(shape: bytes, content: bytes) -> bytes:
    """An ndarray of float64 with a pickled shape and content."""
    made = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    dtype = b"cnumpy\ndtype\nU\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return made + b"(K\x01" + shape + dtype + b"\x89" + content + b"tb"


def exhausting() -> dict[str, bytes]:
    """Files that would take all memory if their claims were believed."""
    large = b"\x8a\x05" + (1_250_000_000).to_bytes(5, "little")  # times 8 bytes: 10 GB
    endless = b"\x8a\x09" + (2**63).to_bytes(9, "little")
    dense = b"\x8a\x04" + (2**30).to_bytes(4, "little")
    key = b"\x80\x02}U\x0av_template"
    hollow = b"cnumpy\nndarray\n" + large + b"\x85R"
    megabyte = b"T" + struct.pack("<I", 1 << 20) + bytes(1 << 20)
    many = b"".join(b"h\x01\x85" for _ in range(20_000))  # one text named 20,000 times
    matrix = (
        b"\x80\x02}(U\x01fcscipy.sparse.csc\ncsc_matrix\n)\x81}(U\x06_shape" + dense + dense + b"\x86U\x04data"
        + _array_state(b"K\x00\x85", b"U\x00") + b"U\x06indptr" + _array_state(b"K\x00\x85", b"U\x00")
        + b"U\x07indices" + _array_state(b"K\x00\x85", b"U\x00") + b"ubU\x0av_templateK\x01u."
    )  # fmt: skip
    return {
        "10 GB claimed shape": key + _array_state(large + b"\x85", b"U\x08" + bytes(8)) + b"s.",
        "shape beyond 64 bits": key + _array_state(endless + endless + b"\x86", b"U\x08" + bytes(8)) + b"s.",
        "negative shape": key + _array_state(b"J\xff\xff\xff\xff\x85", b"U\x08" + bytes(8)) + b"s.",
        "ndarray by shape": key + hollow + b"s.",
        "10 GB text": b"\x80\x04\x8d" + struct.pack("<Q", 10 << 30) + b"abc",
        "10 GB bytes": b"\x80\x04\x8e" + struct.pack("<Q", 10 << 30) + b"abc",
        "10 GB bytearray": b"\x80\x05\x96" + struct.pack("<Q", 10 << 30) + b"abc",
        "10 GB frame": b"\x80\x04\x95" + struct.pack("<Q", 10 << 30) + b"}.",
        "a million steps": b"\x80\x02" + b"N0" * 1_000_000 + b".",
        "nested deep": b"\x80\x02" + b"N" + b"\x85" * 90_000 + b"N}\x8c\x01as.",
        "a deep key": b"\x80\x02}" + b"N" + b"\x85" * 90_000 + b"Ns.",
        "one text, many times": b"\x80\x02" + megabyte + b"q\x010(" + many + b"t.",
        "dense matrix of 2^60": matrix,
        "an enormous whole number": b"\x80\x02I" + b"9" * 5_000_000 + b"\n.",
    }


def bombs(folder: Path) -> dict[str, Path]:
    """Archives that unpack to far more than they are."""
    small = bytes(1 << 20)
    bomb = folder / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("generic_model.pkl", "w") as stream:
        stream.write(b"\x80\x02}")
        for _ in range(320):
            stream.write(small)
    lying = folder / "lying.zip"
    content = bytearray(bomb.read_bytes())
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):  # the directory and the entry say: 1,000 bytes
        at = content.find(mark)
        content[at + place : at + place + 4] = struct.pack("<I", 1000)
    lying.write_bytes(bytes(content))
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1_250_000_000,)})
    claims = folder / "claims.npz"
    with zipfile.ZipFile(claims, "w") as archive:
        archive.writestr("v_template.npy", header.getvalue() + bytes(80))
    objects = folder / "objects.npz"
    np.savez(objects, v_template=np.array([{}], dtype=object))
    arrays = folder / "arrays.npz"
    with zipfile.ZipFile(arrays, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(9):
            archive.writestr(f"{number}.npy", small * 30)
    return {
        "npz bomb": arrays,
        "zip bomb": bomb,
        "zip bomb that lies": lying,
        "npz, 10 GB claimed": claims,
        "npz of objects": objects,
    }
