"""Pose correctives: linear in (R - I), they make turned joints reproduce the sculpted jawOpen, jawLeft/Right and
eyeLook shapes.
"""

from __future__ import annotations

import numpy as np

from .skinning import JawFit, about_x, about_y
from .source import Flags, Floats

NECK, JAW, LEFT_EYE, RIGHT_EYE = 0, 9, 18, 27  # first column of each joint's nine
# In R - I, row-major: a turn about x has -sin at [1,2] and +sin at [2,1]; about y +sin at [0,2] and -sin at [2,0].
X_SINE = ((5, -1.0), (7, 1.0))
Y_SINE = ((2, 1.0), (6, -1.0))

# Gaze at a full sculpted eyeLook. The helper ball turns less than its lids move in the sculpts (10 to 16 degrees);
# with these
# angles the upper lid follows two thirds of the ball's surface, as lids do, and does not shut when one looks down.
LOOK_DEGREES = {"Up": 15.0, "Down": 20.0, "In": 22.0, "Out": 22.0}


def _add(dirs: Floats, first: int, sine: tuple[tuple[int, float], ...], offset: Floats, angle: float) -> None:
    """Let `offset` (V,3) appear in full at `angle` and grow with the sine: shared equally by the two sine elements."""
    for column, sign in sine:
        dirs[:, :, first + column] += sign * offset / (2.0 * np.sin(angle))


def missing(template: Floats, sculpted: Floats, weights: Floats, pivot: Floats, rotation: Floats) -> Floats:
    """What must be added before skinning so that the turned joint gives template + sculpted: (V,3) m.

    weights (V,): the joint's skinning weight; the rest of the head stands still.
    """
    blend = np.eye(3) + weights[:, None, None] * (rotation - np.eye(3))
    shift = weights[:, None] * (pivot - rotation @ pivot)
    before: Floats = np.linalg.solve(blend, (template + sculpted - shift)[..., None])[..., 0]
    return before - template


def turned_back(offset: Floats, weights: Floats, rotation: Floats) -> Floats:
    """The offset (V,3) before skinning that shows as `offset` when the joint with these weights (V,) is turned."""
    blend = np.eye(3) + weights[:, None, None] * (rotation - np.eye(3))
    return np.asarray(np.linalg.solve(blend, offset[..., None])[..., 0])


def fit_side_angle(template: Floats, sculpted: Floats, pivot: Floats, teeth: Flags) -> float:
    """The turn about y that moves the lower teeth sideways as far as the sculpt does, rad."""
    arm = template[teeth] - pivot
    moved = sculpted[teeth]
    return float(np.arctan2((moved[:, 0] * arm[:, 2]).sum(), (arm[:, 2] ** 2).sum()))


def look_correctives(
    looks: dict[str, Floats], first: int, to_left: str, to_right: str
) -> list[tuple[int, str, Floats]]:
    """Lid offsets per unit sine about x and y, from sculpts for Up, Down, In, Out: the odd part of each pair."""

    def slope(positive: str, negative: str) -> Floats:
        one, other = (looks[way] / np.sin(np.radians(LOOK_DEGREES[way])) for way in (positive, negative))
        return np.asarray(0.5 * (one - other))

    return [(first, "x", slope("Down", "Up")), (first, "y", slope(to_left, to_right))]


def pose_correctives(
    template: Floats,
    weights: Floats,
    jaw: JawFit,
    jaw_open: Floats,
    jaw_left: Floats,
    jaw_right: Floats,
    side_angle: float,
    looks: list[tuple[int, str, Floats]],
) -> Floats:
    """(V,3,36). looks: (joint's first column, axis "x" or "y", lid offset per unit sine)."""
    dirs = np.zeros((len(template), 3, 36))
    _add(dirs, JAW, X_SINE, missing(template, jaw_open, weights[:, 2], jaw.pivot, about_x(jaw.angle)), jaw.angle)
    left = missing(template, jaw_left, weights[:, 2], jaw.pivot, about_y(side_angle))
    right = missing(template, jaw_right, weights[:, 2], jaw.pivot, about_y(-side_angle))
    _add(dirs, JAW, Y_SINE, 0.5 * (left - right), side_angle)
    for first, axis, offset in looks:
        _add(dirs, first, X_SINE if axis == "x" else Y_SINE, offset, np.pi / 2)
    return dirs
