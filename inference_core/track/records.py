"""Files of equal records that grow by appending: what a killed process has finished is still there.

Every record is written at once, unbuffered. A kill or a full disk can cut the last one short; half a record at the end
is cut off when the file is opened again.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inference_core.perception.landmarks import MESH_POINTS

Records = NDArray[Any]
"""(n,) of a structured type."""

FRAME = np.dtype([("frame", "<i4"), ("timestamp", "<f8"), ("cut", "?"), ("sightings", "<i4")])
"""Pass 1, a record a frame, written after its sightings: a frame counts as finished when its record is there."""
SIGHTING = np.dtype([("frame", "<i4"), ("person", "<i4"), ("confidence", "<f4"), ("points", "<f4", (MESH_POINTS, 2))])
"""Pass 1, a record for each face in each frame; points in px of the upright source."""


def performance_type(expressions: int, people: int) -> np.dtype[Any]:
    """Pass 2, a record a frame that holds every person: what takes hold of a frame, under the source's camera."""
    person = [
        ("valid", "?"),
        ("confidence", "<f4"),
        ("expression", "<f4", (expressions,)),
        ("jaw", "<f4", (3,)),
        ("neck", "<f4", (3,)),
        ("eyes", "<f4", (2, 3)),
        ("eyelids", "<f4", (2,)),
        ("rotation", "<f4", (3,)),
        ("translation", "<f4", (3,)),
        ("box", "<f4", (4,)),
    ]
    return np.dtype([("frame", "<i4"), ("people", person, (people,))])


class RecordWriter:
    """Appends to a file of records; `keep` of those already there stay.

    Raises:
        OSError: where the disk refuses; the file stays as it was.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any], keep: int | None = None) -> None:
        self.path = path
        self._dtype = dtype
        self._file = path.open("ab", buffering=0)
        there = record_count(path, dtype)
        self.count = there if keep is None else min(keep, there)
        self._cut()

    def append(self, records: Records) -> None:
        """One record or several. What does not fit on the disk leaves the file as it was."""
        data = memoryview(np.ascontiguousarray(records, dtype=self._dtype).tobytes())
        try:
            written = 0
            while written < len(data):
                written += self._file.write(data[written:]) or 0
        except OSError:
            self._cut()
            raise
        self.count += len(data) // self._dtype.itemsize

    def close(self) -> None:
        """Ends writing; a second time does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def _cut(self) -> None:
        os.ftruncate(self._file.fileno(), self.count * self._dtype.itemsize)


def record_count(path: Path, dtype: np.dtype[Any]) -> int:
    """Whole records in a file; 0 where there is none."""
    return path.stat().st_size // dtype.itemsize if path.exists() else 0


def read_records(path: Path, dtype: np.dtype[Any]) -> Records:
    """(n,) whole records, read from the disk as they are used; empty where there is no file."""
    count = record_count(path, dtype)
    if count == 0:
        return np.empty(0, dtype)
    return np.memmap(path, dtype, mode="r", shape=(count,))
