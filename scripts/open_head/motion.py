"""Everything that moves the head's surface: expressions, lids, joints, weights and pose correctives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .correctives import (
    LEFT_EYE,
    LOOK_DEGREES,
    RIGHT_EYE,
    fit_side_angle,
    look_correctives,
    pose_correctives,
    turned_back,
)
from .cut import METRES, Cut
from .expressions import EXPRESSIONS, expression_directions, face_unit
from .identity import mirrored
from .lids import eyelid_directions
from .lips import OVERLAP, close_lips
from .sculpted import ORIGIN, sculpted_mesh
from .skinning import JawFit, about_x, eye_row, fit_jaw, joint_row, skin_weights
from .source import Floats, Source
from .space import Space

JOINT_SUPPORT = 160  # vertices a joint is read from


@dataclass(frozen=True)
class Motion:
    """expressions (V,3,E), lids (V,3,2), weights (V,5), pose (V,3,36), regressor (5,V), angles in rad."""

    expressions: Floats
    lids: Floats
    weights: Floats
    pose: Floats
    regressor: Floats
    jaw_open: float
    jaw_side: float


def build_motion(source: Source, cut: Cut, space: Space) -> Motion:
    """Directions and joints of a head with this identity space."""
    template = space.template
    jaw_open, jaw_left, jaw_right = (face_unit(source, cut, name) for name in ("jawOpen", "jawLeft", "jawRight"))
    expressions = expression_directions(source, cut)
    lids = eyelid_directions(source, cut, template, space.eyes[0], space.radius)
    sculpted_jaw = _jaw(source, cut, space, jaw_open)
    regressor = _regressor(cut, space, sculpted_jaw, np.concatenate([expressions, lids], axis=2))
    jaw = JawFit(regressor[2] @ template * [0.0, 1.0, 1.0], sculpted_jaw.angle)
    weights = skin_weights(template, cut, jaw_open, jaw)
    close = EXPRESSIONS.index("mouthClose")
    expressions[:, :, close] = _mouth_close(source, cut, template, jaw_open, expressions[:, :, close], weights, jaw)
    side = fit_side_angle(template, jaw_left, jaw.pivot, cut.parts["lower_teeth"])
    looks = []
    for first, name, to_left, to_right in ((LEFT_EYE, "Left", "Out", "In"), (RIGHT_EYE, "Right", "In", "Out")):
        sculpts = {way: face_unit(source, cut, f"eyeLook{way}{name}") for way in LOOK_DEGREES}
        looks += look_correctives(sculpts, first, to_left, to_right)
    pose = pose_correctives(template, weights, jaw, jaw_open, jaw_left, jaw_right, side, looks)
    pose[cut.parts["lower_teeth"]] = 0.0  # teeth are rigid: they turn with the jaw and nothing else
    return Motion(expressions, lids, weights, pose, regressor, jaw.angle, side)


def _jaw(source: Source, cut: Cut, space: Space, jaw_open: Floats) -> JawFit:
    """The sculptor's hinge and angle on the sculpted population's mean, where the rig's jaw cube carries them."""
    sculpted = sculpted_mesh(source, cut)
    fitted = fit_jaw(sculpted, sculpted + jaw_open, cut.parts["lower_teeth"])
    cube = source.base.positions[source.groups["joint-mouth"]].mean(axis=0) * METRES
    moved = (space.cubes["joint-mouth"] + ORIGIN).mean(axis=0) - cube
    return JawFit(fitted.pivot + moved * [0, 1, 1] - ORIGIN, fitted.angle)


def _mouth_close(
    source: Source, cut: Cut, template: Floats, jaw_open: Floats, sculpt: Floats, weights: Floats, jaw: JawFit
) -> Floats:
    """mouthClose by ARKit's meaning: together with jawOpen the lips touch. The jaw turns it, so it is turned back
    first.
    """
    opened = template + jaw_open
    closed = close_lips((opened + sculpt)[None], sculpted_mesh(source, cut), cut, OVERLAP)[0]
    sealed = turned_back(closed - opened, weights[:, 2], about_x(jaw.angle))
    return 0.5 * (sealed + mirrored(sealed, cut.mirror))


def _regressor(cut: Cut, space: Space, jaw: JawFit, moving: Floats) -> Floats:
    """(5,V) rows for root, neck, jaw and eyes, read only from skin that nothing moves."""
    still = cut.parts["skin"] & (np.abs(moving).max(axis=(1, 2)) == 0)
    neck = 0.5 * (space.cubes["joint-neck"] + space.cubes["joint-head"])
    hinge = space.cubes["joint-mouth"] + (jaw.pivot - space.cubes["joint-mouth"].mean(axis=0))
    middle = np.array([0.0, 1.0, 1.0])
    goals = (space.cubes["joint-neck"], neck * middle, hinge * middle)
    rows = np.stack([joint_row(space.people, goal, still, JOINT_SUPPORT) for goal in goals])
    rows = 0.5 * (rows + rows[:, cut.mirror])
    return np.stack([*rows, eye_row(cut, "left_eyeball"), eye_row(cut, "right_eyeball")])
