"""ARKit's expression directions from MakeHuman's CC0 face units. What jaw, gaze and lids do is left to the joints
and lids.
"""

from __future__ import annotations

import numpy as np

from .cut import METRES, Cut
from .identity import mirrored
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
USUAL_SIGMA = 0.3
SIGMA = {
    "mouthSmile": 0.5, "mouthRoll": 0.25, "mouthPress": 0.2, "mouthDimple": 0.2, "mouthShrug": 0.2, "noseSneer": 0.2,
    "mouthLeft": 0.15, "mouthRight": 0.15, "mouthClose": 0.15, "cheekPuff": 0.15, "jawForward": 0.12, "tongueOut": 0.05,
}  # fmt: skip
"""How far faces usually go, by the first part of the name; what explains a face as well but is rarer gets less. Chosen
so that the shipped portraits' smiles are called mouthSmile, at the same distance from their landmarks and normals."""
QUIET = 2e-5  # m: motion below this is rounding of the target files


def _raw(source: Source, cut: Cut, name: str) -> Floats:
    offsets = source.target(f"{FACE_UNITS}/{name}")[cut.kept] * METRES
    return np.concatenate([offsets, np.zeros((2 * len(cut.sphere), 3))])


def face_unit(source: Source, cut: Cut, name: str) -> Floats:
    """Offsets (V,3) m of one face unit; eyeballs stay. The sculpts differ by up to 2 mm between the sides: here they
    mirror.
    """
    if name.endswith("Left"):
        twin = name.removesuffix("Left") + "Right"
    elif name.endswith("Right"):
        twin = name.removesuffix("Right") + "Left"
    else:
        twin = name
    offsets = 0.5 * (_raw(source, cut, name) + mirrored(_raw(source, cut, twin), cut.mirror))
    offsets[np.linalg.norm(offsets, axis=1) < QUIET] = 0.0
    return offsets


def expression_directions(source: Source, cut: Cut) -> Floats:
    """(V,3,E) m, in the order of EXPRESSIONS."""
    return np.stack([face_unit(source, cut, name) for name in EXPRESSIONS], axis=-1)


def expression_sigma() -> Floats:
    """(E,) standard deviations, in the order of EXPRESSIONS."""
    sides = ("Left", "Right", "Upper", "Lower")

    def sigma(name: str) -> float:
        stem = next((name.removesuffix(side) for side in sides if name.endswith(side)), name)
        return SIGMA.get(name, SIGMA.get(stem, USUAL_SIGMA))

    return np.array([sigma(name) for name in EXPRESSIONS])
