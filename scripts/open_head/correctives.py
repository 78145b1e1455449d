"""Pose correctives: linear in (R - I), they make turned joints reproduce the scanned jawOpen, jawLeft/Right and
eyeLook shapes.
"""

from __future__ import annotations

import numpy as np

from .jaw import OPEN, SIDE
from .skinning import JawFit, about_x, about_y, turned
from .source import Flags, Floats

NECK, JAW, LEFT_EYE, RIGHT_EYE = 0, 9, 18, 27  # first column of each joint's nine
# In R - I, row-major: a turn about x has -sin at [1,2] and +sin at [2,1]; about y +sin at [0,2] and -sin at [2,0].
X_SINE = ((5, -1.0), (7, 1.0))
Y_SINE = ((2, 1.0), (6, -1.0))

X_EVEN, Y_EVEN = 4, 0  # cos - 1 of a turn about x, about y

# Gaze at a full eyeLook. The scans show lids without a ball; with these angles the upper lid goes down as the ball's
# surface does, as lids do (Becker and Fuchs, "Lid-eye coordination during vertical gaze changes", 1988).
LOOK_DEGREES = {"Up": 25.0, "Down": 30.0, "In": 30.0, "Out": 30.0}


TONGUE_DROP = np.array([0.0, -0.008, -0.004])  # m beside the jaw's bone, at the full jawOpen


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


def add_drop(dirs: Floats, tongue: Flags, jaw: JawFit) -> None:
    """Let the tongue (V,) sink to the mouth's floor as the jaw opens: at rest it fills the mouth up to the palate."""
    _add(dirs, JAW, X_SINE, np.where(tongue[:, None], TONGUE_DROP, 0.0), jaw.angle)


def add_looks(dirs: Floats, looks: dict[str, Floats], first: int, to_left: str, to_right: str) -> None:
    """Let the lids' offsets (V,3) for Up, Down, In and Out appear at their angles of gaze.

    What two opposite looks share grows with the angle's square (cos - 1), what differs with its sine.
    """
    for positive, negative, sine, even in (("Down", "Up", X_SINE, X_EVEN), (to_left, to_right, Y_SINE, Y_EVEN)):
        a, b = np.radians(LOOK_DEGREES[positive]), np.radians(LOOK_DEGREES[negative])
        # offset(angle) = sin(angle) odd + (cos(angle) - 1) share, exact at both angles
        system = np.array([[np.sin(a), np.cos(a) - 1.0], [-np.sin(b), np.cos(b) - 1.0]])
        odd, share = np.einsum("ij,jvc->ivc", np.linalg.inv(system), np.stack([looks[positive], looks[negative]]))
        for column, sign in sine:
            dirs[:, :, first + column] += 0.5 * sign * odd
        dirs[:, :, first + even] += share


def jaw_correctives(
    template: Floats, weights: Floats, jaw: JawFit, jaw_open: Floats, jaw_left: Floats, jaw_right: Floats
) -> Floats:
    """(V,3,36): what makes the turned jaw reproduce the scans."""
    dirs = np.zeros((len(template), 3, 36))
    _add(dirs, JAW, X_SINE, missing(template, jaw_open, weights[:, 2], jaw.pivot, about_x(jaw.angle)), jaw.angle)
    left = missing(template, jaw_left, weights[:, 2], jaw.pivot, about_y(jaw.side))
    right = missing(template, jaw_right, weights[:, 2], jaw.pivot, about_y(-jaw.side))
    _add(dirs, JAW, Y_SINE, 0.5 * (left - right), jaw.side)
    return dirs


def combined_turns() -> dict[str, tuple[int, Floats]]:
    """ARKit's names that joints do -> which joint (0 jaw, 1 left eye, 2 right eye) and its rotation (3,3)."""
    turns = {"jawOpen": (0, about_x(OPEN)), "jawLeft": (0, about_y(SIDE)), "jawRight": (0, about_y(-SIDE))}
    for way, degrees in LOOK_DEGREES.items():
        for joint, side, outwards in ((1, "Left", 1.0), (2, "Right", -1.0)):
            angle = np.radians(degrees)
            about = {"Up": about_x(-angle), "Down": about_x(angle)}
            sideways = outwards * angle if way == "Out" else -outwards * angle
            turns[f"eyeLook{way}{side}"] = (joint, about.get(way, about_y(sideways)))
    return turns


def combined_shapes(template: Floats, pose: Floats, weights: Floats, joints: Floats) -> Floats:
    """(V,3,A) m: what each of those turns does to the neutral head. joints (3,3): jaw, left, right eye."""
    shapes = []
    for joint, rotation in combined_turns().values():
        first = (JAW, LEFT_EYE, RIGHT_EYE)[joint]
        rest = template + pose[:, :, first : first + 9] @ (rotation - np.eye(3)).ravel()
        carried = turned(rest, joints[joint], rotation) - rest
        shapes.append(rest + weights[:, 2 + joint, None] * carried - template)
    return np.stack(shapes, axis=-1)
