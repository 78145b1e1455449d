"""Everything that moves the head's surface: expressions, lids, joints, weights and pose correctives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .combinations import COMPLETED, Combined, combine
from .correctives import LEFT_EYE, RIGHT_EYE, add_drop, add_looks, jaw_correctives, turned_back
from .cut import Cut
from .expressions import EXPRESSIONS, Scanned, expression_directions, read_scanned
from .identity import mirrored
from .jaw import HINGE, OPEN, SIDE
from .lids import clear_ball, eyelid_directions, lid_rings
from .lips import LipLoops, lip_loops, part_lips, rounded_lower_lip, seal_lips
from .scans import Scans
from .sculpted import sculpted_mesh
from .skinning import JawFit, about_x, eye_row, joint_row, skin_weights
from .source import Floats, Source
from .space import Space

JOINT_SUPPORT = 160  # vertices a joint is read from


@dataclass(frozen=True)
class Motion:
    """expressions (V,3,E), lids (V,3,2), weights (V,5), pose (V,3,36), regressor (5,V), rad.

    joints (3,3) m: jaw, left and right eye.
    """

    expressions: Floats
    lids: Floats
    weights: Floats
    pose: Floats
    regressor: Floats
    joints: Floats
    pairs: Combined
    jaw_open: float
    jaw_side: float


def build_motion(source: Source, cut: Cut, space: Space, scans: Scans) -> Motion:
    """Directions and joints of a head with this identity space."""
    template, eye, radius = space.template, space.eyes[0], space.radius
    apart = sculpted_mesh(source, cut)
    loops = lip_loops(apart, cut)
    shapes = read_scanned(scans, cut, template, apart)
    shapes["jawOpen"] = rounded_lower_lip(shapes["jawOpen"], template, loops)
    expressions = expression_directions(source, cut, shapes, template, loops, eye, radius)
    lids = eyelid_directions(shapes["eyeBlinkLeft"], cut, template, eye, radius)
    regressor = _regressor(cut, space, np.concatenate([expressions, lids], axis=2))
    jaw = JawFit(regressor[2] @ template * [0.0, 1.0, 1.0], OPEN, SIDE)
    weights = skin_weights(template, cut, shapes["jawOpen"], jaw)
    expressions[:, :, EXPRESSIONS.index("mouthClose")] = _mouth_close(cut, template, loops, shapes, weights, jaw)
    left = part_lips(shapes["jawLeft"], template, loops)
    pose = jaw_correctives(template, weights, jaw, shapes["jawOpen"], left, mirrored(left, cut.mirror))
    pose[~cut.parts["skin"]] = 0.0  # teeth are rigid: they turn with the jaw and nothing else
    add_drop(pose, cut.parts["tongue"], jaw)
    _add_looks(pose, cut, shapes, template, eye, radius)
    joints = np.concatenate([[jaw.pivot], space.eyes])
    pairs = combine(cut, template, expressions, pose)
    for name in COMPLETED:
        expressions[:, :, EXPRESSIONS.index(name)] = 0.0
    return Motion(expressions, lids, weights, pose, regressor, joints, pairs, OPEN, SIDE)


def _add_looks(pose: Floats, cut: Cut, shapes: Scanned, template: Floats, eye: Floats, radius: float) -> None:
    """The lids follow the gaze as scanned, and stay outside the ball."""
    rings = lid_rings(template, cut)
    left = {
        way: clear_ball(shapes[f"eyeLook{way}Left"], template, rings, eye, radius, cut)
        for way in ("Up", "Down", "In", "Out")
    }
    add_looks(pose, left, LEFT_EYE, "Out", "In")
    add_looks(pose, {way: mirrored(offset, cut.mirror) for way, offset in left.items()}, RIGHT_EYE, "In", "Out")


def _mouth_close(cut: Cut, template: Floats, loops: LipLoops, shapes: Scanned, weights: Floats, jaw: JawFit) -> Floats:
    """mouthClose by ARKit's meaning: together with jawOpen the lips touch. The jaw turns it, so it is turned back
    first.
    """
    closed = seal_lips(shapes["jawOpen"] + shapes["mouthClose"], template, loops)
    sealed = turned_back(closed - shapes["jawOpen"], weights[:, 2], about_x(jaw.angle))
    sealed[~cut.parts["skin"]] = 0.0
    return 0.5 * (sealed + mirrored(sealed, cut.mirror))


def _regressor(cut: Cut, space: Space, moving: Floats) -> Floats:
    """(5,V) rows for root, neck, jaw and eyes, read only from skin that nothing moves.

    The jaw's hinge is the scans' on the template; from person to person it goes where the sculpted rig's jaw goes.
    """
    still = cut.parts["skin"] & (np.abs(moving).max(axis=(1, 2)) == 0)
    neck = 0.5 * (space.cubes["joint-neck"] + space.cubes["joint-head"])
    middle = np.array([0.0, 1.0, 1.0])
    goals = (space.cubes["joint-neck"], neck * middle)
    rows = [joint_row(space.people, goal, still, JOINT_SUPPORT) for goal in goals]
    mouth = space.cubes["joint-mouth"]
    about_template = space.people - space.people.mean(axis=0) + space.template
    rows.append(joint_row(about_template, (mouth - mouth.mean(axis=0)) * middle + HINGE, still, JOINT_SUPPORT))
    stacked = np.stack(rows)
    stacked = 0.5 * (stacked + stacked[:, cut.mirror])
    return np.stack([*stacked, eye_row(cut, "left_eyeball"), eye_row(cut, "right_eyeball")])
