"""A focal length that a user gives in pixels, asked whether it can be one: lenses carry millimetres."""

from __future__ import annotations

import math

from inference_core.errors import BadInput

LEAST_PER_SIDE, MOST_PER_SIDE = 0.3, 200.0
"""Focal length over the picture's longer side. A frame of 120 degrees, and a head that fills a picture taken from 50 m;
beyond them lies no lens, but millimetres, metres, and slips of the finger."""
WIDE_PER_SIDE = 0.5
"""Below it, 90 degrees along the longer side: action cameras, and millimetres in a small picture."""
LONGEST_LENS = 250.0
"""mm: portraits are taken with shorter ones. A larger number is meant in pixels, however wide the view is."""
_FILM_WIDTH_MM = 36.0


def check_focal_length(pixels: float, size: tuple[int, int]) -> str | None:
    """A sentence to tell for a focal length that is unusual in a picture of `size` px.

    Raises:
        BadInput: for one that no lens has; where it reads like millimetres, the remedy says how many pixels those are.
    """
    longer = float(max(size))
    if not (math.isfinite(pixels) and pixels > 0):
        raise BadInput(
            f"The focal length {pixels} is not a positive number of pixels.", "Leave it out or give one > 0."
        )
    meant = f"{pixels:g} mm on 35 mm film are {pixels / _FILM_WIDTH_MM * longer:.0f} pixels of this picture"
    if pixels < LEAST_PER_SIDE * longer and pixels <= LONGEST_LENS:
        raise BadInput(
            f"A focal length of {pixels:g} pixels is too short for a picture of {size[0]} x {size[1]}; is it in mm?",
            f"{meant}; or leave it out.",
        )
    if pixels > MOST_PER_SIDE * longer:
        raise BadInput(
            f"A focal length of {pixels:g} pixels is too long for a picture of {size[0]} x {size[1]}.",
            "Give it in pixels of the picture at its full size, or leave it out.",
        )
    if pixels < WIDE_PER_SIDE * longer:
        angle = 2 * math.degrees(math.atan(0.5 * longer / pixels))
        return f"A focal length of {pixels:g} pixels is a view of {angle:.0f} degrees. If it is in mm: {meant}."
    return None
