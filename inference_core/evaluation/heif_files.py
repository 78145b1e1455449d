"""HEIF pictures as phones write them: a grid of coded tiles, turned by a property, with EXIF. For tests and fuzz."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

ENCODER = "libx265"
INTRA = "log-level=none:crf=8:bframes=0:keyint=1:info=0"
"""One frame by itself. With the encoder's usual look-ahead a third of such files could not be written."""


def can_write() -> bool:
    """Whether there is an encoder."""
    return ENCODER in av.codecs_available


def write_heic(
    path: Path, rgb: Bytes, tile: int, *, turns: int = 0, mirror: int | None = None, exif: bytes | None = None
) -> None:
    """`rgb` (H, W, 3) as a grid of `tile` px squares. turns: quarter turns counter-clockwise that a viewer applies.

    Raises:
        LookupError: where this FFmpeg cannot write HEVC: see `can_write`.
    """
    height, width = rgb.shape[:2]
    rows, columns = -(-height // tile), -(-width // tile)
    padded = np.pad(rgb, ((0, rows * tile - height), (0, columns * tile - width), (0, 0)), mode="edge")
    squares = [padded[r * tile :][:tile, c * tile :][:, :tile] for r in range(rows) for c in range(columns)]
    coded = [_coded(np.ascontiguousarray(square)) for square in squares]
    count, primary = len(coded), len(coded) + 1
    grid = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    blocks = [sample for _, sample in coded] + [grid]
    kinds = [b"hvc1"] * count + [b"grid"]
    if exif is not None:
        blocks.append(struct.pack(">I", 6) + exif)
        kinds.append(b"Exif")
    properties = [_box(b"hvcC", coded[0][0]), _full(b"ispe", struct.pack(">II", tile, tile))]
    properties += [_full(b"ispe", struct.pack(">II", width, height)), _box(b"irot", bytes([turns]))]
    shown = [3, 4]
    if mirror is not None:
        properties.append(_box(b"imir", bytes([mirror])))
        shown.append(5)
    owned = [(number, [1, 2]) for number in range(1, count + 1)] + [(primary, shown)]
    ipma = struct.pack(">I", len(owned)) + b"".join(
        struct.pack(">HB", number, len(indices)) + bytes(indices) for number, indices in owned
    )
    infos = b"".join(
        _full(b"infe", struct.pack(">HH", number + 1, 0) + kind + b"\0", 2) for number, kind in enumerate(kinds)
    )
    references = _box(b"dimg", struct.pack(">HH", primary, count) + struct.pack(f">{count}H", *range(1, count + 1)))
    if exif is not None:
        references += _box(b"cdsc", struct.pack(">HHH", primary + 1, 1, primary))
    head = _box(b"ftyp", b"heic\0\0\0\0mif1heic")

    def meta(start: int) -> bytes:
        places, at = b"", start
        for number, block in enumerate(blocks):
            places += struct.pack(">HHHII", number + 1, 0, 1, at, len(block))
            at += len(block)
        iloc = struct.pack(">HH", 0x4400, len(blocks)) + places
        return _full(
            b"meta",
            _full(b"hdlr", b"\0\0\0\0pict" + b"\0" * 13)
            + _full(b"pitm", struct.pack(">H", primary))
            + _full(b"iinf", struct.pack(">H", len(kinds)) + infos)
            + _full(b"iref", references)
            + _box(b"iprp", _box(b"ipco", b"".join(properties)) + _full(b"ipma", ipma))
            + _full(b"iloc", iloc),
        )

    start = len(head) + len(meta(0)) + 8
    path.write_bytes(head + meta(start) + _box(b"mdat", b"".join(blocks)))


def _coded(rgb: Bytes) -> tuple[bytes, bytes]:
    """The decoder's configuration, and one intra frame of HEVC."""
    if not can_write():
        raise LookupError("this FFmpeg cannot write HEVC")
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream(ENCODER, rate=25, options={"x265-params": INTRA})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = rgb.shape[1], rgb.shape[0], "yuv420p"
        for packet in stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24")):
            container.mux(packet)
        container.mux(stream.encode(None))
    data = buffer.getvalue()
    at = data.index(b"hvcC")
    configuration = data[at + 4 : at - 4 + struct.unpack_from(">I", data, at - 4)[0]]
    at = data.index(b"mdat")
    return configuration, data[at + 4 : at - 4 + struct.unpack_from(">I", data, at - 4)[0]]


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _full(kind: bytes, body: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + body)
