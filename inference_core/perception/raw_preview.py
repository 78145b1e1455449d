"""Camera raw files by the picture that the camera put into them: a JPEG, in most of them of the full size.

To develop the sensor's own data would take a library as large as everything else here; a face needs no more than the
camera's own picture. All makers' containers hold it as a whole JPEG stream, so it is looked for as one: among the
streams in the file the largest that is coded as photos are (the sensor's data may be a JPEG, too, but a lossless one).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import ExifTags, Image

FORMAT: Final = "RAW"
"""What stands in the picture's `format`; no other reader knows it."""
MOST_BYTES: Final = 1 << 28
_START: Final = b"\xff\xd8\xff"
_MOST_STREAMS: Final = 200
_PHOTO_FRAMES: Final = (0xC0, 0xC1, 0xC2)
"""Markers of baseline, extended and progressive JPEG (ITU-T T.81, table B.1); lossless is C3."""


def open_raw(path: Path) -> Image.Image | None:
    """The largest picture in `path`, with the raw file's own EXIF; None where there is none.

    Raises:
        OSError: where it cannot be read, or the picture in it is damaged.
    """
    if path.stat().st_size > MOST_BYTES:
        return None
    data = path.read_bytes()
    found = max(_pictures(data), default=None)
    if found is None:
        return None
    image = Image.open(io.BytesIO(data[found[1] :]), formats=["JPEG"])
    image.format = FORMAT
    _lend_exif(image, data)
    return image


def _pictures(data: bytes) -> Iterator[tuple[int, int]]:
    """Pixels and place of every JPEG stream that is coded as photos are."""
    at = data.find(_START)
    for _ in range(_MOST_STREAMS):
        if at < 0:
            return
        pixels = _pixels(data, at)
        if pixels:
            yield pixels, at
        at = data.find(_START, at + 1)


def _pixels(data: bytes, at: int) -> int:
    """Of the stream that begins at `at`, by its frame header; 0 where it is no photo."""
    at += 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = (int.from_bytes(data[at + k : at + k + 2], "big") for k in (5, 7))
            return height * width if marker in _PHOTO_FRAMES and data[at + 4] == 8 else 0
        if marker == 0xDA or length < 2:
            return 0
        at += 2 + length
    return 0


def _lend_exif(image: Image.Image, data: bytes) -> None:
    """The raw file's orientation and lens, where the picture inside does not tell its own."""
    exif = image.getexif()
    if ExifTags.Base.Orientation in exif or ExifTags.Base.ExifOffset in exif:
        return
    box = data.find(b"CMT1", 0, 1 << 20)  # Canon's CR3 keeps its TIFF header in a box
    header = data[box + 4 :] if box >= 0 else data
    if header[:4] in (b"II*\0", b"MM\0*"):
        exif.load(b"Exif\0\0" + header)
