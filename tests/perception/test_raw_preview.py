"""Camera raw: the camera's own picture inside, upright, with the lens that the raw file tells."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference_core.errors import BadInput
from inference_core.perception.image import read_photo

WIDTH, HEIGHT = 120, 80


def jpeg(width: int, height: int, value: int) -> bytes:
    picture = np.full((height, width, 3), value, np.uint8)
    picture[: height // 2, : width // 2] = 250
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def header(orientation: int, focal_35mm: int) -> bytes:
    """TIFF with an orientation and, in EXIF's own directory, a focal length."""
    entries = struct.pack("<HHII", 274, 3, 1, orientation) + struct.pack("<HHII", 34665, 4, 1, 38)
    first = struct.pack("<H", 2) + entries + struct.pack("<I", 0)
    exif = struct.pack("<H", 1) + struct.pack("<HHII", 41989, 3, 1, focal_35mm) + struct.pack("<I", 0)
    return b"II*\0" + struct.pack("<I", 8) + first + exif


def lossless() -> bytes:
    """What a sensor's data looks like: a JPEG of the kind that no viewer shows, and much larger."""
    return b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB", 17, 14, 4000, 6000, 3) + b"\0" * 9 + b"\xff\xda" + b"\x55" * 500


@pytest.mark.parametrize("ending", ["dng", "NEF", "cr2", "arw"])
def test_the_largest_picture_inside(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"IMG_1.{ending}"
    thumbnail, preview = jpeg(40, 36, 10), jpeg(WIDTH, HEIGHT, 90)
    path.write_bytes(header(6, 50) + thumbnail + lossless() + preview + b"\xff\xd8\xff" + b"\0" * 300)
    photo = read_photo(path)
    assert photo.size == (HEIGHT, WIDTH), "the camera was held upright"
    assert photo.orientation == 6 and not photo.widely_read
    assert photo.focal.source == "exif_35mm"
    assert "camera's own picture" in photo.notes[0]
    assert photo.rgb[5, -5].mean() > 230 > 120 > photo.rgb[5, 5].mean(), "a quarter turn to the right"


def test_canons_box_and_the_pictures_own_exif(tmp_path: Path) -> None:
    path = tmp_path / "a.CR3"
    path.write_bytes(
        b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + b"\0\0\0\x60CMT1" + header(3, 35) + jpeg(WIDTH, HEIGHT, 90)
    )
    photo = read_photo(path)
    assert photo.size == (WIDTH, HEIGHT) and photo.orientation == 3
    assert photo.rgb[-5, -5].mean() > 230


@pytest.mark.parametrize("content", [b"II*\0", lossless(), header(1, 50) + jpeg(WIDTH, HEIGHT, 90)[:60]])
def test_a_raw_file_without_a_picture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.dng"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="a\\.dng"):
        read_photo(path)
