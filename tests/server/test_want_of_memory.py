"""However a library says that there is no memory, the job says OUT_OF_MEMORY and ends with one `done`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from inference_core.errors import Internal, OutOfMemory, lacks_memory
from inference_core.formats.options import ReconstructOptions
from inference_core.reconstruct.job import ImageFailed, Job
from inference_core.reconstruct.pipeline import Reconstructor

WANTS = [
    MemoryError(),
    RuntimeError("std::bad_alloc"),
    RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : bad allocation"),
    RuntimeError("can't start new thread"),
    cv2.error("OpenCV(4.11.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 1 bytes"),
    ImportError("libonnxruntime.so: failed to map segment from shared object"),
    OSError(12, "Cannot allocate memory"),
]


@pytest.mark.parametrize("error", WANTS, ids=lambda error: type(error).__name__ + str(error)[:12])
def test_every_way_of_saying_it(error: Exception, tmp_path: Path) -> None:
    assert lacks_memory(error)
    wrapped = Internal("A defect.")
    wrapped.__cause__ = error
    assert lacks_memory(wrapped)

    class Full(Reconstructor):
        def __init__(self) -> None: ...

        def faces_of(self, *_: object) -> None:  # type: ignore[override]
            raise error

    events: list[object] = []
    summary = Job(["a.jpg"], tmp_path, ReconstructOptions(), events.append).run(Full())
    (failed,) = (event for event in events if isinstance(event, ImageFailed))
    assert isinstance(failed.error, OutOfMemory) and summary.failed == 1


def test_what_is_something_else() -> None:
    assert not any(
        lacks_memory(error) for error in (ValueError("a memory of summer"), OSError(2, "No such file"), None)
    )


CHILD = """
import resource, sys
from inference_core.threads import limit_library_threads
limit_library_threads()
import numpy, scipy.linalg
from inference_core.errors import OutOfMemory
from inference_core.memory import ask_for_room, reserve_products
mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
def leave(room):
    resource.setrlimit(resource.RLIMIT_AS, (mapped + (room << 20), resource.RLIM_INFINITY))
leave(100)
try:
    reserve_products()
except OutOfMemory as error:
    print(error.sentence)
leave(4000)
reserve_products()
leave(0)
try:
    ask_for_room()
except OutOfMemory:
    print("no room")
a = numpy.eye(300)
print(scipy.linalg.cholesky(a @ a).sum())
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_products_never_wait_for_memory() -> None:
    """OpenBLAS asks for ever for what it does not get: without the reserve this hangs in its first product."""
    found = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=60, check=False)
    assert found.stdout.split("\n")[:3] == [
        "There is not enough memory: 384 MB more are needed.",
        "no room",
        "300.0",
    ], found.stderr
