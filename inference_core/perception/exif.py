"""Focal length in pixels from a photo's EXIF block."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from PIL import ExifTags, Image

FocalSource = Literal["given", "exif_35mm", "exif_sensor", "estimated", "assumed"]
"""By the user, by EXIF, by the fit (the picture told it), by what is usual (it did not)."""

FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)
DEFAULT_FOCAL_PER_SIDE = 1.2
"""Where nothing else is known, f = 1.2 x the longer side: photography's "normal lens", as long as the film's diagonal
(43.3 mm on 36 mm film, 43.3 / 36 = 1.2). The field of view is 45 degrees along the longer side."""

PLAUSIBLE_FOCAL_PER_SIDE = (0.3, 20.0)
"""About 12 to 800 mm in film terms; EXIF blocks written by scanners and editors hold zeros and nonsense beyond it."""
SAME_ASPECT = 0.02
"""Relative difference of aspect ratios below which a picture counts as scaled rather than cropped."""

_MILLIMETRES_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}


class FocalLength(NamedTuple):
    """`pixels` at the full size of the picture, where the number comes from, and a sentence if EXIF was passed over.

    `sigma`: how far its logarithm may be off; 0: it is known, or nothing better is.
    """

    pixels: float
    source: FocalSource
    note: str = ""
    sigma: float = 0.0


def focal_length(exif: Image.Exif, size: tuple[int, int]) -> FocalLength:
    """Focal length of a picture of `size` (width, height) px.

    FocalLengthIn35mmFilm comes first, then FocalLength with the sensor's resolution tags, then what is usual for a
    picture; once its face is found, `reconstruct.lens` knows better. The first
    one is defined by the diagonal (CIPA DCG-001), which is why pictures of any aspect ratio are treated alike.
    """
    longer = float(max(size))
    default = FocalLength(DEFAULT_FOCAL_PER_SIDE * longer, "assumed")
    found = _from_exif(exif, size)
    if found is None or not PLAUSIBLE_FOCAL_PER_SIDE[0] <= found.pixels / longer <= PLAUSIBLE_FOCAL_PER_SIDE[1]:
        return default
    original = _original_size(exif, size)
    if abs(_aspect(original) / _aspect(size) - 1.0) > SAME_ASPECT:
        # Cropped, and perhaps scaled as well: neither the focal length in px nor the optical axis is known any more.
        return default._replace(note="The photo was cropped after it was taken; its EXIF focal length was not used.")
    return found


def _from_exif(exif: Image.Exif, size: tuple[int, int]) -> FocalLength | None:
    block = exif.get_ifd(ExifTags.IFD.Exif)
    film_mm = _positive(block.get(ExifTags.Base.FocalLengthIn35mmFilm))
    if film_mm is not None:
        return FocalLength(film_mm / FILM_DIAGONAL_MM * math.hypot(*size), "exif_35mm")
    lens_mm = _positive(block.get(ExifTags.Base.FocalLength))
    density = _positive(block.get(ExifTags.Base.FocalPlaneXResolution))
    unit = _MILLIMETRES_PER_UNIT.get(block.get(ExifTags.Base.FocalPlaneResolutionUnit, 2))
    if lens_mm is None or density is None or unit is None:
        return None
    # The density counts the pixels of the picture as taken; one saved smaller has fewer of them.
    return FocalLength(lens_mm * density / unit * max(size) / max(_original_size(exif, size)), "exif_sensor")


def _original_size(exif: Image.Exif, size: tuple[int, int]) -> tuple[float, float]:
    """Size as taken. Editors update the EXIF block's size and leave the first one alone, so that one comes first."""
    block = exif.get_ifd(ExifTags.IFD.Exif)
    for source, wide, high in (
        (exif, ExifTags.Base.ImageWidth, ExifTags.Base.ImageLength),
        (block, ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight),
    ):
        width, height = _positive(source.get(wide)), _positive(source.get(high))
        if width is not None and height is not None:
            return width, height
    return float(size[0]), float(size[1])


def _aspect(size: tuple[float, float]) -> float:
    """Longer over shorter side: a picture may have been turned upright since."""
    return max(size) / min(size)


def _positive(value: object) -> float | None:
    """`value` as a positive finite number, or None: EXIF rationals may be 0/0, text, or tuples."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None
