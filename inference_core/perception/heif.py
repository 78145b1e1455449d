"""HEIC and HEIF pictures, as phones write them: FFmpeg's decoder, which reads videos here anyway, and their boxes.

pillow-heif would do it too, at 26 MB more of which 23 are an encoder under the GPL. A picture is one coded image or a
grid of them (ISO/IEC 23008-12, 6.6.2.3), turned and mirrored by properties, with EXIF as an item of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray
from PIL import Image

from inference_core.perception.hdr import is_hdr, tone_mapped

BRANDS: Final = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"mif2"))
"""Major brands of such files; AVIF has its own and is Pillow's."""
_AVIF: Final = frozenset((b"avif", b"avis"))
MOST_BYTES: Final = 1 << 28
"""A file that claims more is no photo."""
_MOST_ITEMS: Final = 10_000


class NotReadable(Exception):
    """The file is no HEIF picture, or is damaged; the reason."""


@dataclass
class _Item:
    """An item of the file: what kind, where its bytes are, what it is made of, how it is shown."""

    kind: bytes = b""
    extents: list[tuple[int, int]] = field(default_factory=list)
    inside: bool = False  # its bytes lie in the meta box's own data
    parts: list[int] = field(default_factory=list)
    describes: list[int] = field(default_factory=list)
    properties: list[int] = field(default_factory=list)


@dataclass
class _Meta:
    primary: int = 0
    items: dict[int, _Item] = field(default_factory=dict)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    data: bytes = b""  # of the idat box

    def item(self, number: int) -> _Item:
        if number not in self.items and len(self.items) >= _MOST_ITEMS:
            raise NotReadable("it has too many items")
        return self.items.setdefault(number, _Item())

    def of(self, number: int) -> Iterator[tuple[bytes, bytes]]:
        """The properties of an item, in their order."""
        for index in self.item(number).properties:
            if 1 <= index <= len(self.properties):
                yield self.properties[index - 1]


def is_heif(head: bytes) -> bool:
    """Whether a file that begins with these bytes, 64 or so, is a HEIF picture that is not AVIF."""
    if head[4:8] != b"ftyp":
        return False
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, min(len(head), _u32(head, 0)) - 3, 4))}
    return bool(brands & BRANDS) and not brands & _AVIF


def open_heif(path: Path, most_pixels: int) -> Image.Image:
    """The picture in `path` as an upright RGB image of Pillow's; EXIF without its orientation, which is applied.

    Raises:
        NotReadable: for a file that is damaged, too large, or of a kind that FFmpeg cannot decode.
        OSError: where it cannot be opened.
    """
    if path.stat().st_size > MOST_BYTES:
        raise NotReadable("it is too large")
    data = path.read_bytes()
    try:
        meta = _read_meta(data)
        width, height = _size(meta, meta.primary)
        if width * height > most_pixels:
            raise NotReadable(f"it has more than {most_pixels // 1_000_000} megapixels")
        pixels = _stood(_assembled(path, data, meta), meta)
    except (struct.error, IndexError, FFmpegError, OverflowError, RecursionError) as error:
        raise NotReadable("it is damaged") from error
    image = Image.fromarray(np.ascontiguousarray(pixels))
    exif = _exif(data, meta)
    if exif is not None:
        image.getexif().load(exif)
        image.getexif().pop(0x0112, None)  # the boxes say it; EXIF in HEIF repeats what is already applied
        image.info["exif"] = image.getexif().tobytes()
    return image


