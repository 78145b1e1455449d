"""The focal length of a photo whose face has been found: known, or what a likely distance makes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference_core.fit.distance import NEAREST, face_scale, usual_focal
from inference_core.head import Head
from inference_core.perception.exif import FocalLength
from inference_core.perception.faces import Face
from inference_core.perception.image import Photo

TOLD = 0.7
"""Of its width before: where the fit leaves the focal length less open than this, the picture has told it."""


def with_focal(head: Head, photo: Photo, face: Face) -> Photo:
    """The photo with the focal length that its face makes likely, unless it is known.

    EXIF's is that of the whole picture. Where it puts the face nearer than faces are photographed, what we have is a
    part of that picture, and it counts as unknown.
    """
    if photo.focal.source == "given":
        return photo
    points = np.asarray(face.points[head.mediapipe_index, :2], dtype=np.float64)
    scale = face_scale(head, points, photo.intrinsics)
    distance = photo.focal.pixels / scale
    if photo.focal.source != "assumed" and distance >= NEAREST:
        return photo
    guess = usual_focal(scale, max(photo.size))
    notes = photo.notes
    if photo.focal.source != "assumed":
        notes += (
            f"EXIF's focal length would put the face {100 * distance:.0f} cm from the camera: "
            "the photo was cropped, and the focal length was estimated.",
        )
    return replace(photo, focal=FocalLength(guess.pixels, "assumed", sigma=guess.sigma), notes=notes)


def found_focal(photo: Photo, pixels: float, sigma: float) -> FocalLength:
    """What the fit has made of the photo's focal length: `pixels`, whose logarithm it leaves open by `sigma`."""
    if photo.focal.sigma == 0.0:
        return photo.focal
    told = sigma < TOLD * photo.focal.sigma
    return FocalLength(pixels, "estimated" if told else "assumed", sigma=sigma)
