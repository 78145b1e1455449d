"""Writes a head file so that equal arrays give equal bytes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.formats.writing import written_whole


def write_npz(path: Path, arrays: dict[str, NDArray[np.generic]], level: int = 6) -> None:
    """Like numpy.savez_compressed with a fixed date and order, whole or not at all.

    `level` of the compression, 0..9.

    Raises:
        OSError: where it cannot be written; `path` stays as it was.
    """
    with (
        written_whole(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive,
    ):
        for name in sorted(arrays):
            buffer = io.BytesIO()
            np.save(buffer, np.asarray(arrays[name], order="C"), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, buffer.getvalue())