def _assembled(path: Path, data: bytes, meta: _Meta) -> NDArray[np.uint8]:
    """The primary item's pixels (H, W, 3) as they are stored."""
    item = meta.item(meta.primary)
    width, height = _size(meta, meta.primary)
    if item.kind != b"grid":
        return _decoded(path, [meta.primary])[0][:height, :width]
    plan = _bytes_of(item, data, meta)
    large = plan[1] & 1
    rows, columns = plan[2] + 1, plan[3] + 1
    width, height = struct.unpack_from(">II" if large else ">HH", plan, 4)
    if rows * columns != len(item.parts):
        raise NotReadable("it is damaged: tiles are missing")
    tiles = _decoded(path, item.parts)
    tall, wide = tiles[0].shape[:2]
    if any(tile.shape != tiles[0].shape for tile in tiles) or width > columns * wide or height > rows * tall:
        raise NotReadable("it is damaged: its tiles do not fit")
    whole = np.stack(tiles).reshape(rows, columns, tall, wide, 3).transpose(0, 2, 1, 3, 4)
    return whole.reshape(rows * tall, columns * wide, 3)[:height, :width]


def _decoded(path: Path, items: list[int]) -> list[NDArray[np.uint8]]:
    """The coded images with these numbers (h, w, 3); FFmpeg numbers its streams by them, or has just the one."""
    av.logging.set_level(av.logging.PANIC)
    found: dict[int, NDArray[np.uint8]] = {}
    reformatter = VideoReformatter()
    with av.open(f"file:{path.absolute()}", "r", container_options={"protocol_whitelist": "file"}) as container:
        streams = list(container.streams.video)
        wanted = {stream.index: stream.id for stream in streams if stream.id in items}
        if not wanted and len(streams) == 1 and len(items) == 1:
            wanted = {streams[0].index: items[0]}
        for stream in streams:
            stream.thread_count = 1
        chosen = [stream for stream in streams if stream.index in wanted]
        if len(chosen) < len(set(items)):
            raise NotReadable("it is coded in a way that is not known here")
        for packet in container.demux(chosen):
            for frame in packet.decode():
                assert isinstance(frame, VideoFrame)  # of a stream of pictures
                number = wanted[packet.stream.index]
                if number not in found:
                    found[number] = _rgb(frame, reformatter)
    if len(found) < len(set(items)):
        raise NotReadable("it is damaged")
    return [found[number] for number in items]


def _rgb(frame: VideoFrame, reformatter: VideoReformatter) -> NDArray[np.uint8]:
    transfer = int(frame.color_trc)
    deep = is_hdr(transfer)
    converted = reformatter.reformat(
        frame,
        format="rgb48le" if deep else "rgb24",
        src_color_range=frame.color_range,
        dst_color_range=ColorRange.JPEG,
    )
    pixels = converted.to_ndarray()
    return tone_mapped(np.asarray(pixels, dtype=np.uint16), transfer) if deep else np.asarray(pixels, dtype=np.uint8)


def _stood(pixels: NDArray[np.uint8], meta: _Meta) -> NDArray[np.uint8]:
    """Cropped, turned and mirrored as the primary item's properties say, in their order (ISO/IEC 23008-12, 6.5)."""
    for kind, value in meta.of(meta.primary):
        if kind == b"irot":
            pixels = np.rot90(pixels, value[0] & 3)  # counter-clockwise, as numpy has it
        elif kind == b"imir":
            pixels = pixels[:, ::-1] if value[0] & 1 else pixels[::-1]  # 0: top and bottom change places
    return pixels


def _size(meta: _Meta, number: int) -> tuple[int, int]:
    for kind, value in meta.of(number):
        if kind == b"ispe":
            width, height = struct.unpack_from(">II", value, 4)
            if width and height:
                return int(width), int(height)
    raise NotReadable("it does not tell its size")


def _exif(data: bytes, meta: _Meta) -> bytes | None:
    """The primary item's EXIF block as JPEG has it."""
    for item in meta.items.values():
        if item.kind == b"Exif" and (meta.primary in item.describes or not item.describes):
            try:
                block = _bytes_of(item, data, meta)
                return b"Exif\0\0" + block[4 + _u32(block, 0) :]
            except (struct.error, NotReadable):
                return None
    return None


def _bytes_of(item: _Item, data: bytes, meta: _Meta) -> bytes:
    source = meta.data if item.inside else data
    if any(start + length > len(source) for start, length in item.extents) or not item.extents:
        raise NotReadable("it is cut short")
    return b"".join(source[start : start + length] for start, length in item.extents)


