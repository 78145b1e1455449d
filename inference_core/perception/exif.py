"""Focal length in pixels from a photo's EXIF block."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from PIL import ExifTags, Image

FocalSource = Literal["given", "exif_35mm", "exif_sensor", "default"]

FILM_WIDTH_MM = 36.0
FILM_DIAGONAL_MM = math.hypot(36.0, 24.0)
DEFAULT_FOCAL_PER_SIDE = 1.2
"""Without EXIF, f = 1.2 x the longer side: photography's "normal lens", whose focal length is the film's diagonal
(43.3 mm on 36 mm film, 43.3 / 36 = 1.2). The field of view is 45 degrees along the longer side."""

PLAUSIBLE_FOCAL_PER_SIDE = (0.3, 60.0)
"""12 mm to 2 m in film terms; EXIF blocks written by scanners and editors hold zeros and nonsense beyond it."""

_MILLIMETRES_PER_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}


class FocalLength(NamedTuple):
    """`pixels` at the full size of the picture, and where the number comes from."""

    pixels: float
    source: FocalSource


def focal_length(exif: Image.Exif, size: tuple[int, int]) -> FocalLength:
    """Focal length of a picture of `size` (width, height) px.

    FocalLengthIn35mmFilm comes first, then FocalLength with the sensor's resolution tags, then the default. The first
    one is defined by the diagonal (CIPA DCG-001), which is why pictures of any aspect ratio are treated alike.
    """
    width, height = size
    longer = float(max(width, height))
    block = exif.get_ifd(ExifTags.IFD.Exif)
    film_mm = _positive(block.get(ExifTags.Base.FocalLengthIn35mmFilm))
    if film_mm is not None:
        pixels = film_mm / FILM_DIAGONAL_MM * math.hypot(width, height)
        if _plausible(pixels, longer):
            return FocalLength(pixels, "exif_35mm")
    lens_mm = _positive(block.get(ExifTags.Base.FocalLength))
    density = _positive(block.get(ExifTags.Base.FocalPlaneXResolution))
    unit = block.get(ExifTags.Base.FocalPlaneResolutionUnit, 2)
    if lens_mm is not None and density is not None and unit in _MILLIMETRES_PER_UNIT:
        pixels = lens_mm * density / _MILLIMETRES_PER_UNIT[unit]
        # The density counts the sensor's pixels; a picture saved smaller than it was taken has fewer of them.
        taken = (block.get(ExifTags.Base.ExifImageWidth), block.get(ExifTags.Base.ExifImageHeight))
        taken_longer = max((value for value in map(_positive, taken) if value is not None), default=longer)
        pixels *= longer / taken_longer
        if _plausible(pixels, longer):
            return FocalLength(pixels, "exif_sensor")
    return FocalLength(DEFAULT_FOCAL_PER_SIDE * longer, "default")


def _positive(value: object) -> float | None:
    """`value` as a positive finite number, or None: EXIF rationals may be 0/0, text, or tuples."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _plausible(pixels: float, longer: float) -> bool:
    low, high = PLAUSIBLE_FOCAL_PER_SIDE
    return low <= pixels / longer <= high
