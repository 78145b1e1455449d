"""OpenEXR files of 32-bit floats, uncompressed: read by Blender, Nuke, OpenCV and whatever else reads EXR.

The form is that of "OpenEXR File Layout" (openexr.com): magic number, version 2, attributes, a table of offsets, then a
block a scan line, channel by channel in alphabetical order.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MAGIC, _VERSION = 20000630, 2
_FLOAT = 2  # the channels' type
_NO_COMPRESSION, _INCREASING_Y = b"\x00", b"\x00"


def exr_bytes(picture: NDArray[np.float32], channels: str = "RGBA") -> bytes:
    """A picture (H, W, C), row 0 on top, whose C channels have these names of one letter each."""
    height, width, count = picture.shape
    names = channels[:count]
    order = np.argsort(list(names))
    header = struct.pack("<II", _MAGIC, _VERSION) + b"".join(
        [
            _attribute("channels", "chlist", b"".join(_channel(names[index]) for index in order) + b"\x00"),
            _attribute("compression", "compression", _NO_COMPRESSION),
            _attribute("dataWindow", "box2i", struct.pack("<4i", 0, 0, width - 1, height - 1)),
            _attribute("displayWindow", "box2i", struct.pack("<4i", 0, 0, width - 1, height - 1)),
            _attribute("lineOrder", "lineOrder", _INCREASING_Y),
            _attribute("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
            _attribute("screenWindowCenter", "v2f", struct.pack("<2f", 0.0, 0.0)),
            _attribute("screenWindowWidth", "float", struct.pack("<f", 1.0)),
            b"\x00",
        ]
    )
    line = np.dtype([("y", "<i4"), ("bytes", "<i4"), ("values", "<f4", (count, width))])
    lines = np.empty(height, line)
    lines["y"] = np.arange(height)
    lines["bytes"] = 4 * count * width
    lines["values"] = picture[:, :, order].transpose(0, 2, 1)
    first = len(header) + 8 * height
    offsets = first + line.itemsize * np.arange(height, dtype="<u8")
    return header + offsets.astype("<u8").tobytes() + lines.tobytes()


def write_exr(path: Path, picture: NDArray[np.float32], channels: str = "RGBA") -> None:
    """`exr_bytes` into a file.

    Raises:
        OSError: where it cannot be written.
    """
    path.write_bytes(exr_bytes(picture, channels))


def _attribute(name: str, kind: str, value: bytes) -> bytes:
    return name.encode() + b"\x00" + kind.encode() + b"\x00" + struct.pack("<i", len(value)) + value


def _channel(name: str) -> bytes:
    linear, reserved, step = 0, b"\x00\x00\x00", struct.pack("<2i", 1, 1)
    return name.encode() + b"\x00" + struct.pack("<iB", _FLOAT, linear) + reserved + step
