"""However a library says that there is no memory, the job says OUT_OF_MEMORY and ends with one `done`."""

from __future__ import annotations

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
