# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""One reader for every .npz that comes from outside: what it announces is checked before anything is unpacked.

Source of the forms: numpy.lib.format (npy, versions 1 to 3) inside a zip archive. Standard library and numpy only.
"""

from __future__ import annotations

import ast
import math
import struct
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_BYTES: Final = 2 << 30
"""Unpacked, of all arrays together: a take of ten hours at 30 frames a second has 1.8 GB."""
MOST_MEMBERS: Final = 256
MOST_HEADER: Final = 1 << 16
_KINDS: Final = "biufUS"

Arrays = dict[str, NDArray[np.generic]]

FAULTS: Final = (
    *(OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, EOFError, OverflowError, SyntaxError),
    *(NotImplementedError, RecursionError, RuntimeError, MemoryError, struct.error, zlib.error, zipfile.BadZipFile),
)
"""What zip, zlib, numpy and Python's parser raise over damage; RuntimeError: an archive that says it is encrypted."""


class DamagedFile(ValueError):
    """The file is no archive of plain arrays, or announces what it does not hold; the reason."""


def read_npz(path: Path, only: Collection[str] | None = None, most_bytes: int = MOST_BYTES) -> Arrays:
    """The arrays of `path` by name, all or `only` those.

    Raises:
        DamagedFile: for what is no archive of plain arrays, or announces more than `most_bytes`.
        FileNotFoundError: where there is no such file.
        PermissionError: where it may not be read.
        IsADirectoryError: for a folder.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise DamagedFile("it holds too many arrays")
            if sum(member.file_size for member in members) > most_bytes:
                raise DamagedFile(f"it announces more than {most_bytes >> 20} MB")
            names = [member.filename.removesuffix(".npy") for member in members]
            return {
                name: _read(archive, member)
                for name, member in zip(names, members, strict=True)
                if only is None or name in only
            }
    except (DamagedFile, FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except FAULTS as error:
        raise DamagedFile("it is damaged or cut short") from error


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[np.generic]:
    with archive.open(member) as stream:
        start = stream.read(8)
        if start[:6] != b"\x93NUMPY" or start[6] not in (1, 2, 3):
            raise DamagedFile(f"'{member.filename}' is no array")
        wide = "<H" if start[6] == 1 else "<I"
        (length,) = struct.unpack(wide, stream.read(struct.calcsize(wide)))
        if length > MOST_HEADER:
            raise DamagedFile(f"'{member.filename}' has too long a header")
        header = ast.literal_eval(stream.read(length).decode("utf-8" if start[6] == 3 else "latin-1"))
        dtype = np.dtype(header["descr"])
        shape = tuple(int(side) for side in header["shape"])
        if dtype.kind not in _KINDS or dtype.hasobject or dtype.itemsize == 0 or min(shape, default=0) < 0:
            raise DamagedFile(f"'{member.filename}' holds no plain numbers or words")
        size = math.prod(shape) * dtype.itemsize
        if size != member.file_size - 8 - struct.calcsize(wide) - length:
            raise DamagedFile(f"'{member.filename}' is not as large as it says")
        data = stream.read(size + 1)  # one more: the archive's checksum is looked at only at the end
    if len(data) != size:
        raise DamagedFile(f"'{member.filename}' is cut short")
    flat: NDArray[np.generic] = np.frombuffer(bytearray(data), dtype)
    return flat.reshape(shape, order="F") if header["fortran_order"] else flat.reshape(shape)
