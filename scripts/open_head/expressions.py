"""ARKit's expression directions from ICT-FaceKit's scans, on the head's mesh. What jaw, gaze and lids do is left to the
joints and lids; the tongue, which no scan shows, is MakeHuman's.
"""

from __future__ import annotations

import numpy as np

from .corners import joined_at_corners
from .cut import METRES, Cut
from .identity import mirrored
from .inside import find_inside
from .jaw import FORWARD, HINGE, OPEN, SIDE
from .lids import clear_ball, lid_rings
from .lips import LipLoops, part_lips
from .scans import Scans
from .skinning import about_x, about_y, turned
from .source import Floats, Source

FACE_UNITS = "faceunits01/targets/faceunits"
EXPRESSIONS = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft",
    "eyeWideRight",
    "jawForward", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip
TO_THE_JOINTS = (
    "jawOpen", "jawLeft", "jawRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight",
)  # fmt: skip
USUAL_SIGMA = 0.3
SIGMA = {
    "mouthSmile": 0.5, "mouthRoll": 0.25, "mouthPress": 0.2, "mouthDimple": 0.2, "mouthShrug": 0.2, "noseSneer": 0.2,
    "mouthLeft": 0.15, "mouthRight": 0.15, "mouthClose": 0.15, "cheekPuff": 0.15, "jawForward": 0.12, "tongueOut": 0.05,
}  # fmt: skip
"""How far faces usually go, by the first part of the name; what explains a face as well but is rarer gets less. Chosen
so that the shipped portraits' smiles are called mouthSmile, at the same distance from their landmarks and normals."""
QUIET = 2e-5  # m: motion below this is rounding


Scanned = dict[str, Floats]
"""ARKit's name -> (V,3) m at full strength; what no scan shows follows, teeth, tongue and eyeballs stand still."""


def read_scanned(scans: Scans, cut: Cut, template: Floats, apart: Floats) -> Scanned:
    """All of ARKit's shapes that the scans have: middle and left as scanned, the right ones mirrored.

    apart (V,3): a head with its lips apart.
    """
    names = [name for name in (*EXPRESSIONS, *TO_THE_JOINTS) if name != "tongueOut" and not _is_right(name)]
    inside = find_inside(cut, template, apart)
    bones = np.zeros((len(names), *template.shape))
    for name, rotation in (("jawOpen", about_x(OPEN)), ("jawLeft", about_y(SIDE))):
        bones[names.index(name)] = turned(template, HINGE, rotation) - template
    bones[names.index("jawForward")] = FORWARD
    moved = inside.follow(np.stack([_from_scan(scans, cut, name) for name in names]), bones)
    moved = joined_at_corners(moved, template, apart, cut)
    moved[:, ~cut.parts["skin"]] = 0.0
    result: Scanned = {}
    for name, offset in zip(names, moved, strict=True):
        if name.endswith("Left"):
            result[name] = offset
            result[name.removesuffix("Left") + "Right"] = mirrored(offset, cut.mirror)
        else:
            result[name] = 0.5 * (offset + mirrored(offset, cut.mirror))
    return result


def _is_right(name: str) -> bool:
    return name.endswith("Right")


def _from_scan(scans: Scans, cut: Cut, name: str) -> Floats:
    """(V,3) m: where the scans' sides differ, both become their mean. ICT halves browInnerUp and cheekPuff."""
    halves = [name + side for side in ("_L", "_R")] if f"{name}_L" in scans.expression_names else [_theirs(name)]
    total = sum((scans.expression(half) for half in halves), np.zeros_like(scans.mean))
    twin = sum((scans.expression(_other_side(half)) for half in halves), np.zeros_like(scans.mean))
    return np.asarray(0.5 * (total + mirrored(twin, cut.mirror)))


def _theirs(name: str) -> str:
    """ICT's spelling: eyeBlinkLeft is eyeBlink_L, but jawLeft is jawLeft."""
    for side in ("Left", "Right"):
        if name.endswith(side) and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            return f"{name.removesuffix(side)}_{side[0]}"
    return name


def _other_side(name: str) -> str:
    for one, other in (("_L", "_R"), ("Left", "Right")):
        if name.endswith(one):
            return name.removesuffix(one) + other
        if name.endswith(other):
            return name.removesuffix(other) + one
    return name


def _raw(source: Source, cut: Cut, name: str) -> Floats:
    offsets = source.target(f"{FACE_UNITS}/{name}")[cut.kept] * METRES
    return np.concatenate([offsets, np.zeros((2 * len(cut.sphere), 3))])


def face_unit(source: Source, cut: Cut, name: str) -> Floats:
    """Offsets (V,3) m of one of MakeHuman's face units, the sides made to mirror; eyeballs stay."""
    if name.endswith("Left"):
        twin = name.removesuffix("Left") + "Right"
    elif name.endswith("Right"):
        twin = name.removesuffix("Right") + "Left"
    else:
        twin = name
    offsets = 0.5 * (_raw(source, cut, name) + mirrored(_raw(source, cut, twin), cut.mirror))
    offsets[np.linalg.norm(offsets, axis=1) < QUIET] = 0.0
    return offsets


def expression_directions(
    source: Source, cut: Cut, shapes: Scanned, template: Floats, loops: LipLoops, eye: Floats, radius: float
) -> Floats:
    """(V,3,E) m, in the order of EXPRESSIONS. eye (3,): the left ball's centre, from which the lids stay away."""
    rings = lid_rings(template, cut)
    result: Scanned = {"tongueOut": face_unit(source, cut, "tongueOut")}
    for name in EXPRESSIONS:
        if name == "tongueOut":
            continue
        if _is_right(name):
            result[name] = mirrored(result[name.removesuffix("Right") + "Left"], cut.mirror)
            continue
        shape = part_lips(shapes[name], template, loops)
        for _ in range(2):  # the left eye, then the right one
            shape = mirrored(clear_ball(shape, template, rings, eye, radius, cut), cut.mirror)
        if not name.endswith("Left"):
            shape = 0.5 * (shape + mirrored(shape, cut.mirror))
        shape[np.linalg.norm(shape, axis=1) < QUIET] = 0.0
        if name == "jawForward":
            shape[cut.parts["lower_teeth"] | cut.parts["tongue"]] = FORWARD
        result[name] = shape
    return np.stack([result[name] for name in EXPRESSIONS], axis=-1)


def expression_sigma() -> Floats:
    """(E,) standard deviations, in the order of EXPRESSIONS."""
    sides = ("Left", "Right", "Upper", "Lower")

    def sigma(name: str) -> float:
        stem = next((name.removesuffix(side) for side in sides if name.endswith(side)), name)
        return SIGMA.get(name, SIGMA.get(stem, USUAL_SIGMA))

    return np.array([sigma(name) for name in EXPRESSIONS])
