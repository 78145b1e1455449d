"""Reading a photo: any mode Pillow knows -> upright 8-bit RGB with a focal length; typed errors for what is none."""

from __future__ import annotations

import errno
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from inference_core.errors import BadInput, OutOfMemory
from inference_core.formats.numbering import RAWS
from inference_core.perception.exif import FocalLength, focal_length
from inference_core.perception.focal_units import check_focal_length
from inference_core.perception.heif import NotReadable, is_heif, open_heif
from inference_core.perception.raw_preview import FORMAT as RAW_FORMAT
from inference_core.perception.raw_preview import open_raw

MAX_PIXELS = 100_000_000
"""100 megapixels: every camera's photo passes, and decoding needs at most about 1 GB of memory."""
MIN_SIDE = 32
"""A picture with a shorter side holds no face that Face Mesh could find."""
BACKDROP_GREY = 128
"""Transparent parts become mid grey: neither a dark nor a bright edge pulls at the face's outline."""

BLENDERS = frozenset({"JPEG", "MPO", "PNG", "TIFF", "WEBP", "BMP", "TGA", "JPEG2000"})
"""Formats of Pillow's that Blender reads as well."""
MOST_LEVELS = 0.99
"""Share of the pixels that are not black which tell what a grey picture's white is."""
FLOAT_WHITES, FLOAT_HEADROOM = (1.0, 255.0, 65535.0), 2.0
INTEGER_WHITES = (255.0, 1023.0, 4095.0, 65535.0)
"""8, 10 and 12 bits are handed around in 16; 14 are too near 16 to tell from a picture that is a little dark."""

# Pillow warns above its limit and refuses above twice the limit, from the header, before any pixel is decoded.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


DAMAGE: Final = (
    *(OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError),
    *(RuntimeError, struct.error),
)
"""What Pillow's parsers raise over damage: SyntaxError for a PNG, RuntimeError for an AVIF, TypeError for a TIFF."""


@dataclass(frozen=True)
class Photo:
    """An upright picture.

    `rgb` is (H, W, 3) uint8, sRGB as stored, not writable. `focal` is in pixels of this picture.
    `notes` are sentences for the user about what was done to the picture. `orientation`, 1..8 as EXIF has it: how the
    file's pixels lay; 1 is upright.
    """

    path: Path
    rgb: NDArray[np.uint8]
    focal: FocalLength
    notes: tuple[str, ...] = ()
    orientation: int = 1
    widely_read: bool = True
    """Whether Blender reads the file too, with the same pixels but for their orientation."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self.rgb.shape[1], self.rgb.shape[0]

    @property
    def intrinsics(self) -> NDArray[np.float64]:
        """(4,) fx, fy, cx, cy in px: square pixels, principal point in the middle."""
        width, height = self.size
        return np.array([self.focal.pixels, self.focal.pixels, width / 2.0, height / 2.0])


def read_photo(path: str | Path, focal_length_px: float | None = None) -> Photo:
    """Reads `path`. `focal_length_px` overrules EXIF.

    Raises:
        BadInput: where it cannot be read as a picture, or the focal length is none.
        OutOfMemory: where it does not fit.
    """
    path = Path(path)
    _check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with _opened(path) as image:
                return _decode(path, image, focal_length_px)
    except NotReadable as error:
        raise BadInput(f"'{path.name}' is a HEIC picture that cannot be read: {error}.", "Save it as JPEG.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadInput(
            f"'{path.name}' has more than {MAX_PIXELS // 1_000_000} megapixels.",
            "Save it smaller; more than 4000 pixels a side adds nothing to the result.",
        ) from error
    except UnidentifiedImageError as error:
        raise _not_a_picture(path) from error
    except MemoryError as error:
        raise OutOfMemory(f"There is not enough memory to decode '{path.name}'.", "Save it smaller.") from error
    except DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise BadInput(
                f"'{path}' cannot be read: {error.strerror}.", "Check the disk and the permissions."
            ) from error
        raise BadInput(
            f"'{path.name}' is damaged or cut short.", "Open it in an image viewer and save it again, or copy it anew."
        ) from error


def _opened(path: Path) -> Image.Image:
    with path.open("rb") as stream:
        head = stream.read(64)
    if is_heif(head):
        return open_heif(path, MAX_PIXELS)
    if path.suffix.lower() in RAWS:
        preview = open_raw(path)
        if preview is None:
            raise BadInput(f"'{path.name}' is a camera raw file without a picture inside.", "Save it as JPEG.")
        return preview
    return Image.open(path)


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise BadInput(f"'{path}' is a folder, not a photo.", "Give the photos in it, for example folder/*.jpg.")
        if path.exists() and not path.is_file():
            raise BadInput(f"'{path}' is a device or a pipe, not a file.", "Give a file.")
        with path.open("rb") as stream:
            if not stream.read(1):
                raise BadInput(f"'{path.name}' is an empty file.", "Copy the photo again.")
    except FileNotFoundError as error:
        raise BadInput(f"'{path}' does not exist.", "Check the path.") from error
    except PermissionError as error:
        raise BadInput(f"'{path}' may not be read.", "Allow reading it (its permissions forbid it).") from error
    except OSError as error:
        reason = "its name is too long" if error.errno == errno.ENAMETOOLONG else str(error.strerror or error)
        raise BadInput(f"'{path}' cannot be opened: {reason}.", "Check the path.") from error
    except ValueError as error:  # a NUL in the path
        raise BadInput("The path holds a character that no file name has.", "Check the path.") from error


def _decode(path: Path, image: Image.Image, focal_length_px: float | None) -> Photo:
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise BadInput(
            f"'{path.name}' is only {width} x {height} pixels.", f"Give a photo of at least {MIN_SIDE} pixels a side."
        )
    notes: list[str] = []
    moving = getattr(image, "n_frames", 1) > 1 and image.format != "MPO"  # an MPO's other frames are previews
    if moving:
        notes.append("The file holds several pictures; the first was used.")
    if image.format == RAW_FORMAT:
        notes.append(f"Of the camera raw file the camera's own picture was used, {width} x {height} pixels.")
    focal = focal_length(image.getexif(), image.size)
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    widely_read = image.format in BLENDERS and image.mode in ("RGB", "RGBA", "L", "P") and not unseen(image)
    widely_read &= not (moving and image.format == "WEBP")
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    rgb = to_rgb8(image)
    if focal_length_px is not None:
        note = check_focal_length(focal_length_px, image.size)
        focal = FocalLength(float(focal_length_px), "given", note or "")
    if focal.note:
        notes.append(focal.note)
    return Photo(path, rgb, focal, tuple(notes), orientation if orientation in range(1, 9) else 1, widely_read)


def unseen(image: Image.Image) -> bool:
    """Whether the picture's alpha is nothing everywhere."""
    return image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0)