def _read_meta(data: bytes) -> _Meta:
    meta = _Meta()
    for kind, body in _boxes(data):
        if kind != b"meta":
            continue
        for inner, value in _boxes(body[4:]):
            reader = _READERS.get(inner)
            if reader is not None:
                reader(value, meta)
        return meta
    raise NotReadable("it holds no picture")


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at + 8 <= len(data):
        length, kind, head = _u32(data, at), data[at + 4 : at + 8], 8
        if length == 1:
            (length,), head = struct.unpack_from(">Q", data, at + 8), 16
        elif length == 0:
            length = len(data) - at
        if length < head:
            raise NotReadable("it is damaged")
        yield kind, data[at + head : at + length]
        at += length


def _primary(value: bytes, meta: _Meta) -> None:
    meta.primary = struct.unpack_from(">H" if value[0] == 0 else ">I", value, 4)[0]


def _infos(value: bytes, meta: _Meta) -> None:
    for kind, entry in _boxes(value[6 if value[0] == 0 else 8 :]):
        if kind == b"infe" and entry[0] >= 2:
            number = struct.unpack_from(">H" if entry[0] == 2 else ">I", entry, 4)[0]
            at = 8 if entry[0] == 2 else 10
            meta.item(number).kind = entry[at : at + 4]


def _locations(value: bytes, meta: _Meta) -> None:
    version, sizes = value[0], struct.unpack_from(">H", value, 4)[0]
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    at = 6
    wide = ">H" if version < 2 else ">I"
    (count,) = struct.unpack_from(wide, value, at)
    at += struct.calcsize(wide)

    def number(size: int) -> int:
        nonlocal at
        if at + size > len(value):
            raise NotReadable("it is cut short")
        at += size
        return int.from_bytes(value[at - size : at], "big")

    for _ in range(min(count, _MOST_ITEMS)):
        item = meta.item(number(struct.calcsize(wide)))
        item.inside = version > 0 and number(2) & 15 == 1
        number(2)  # of the file's data references
        base = number(base_size)
        for _ in range(min(number(2), _MOST_ITEMS)):
            if version > 0:
                number(index_size)
            item.extents.append((base + number(offset_size), number(length_size)))


def _references(value: bytes, meta: _Meta) -> None:
    wide = ">H" if value[0] == 0 else ">I"
    step = struct.calcsize(wide)
    for kind, entry in _boxes(value[4:]):
        source, count = struct.unpack_from(wide + "H", entry)
        ends = [struct.unpack_from(wide, entry, step + 2 + step * n)[0] for n in range(count)]
        if kind == b"dimg":
            meta.item(source).parts = ends
        elif kind == b"cdsc":
            meta.item(source).describes = ends


def _properties(value: bytes, meta: _Meta) -> None:
    for kind, body in _boxes(value):
        if kind == b"ipco":
            meta.properties = list(_boxes(body))
        elif kind == b"ipma":
            _associations(body, meta)


def _associations(value: bytes, meta: _Meta) -> None:
    version, large = value[0], value[3] & 1
    (count,), at = struct.unpack_from(">I", value, 4), 8
    for _ in range(min(count, _MOST_ITEMS)):
        wide = ">H" if version == 0 else ">I"
        (number,) = struct.unpack_from(wide, value, at)
        at += struct.calcsize(wide)
        each = value[at]
        at += 1
        form, mask = (">H", 0x7FFF) if large else (">B", 0x7F)
        step = struct.calcsize(form)
        indices = [struct.unpack_from(form, value, at + step * n)[0] & mask for n in range(each)]
        meta.item(number).properties = indices
        at += step * each


def _inside(value: bytes, meta: _Meta) -> None:
    meta.data = value


_READERS = {
    b"pitm": _primary,
    b"iinf": _infos,
    b"iloc": _locations,
    b"iref": _references,
    b"iprp": _properties,
    b"idat": _inside,
}


def _u32(data: bytes, at: int) -> int:
    return int(struct.unpack_from(">I", data, at)[0])
