"""How far from the camera a face was photographed, where nobody says: what is known before anything is fitted.

A picture shows how large a face is, which is focal length over distance, and of the two apart next to nothing. Focal
lengths in pixels differ a hundredfold, for pictures are cropped and scaled; distances do not. People are photographed
from an arm's length, 0.4 m, to across a room, 3 m, so the distance is what is assumed, and the focal length follows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_core.fit.placement import place_head
from inference_core.head import Head, HeadParameters
from inference_core.head.model import Floats
from inference_core.n2fnet.placement import REFERENCE_POINT

USUAL_DISTANCE = 1.25
"""m. The middle, in logarithms, between a selfie's 0.4 m and 3 m is 1.1; pictures that come without EXIF are more often
portraits, taken at 1 to 2 m, than selfies."""
DISTANCE_SIGMA = 0.5
"""Of its logarithm: 95 % lie between 0.46 and 3.4 m."""
TRUSTED = 0.6
"""Share of that width which the fit is given. What Face Mesh and the head's statistics get wrong about a face looks
like perspective, too, and the fit does not know it: on portraits, taken at one to two metres, the full width about
1.1 m let it put the camera at 0.9 m. `evaluation.focal --portraits` measures it."""
WIDEST_USUAL = 0.72
"""Focal length over the longer side of a phone's main lens (26 mm on film of 36): cropping makes it longer, never
shorter, so wider pictures are rare."""
WIDER_SIGMA = 0.2
"""Of the logarithm, towards wider lenses."""
NEAREST = 0.3
"""m: nobody is photographed from nearer. A focal length that says so is that of a larger picture, which was cropped."""


@dataclass(frozen=True)
class FocalGuess:
    """A focal length, px, and how far the fit may move its logarithm, as a standard deviation."""

    pixels: float
    sigma: float


def usual_focal(pixels_per_metre: float, longer_side: float) -> FocalGuess:
    """The focal length of a picture of `longer_side` px in which a face appears `pixels_per_metre` large.

    The Gaussian of the logarithm of the distance; where it asks for a wider lens than phones have, times a Gaussian
    about that lens.
    """
    by_distance = float(np.log(pixels_per_metre * USUAL_DISTANCE))
    by_lens = float(np.log(WIDEST_USUAL * longer_side))
    if by_distance >= by_lens:
        return FocalGuess(float(np.exp(by_distance)), TRUSTED * DISTANCE_SIGMA)
    weights = np.array([DISTANCE_SIGMA**-2, WIDER_SIGMA**-2])
    middle = float(weights @ (by_distance, by_lens) / weights.sum())
    return FocalGuess(float(np.exp(middle)), TRUSTED * float(weights.sum() ** -0.5))


def face_scale(head: Head, points: Floats, intrinsics: Floats) -> float:
    """Pixels a metre at the middle of the face with Face Mesh's `points` (M, 2) px, head.mediapipe_index order.

    The mean head, placed under a focal length (4,) that need not be right: the scale hardly depends on it.
    """
    camera = place_head(head, HeadParameters.neutral(head), points, intrinsics)
    return float(intrinsics[0] / camera.to_camera(np.array(REFERENCE_POINT))[2])