def to_rgb8(image: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 from any Pillow mode; alpha lies over mid grey, 16-bit and float grey keep their range."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        grey = _grey8(np.asarray(image))
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layered = image.convert("RGBA")
        if unseen(layered):  # nothing would be left: the alpha is a mistake, the colours are meant
            return np.asarray(layered, dtype=np.uint8)[..., :3]
        backdrop = Image.new("RGBA", layered.size, (BACKDROP_GREY, BACKDROP_GREY, BACKDROP_GREY, 255))
        image = Image.alpha_composite(backdrop, layered)
    # Every step that need not copy does not: a copy of the largest picture is 300 MB.
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"), dtype=np.uint8)


def _grey8(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Grey levels of any type to 8 bits, by the range that their type, or the bits that are used of it, can hold.

    Nearly all of the levels tell the range, not the highest: a hot pixel, a highlight or a NaN says nothing.
    """
    grey = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=float(np.finfo(np.float32).max), neginf=0.0)
    lit = grey[grey > 0]
    bright = float(np.quantile(lit, MOST_LEVELS)) if lit.size else 0.0
    whites: tuple[float, ...]
    if np.issubdtype(values.dtype, np.floating):
        whites = FLOAT_WHITES
        bright /= FLOAT_HEADROOM  # highlights of linear light lie above white
    else:  # Pillow hands out 16-bit pictures as 32-bit integers too
        whites = INTEGER_WHITES
    white = next((one for one in whites if bright <= one), max(whites[-1], bright))
    return np.asarray((np.clip(grey / white, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8))


_VIDEO_MARKS = (
    (4, b"ftyp"),
    (8, b"AVI "),
    (0, b"\x1a\x45\xdf\xa3"),
    (0, b"FLV\x01"),
    (0, b"\x00\x00\x01\xba"),
    (0, b"OggS"),
)


def _not_a_picture(path: Path) -> BadInput:
    with path.open("rb") as stream:
        head = stream.read(16)
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        return BadInput(f"'{path.name}' is an AVIF picture that cannot be read here.", "Save it as JPEG or PNG.")
    if head[:12] == b"\0\0\0\x0cJXL \r\n\x87\n" or head[:2] == b"\xff\x0a":
        return BadInput(f"'{path.name}' is a JPEG XL picture, which is not read here.", "Save it as JPEG or PNG.")
    if any(head[at : at + len(mark)] == mark for at, mark in _VIDEO_MARKS):
        return BadInput(f"'{path.name}' is a video, not a photo.", "Save one frame of it as a picture and give that.")
    return BadInput(f"'{path.name}' is not a picture that can be read.", "Give a JPEG, PNG, TIFF, WebP or BMP file.")
