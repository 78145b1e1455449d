"""Which of Face Mesh's 478 points stand for the 68 points of iBUG, and for eyes and irises.

Left and right are the SUBJECT's. The 68 follow the table in common use, but for nine points that it puts a tenth of the
distance between the eyes or more from iBUG's places: the brows' outer ends, the nose's tip and the points halfway
along the lips.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

JAW: Final = (162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389)
RIGHT_BROW: Final = (70, 63, 105, 66, 107)
LEFT_BROW: Final = (336, 296, 334, 293, 300)
NOSE_BRIDGE: Final = (168, 197, 5, 1)
NOSE_BASE: Final = (75, 97, 2, 326, 305)
RIGHT_EYE: Final = (33, 160, 158, 133, 153, 144)
LEFT_EYE: Final = (362, 385, 387, 263, 373, 380)
OUTER_LIPS: Final = (61, 39, 37, 0, 267, 269, 291, 321, 314, 17, 84, 91)
INNER_LIPS: Final = (78, 81, 13, 311, 308, 402, 14, 178)

IBUG_68: Final[NDArray[np.intp]] = np.array(
    JAW + RIGHT_BROW + LEFT_BROW + NOSE_BRIDGE + NOSE_BASE + RIGHT_EYE + LEFT_EYE + OUTER_LIPS + INNER_LIPS,
    dtype=np.intp,
)
"""(68,) Face Mesh index of every iBUG point, in iBUG's order: 0 at the subject's right ear."""

RIGHT_IRIS: Final = (468, 469, 470, 471, 472)
LEFT_IRIS: Final = (473, 474, 475, 476, 477)
"""First the pupil's centre, then four points on the iris's rim."""

MESH_POINTS: Final = 478


def points_68(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(68, D) of (478, D)."""
    return points[IBUG_68]


def eye_centres(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2, 2) px: middle of the corners of the right, then the left eye; irises would add the gaze."""
    right = points[[33, 133], :2].mean(axis=0)
    left = points[[362, 263], :2].mean(axis=0)
    return np.stack([right, left])


def roll_radians(points: NDArray[np.float64]) -> float:
    """How far the head is turned clockwise in the picture (u right, v down), by the line through the eyes, -pi..pi."""
    right, left = eye_centres(points)
    return float(np.arctan2(left[1] - right[1], left[0] - right[0]))
