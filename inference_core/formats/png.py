# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: Apache-2.0
"""A picture as PNG, without a picture library: https://www.w3.org/TR/png-3/. The same pixels give the same bytes."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPE = {1: 0, 3: 2, 4: 6}  # channels -> PNG's: grey, RGB, RGBA
_UP = 2  # PNG's filter that takes a row from the one above it: hair runs downwards, so little is left


def png(pixels: NDArray[np.uint8], level: int = 4) -> bytes:
    """pixels (H, W, 1 | 3 | 4), row 0 on top. `level`: zlib's, 0..9."""
    height, width, channels = pixels.shape
    rows = pixels.reshape(height, width * channels)
    filtered = np.empty((height, 1 + width * channels), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    filtered[1:, 1:] = rows[1:] - rows[:-1]  # modulo 256, as the specification has it
    head = struct.pack(">IIBBBBB", width, height, 8, _COLOUR_TYPE[channels], 0, 0, 0)
    body = zlib.compress(filtered.tobytes(), level)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
