"""One small file of every format in docs/formats.md, with the number 5 drawn into a photo, and 0, 1, 2 ... into a clip.

    python -m tests.formats_people_have FOLDER

writes them all, for Blenders whose Python cannot; what this machine has no encoder for is left out.
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from inference_core.evaluation.heif_files import can_write, write_heic
from tests.clip.clips import HEIGHT, WIDTH, numbered, write_clip

Maker = Callable[[Path], Path]
NUMBER, FRAMES = 5, 6
ROOT = Path(__file__).resolve().parents[1]


def picture(ending: str, **options: object) -> Maker:
    """A photo as Pillow writes it."""

    def make(folder: Path) -> Path:
        path = folder / f"IMG_{NUMBER}.{ending}"
        Image.fromarray(numbered(NUMBER)).save(path, **options)  # type: ignore[arg-type]
        return path

    return make


def grey16(folder: Path) -> Path:
    path = folder / "scan.png"
    Image.fromarray(numbered(NUMBER).mean(axis=2).astype(np.uint16) * 257).save(path)
    return path


def alpha(folder: Path) -> Path:
    path = folder / "cut_out.png"
    picture = Image.fromarray(numbered(NUMBER))
    picture.putalpha(255)
    picture.save(path)
    return path


def turned(folder: Path) -> Path:
    """Stored as a camera that lies on its side does."""
    path = folder / "turned.jpg"
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(np.ascontiguousarray(np.rot90(numbered(NUMBER)))).save(path, exif=exif, quality=95)
    return path


def heic(turns: int, mirror: int | None = None) -> Maker:
    def make(folder: Path) -> Path:
        if not can_write():
            raise LookupError
        path = folder / "IMG.HEIC"
        write_heic(path, np.ascontiguousarray(_stored(numbered(NUMBER), turns, mirror)), 64, turns=turns, mirror=mirror)
        return path

    return make


def _stored(rgb: NDArray[np.uint8], turns: int, mirror: int | None) -> NDArray[np.uint8]:
    """What has to be stored so that a viewer, who turns and then mirrors, shows `rgb`."""
    shown = rgb if mirror is None else (rgb[:, ::-1] if mirror else rgb[::-1])
    return np.rot90(shown, -turns)


def raw(folder: Path) -> Path:
    """A TIFF's header, a sensor's data, and the camera's own picture."""
    stream = io.BytesIO()
    Image.fromarray(numbered(NUMBER)).save(stream, "JPEG", quality=95)
    path = folder / "IMG.DNG"
    path.write_bytes(b"II*\0\x08\0\0\0\0\0\0\0\0\0" + b"\x55" * 5000 + stream.getvalue())
    return path


def jpeg_xl(folder: Path) -> Path:
    path = folder / "IMG.jxl"
    path.write_bytes(b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl " + b"\0" * 64)
    return path


def open_exr(folder: Path) -> Path:
    path = folder / "render.exr"
    path.write_bytes(b"v/1\x01\x02\0\0\0" + b"\0" * 64)
    return path


def clip(ending: str, codec: str, pixels: str = "yuv420p", **options: object) -> Maker:
    def make(folder: Path) -> Path:
        if codec not in av.codecs_available:
            raise LookupError
        return write_clip(folder / f"clip.{ending}", FRAMES, codec, pixels, **options)  # type: ignore[arg-type]

    return make


def layered(folder: Path) -> Path:
    pictures = [np.dstack([numbered(k), np.full((HEIGHT, WIDTH), 255, np.uint8)]) for k in range(FRAMES)]
    return write_clip(folder / "layer.mov", FRAMES, "qtrle", "argb", pictures=pictures)


def turned_clip(folder: Path) -> Path:
    stored = [np.ascontiguousarray(np.rot90(numbered(k), -1)) for k in range(FRAMES)]
    return write_clip(folder / "held.mp4", FRAMES, turn=90, pictures=stored, size=(HEIGHT, WIDTH))


def mirrored_clip(folder: Path) -> Path:
    """As front cameras write it: the track's matrix (ISO 14496-12, 8.3.2) turns left and right."""
    stored = [np.ascontiguousarray(numbered(k)[:, ::-1]) for k in range(FRAMES)]
    path = write_clip(folder / "front.mp4", FRAMES, pictures=stored)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    struct.pack_into(">9i", data, at, -65536, 0, 0, 0, 65536, 0, WIDTH << 16, 0, 1 << 30)
    path.write_bytes(data)
    return path


def moving(ending: str) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / f"moving.{ending}"
        pictures = [Image.fromarray(numbered(k)) for k in range(FRAMES)]
        pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=40)
        return path

    return make


