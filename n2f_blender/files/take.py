# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's takes: in double precision, read once and kept while their file stays as it is. No bpy."""

from __future__ import annotations

import functools
from dataclasses import fields, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import TakeError
from ..formats import take as formats
from ..formats.npz import FAULTS
from .timecode import usual_rate

Floats = NDArray[np.float64]
Take: TypeAlias = formats.Take[np.float64]
Photos: TypeAlias = formats.Photos[np.float64]
_KEPT = 4  # a take and what it was before smoothing, of two people


def load_take(path: Path) -> Take:
    """Read and check a take; one that was read before comes from memory, its arrays closed to writing.

    Its rate is the usual one where pauses have made the declared one an average.

    Raises:
        TakeError: where it is missing, damaged or no take.
    """
    if not path.is_file():
        raise TakeError(f"There is no take at {path}.", "Choose a take.npz.")
    try:
        status = path.stat()
        take = _read(path.absolute(), status.st_mtime_ns, status.st_size)
    except FAULTS as error:
        raise TakeError(
            f"{path.name} is not a take that can be read: {error}.", "Reconstruct the photo again."
        ) from error
    if not take.valid.any():
        raise TakeError(f"{path.name} has no frame with a face.", "Reconstruct from another photo or video.")
    return take


@functools.lru_cache(maxsize=_KEPT)
def _read(path: Path, _changed: int, _size: int) -> Take:
    take = formats.read_take(path, np.float64)
    for field in fields(take):
        values = getattr(take, field.name)
        if isinstance(values, np.ndarray):
            values.flags.writeable = False
    return replace(take, meta=replace(take.meta, fps=usual_rate(take.timestamp, take.meta.fps)))
