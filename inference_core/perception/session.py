"""Opening ONNX networks: provider and thread settings in one place, typed errors for missing or damaged files."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import ModelMissing, OutOfMemory, lacks_memory

MAX_THREADS = 4
"""The networks are small: beyond four threads the time goes into waiting for each other."""

REINSTALL = "Install the package again."
CLOSE_OTHERS = "Close other programs and try again."

Float32s = NDArray[np.float32]
Pixels = NDArray[np.uint8]


class Network:
    """One ONNX network, loaded once. `sha256` is not computed here: `inference_core.assets` does that."""

    def __init__(self, path: Path, threads: int | None = None, on: Sequence[str] | None = None) -> None:
        """`threads` of its own, as many as `thread_count` says without it; with one it runs in its caller's.

        `on` names ONNX Runtime's providers; without it those that `providers` finds.

        Raises:
            ModelMissing: when the file is absent or is not a network this version of ONNX Runtime reads.
            OutOfMemory: where it does not fit.
        """
        if not path.is_file():
            raise ModelMissing(f"The network {path.name} is missing.", REINSTALL)
        runtime = _runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or thread_count()
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Spinning threads win a millisecond between two networks and cost a whole core while Blender works.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = runtime.InferenceSession(str(path), options, providers=on or providers())
        except Exception as error:  # ONNX Runtime raises a class per kind of damage, none of them public
            if lacks_memory(error):
                raise OutOfMemory(f"There is not enough memory to load {path.name}.", CLOSE_OTHERS) from error
            raise ModelMissing(f"The network {path.name} cannot be read.", REINSTALL) from error
        self.path = path
        self.inputs = tuple(item.name for item in self._session.get_inputs())
        self.outputs = tuple(item.name for item in self._session.get_outputs())
        self.notes: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map

    def side(self, name: str) -> int:
        """The fixed side of the pictures (N, C, S, S) or (N, S, S, 3) that the input `name` takes, px.

        Raises:
            ModelMissing: where it takes pictures of any size: it is another network than the one meant.
        """
        (shape,) = [item.shape for item in self._session.get_inputs() if item.name == name]
        if len(shape) != 4 or not isinstance(shape[2], int):
            raise ModelMissing(f"The network {self.path.name} takes no pictures of one size.", REINSTALL)
        return shape[2]

    def run(self, inputs: Mapping[str, Float32s | Pixels]) -> dict[str, Float32s]:
        """All outputs by name.

        Raises:
            OutOfMemory: where ONNX Runtime says so.
        """
        try:
            values = self._session.run(None, dict(inputs))
        except Exception as error:
            if lacks_memory(error):
                raise OutOfMemory(f"There is not enough memory to run {self.path.name}.", CLOSE_OTHERS) from error
            raise
        return {name: np.asarray(value, dtype=np.float32) for name, value in zip(self.outputs, values, strict=True)}


def thread_count() -> int:
    """Threads a network runs on: $N2F_THREADS, where several processes share the cores, else what is there."""
    named = os.environ.get("N2F_THREADS", "")
    return int(named) if named.isdecimal() and int(named) else min(MAX_THREADS, os.cpu_count() or 1)


@cache
def providers() -> tuple[str, ...]:
    """CUDA where onnxruntime-gpu and a device are there, then the CPU."""
    available = _runtime().get_available_providers()
    wanted = ("CUDAExecutionProvider",) if _has_nvidia() else ()
    return tuple(name for name in (*wanted, "CPUExecutionProvider") if name in available)


def device() -> str:
    """Where the networks run: "cuda" or "cpu"."""
    return "cuda" if providers()[0].startswith("CUDA") else "cpu"


def _has_nvidia() -> bool:
    # Asking for CUDA without a device prints an error per network; looking first keeps the log clean.
    return Path("/dev/nvidiactl").exists() or Path("C:/Windows/System32/nvcuda.dll").exists()


def _runtime() -> _Runtime:
    try:
        return cast("_Runtime", importlib.import_module("onnxruntime"))
    except ImportError as error:
        if lacks_memory(error):
            raise OutOfMemory("There is not enough memory to load ONNX Runtime.", CLOSE_OTHERS) from error
        raise ModelMissing(
            f"ONNX Runtime, which runs the networks, cannot be loaded: {error}.",
            "Install the core's requirements again.",
        ) from error


# What is used of onnxruntime, which carries no types.
class _Argument(Protocol):
    name: str
    shape: Sequence[int | str | None]


class _Notes(Protocol):
    custom_metadata_map: Mapping[str, str]


class _Session(Protocol):
    def get_modelmeta(self) -> _Notes: ...
    def get_inputs(self) -> Sequence[_Argument]: ...
    def get_outputs(self) -> Sequence[_Argument]: ...
    def run(self, names: None, inputs: dict[str, Float32s | Pixels]) -> Sequence[object]: ...


class _Options(Protocol):
    intra_op_num_threads: int
    inter_op_num_threads: int
    log_severity_level: int

    def add_session_config_entry(self, key: str, value: str) -> None: ...


class _Runtime(Protocol):
    def SessionOptions(self) -> _Options: ...  # noqa: N802
    def InferenceSession(self, path: str, options: _Options, *, providers: Sequence[str]) -> _Session: ...  # noqa: N802
    def get_available_providers(self) -> list[str]: ...