def sequence(*numbers: int) -> Maker:
    """The pattern of a folder of pictures that hold their rank."""

    def make(folder: Path) -> Path:
        for rank, number in enumerate(numbers):
            Image.fromarray(numbered(rank)).save(folder / f"f_{number}.png")
        return folder / "f_#.png"

    return make


HDR = {"color_primaries": 9, "colorspace": 9}
STEPS = (0, 512, 1024, 1024 + 12_800 * 2, 1536 + 12_800 * 2, 2048 + 12_800 * 2)

PHOTOS: dict[str, Maker] = {
    "JPEG": picture("jpg", quality=95),
    "JPEG, turned by EXIF": turned,
    "PNG": picture("png"),
    "PNG, alpha": alpha,
    "PNG, 16 bits": grey16,
    "WebP": picture("webp", quality=95),
    "TIFF": picture("tif"),
    "BMP": picture("bmp"),
    "TGA": picture("tga"),
    "JPEG 2000": picture("jp2"),
    "PPM": picture("ppm"),
    "AVIF": picture("avif", quality=95),
    "HEIC": heic(0),
    "HEIC, turned": heic(1),
    "HEIC, mirrored": heic(0, 1),
    "camera raw with its picture (DNG, CR2, CR3, NEF, ARW, ORF, RW2, RAF ...)": raw,
    "JPEG XL": jpeg_xl,
    "OpenEXR": open_exr,
}
CLIPS: dict[str, Maker] = {
    "MP4, H.264": clip("mp4", "libx264"),
    "MP4, HEVC": clip("mp4", "libx265"),
    "MOV, HDR: HLG, 10 bits (Dolby Vision 8.4)": clip("mov", "libx265", "yuv420p10le", context=HDR | {"color_trc": 18}),
    "MP4, HDR: PQ, 10 bits (HDR10, Dolby Vision 8.1)": clip(
        "mp4", "libx265", "yuv420p10le", context=HDR | {"color_trc": 16}
    ),
    "MOV, ProRes": clip("mov", "prores_ks", "yuv422p10le"),
    "MOV, alpha": layered,
    "MP4, turned": turned_clip,
    "MP4, mirrored": mirrored_clip,
    "MP4, interlaced": clip("mp4", "libx264", options={"x264-params": "tff=1"}),
    "MP4, variable rate": clip("mp4", "libx264", times=STEPS),
    "MKV, screen recording (4:4:4, variable rate)": clip("mkv", "libx264", "yuv444p", times=STEPS),
    "WebM, VP9": clip("webm", "libvpx-vp9"),
    "AVI, Motion JPEG": clip("avi", "mjpeg", "yuvj420p"),
    "GIF, animated": moving("gif"),
    "AVIF, animated": moving("avif"),
    "WebP, animated": moving("webp"),
    "pictures in a row": sequence(*range(1, 1 + FRAMES)),
    "pictures with gaps": sequence(7, 8, 11, 12, 13, 20),
    "pictures with negative numbers": sequence(*range(-3, 3)),
}


def made(name: str, folder: Path) -> Path | None:
    """The file, in a folder of its own; None where this machine has no encoder for it."""
    own = folder / f"{[*PHOTOS, *CLIPS].index(name):02d}"
    own.mkdir(parents=True, exist_ok=True)
    try:
        return (PHOTOS | CLIPS)[name](own)
    except LookupError:
        return None


def table() -> dict[str, tuple[str, str, str]]:
    """docs/formats.md: format -> what stands under photo, clip and backdrop."""
    rows = {}
    for line in (ROOT / "docs" / "formats.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if len(cells) == 4 and cells[0] not in ("format", "---"):
            rows[cells[0]] = (cells[1], cells[2], cells[3])
    return rows


if __name__ == "__main__":
    for each in (*PHOTOS, *CLIPS):
        path = made(each, Path(sys.argv[1]))
        if path is not None:
            sys.stdout.write(f"{each}\t{path}\n")
