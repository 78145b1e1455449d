"""Where wrinkles come together, and with which of ARKit's expressions: nine regions of the face.

After the facial action units that make them (Ekman and Friesen, Facial Action Coding System, 1978): the forehead's with
the brows' rise, the glabella's with their frown, crow's feet and the lids' with squint and smile, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from inference_core.head import Head, landmarks_68
from inference_core.head.model import Float32s, Floats

SIDES = ("Left", "Right")


@dataclass(frozen=True)
class Region:
    """A name, and how far each expression at 1 brings the region's wrinkles out."""

    name: str
    expressions: dict[str, float]


REGIONS: tuple[Region, ...] = (
    Region("forehead", {"browInnerUp": 1.0, "browOuterUpLeft": 0.5, "browOuterUpRight": 0.5}),
    Region("glabella", {"browDownLeft": 0.6, "browDownRight": 0.6}),
    Region("nose", {"noseSneerLeft": 0.6, "noseSneerRight": 0.6}),
    *(
        Region(f"eye_{side.lower()}", {f"eyeSquint{side}": 0.5, f"cheekSquint{side}": 0.6, f"mouthSmile{side}": 0.6})
        for side in SIDES
    ),
    *(
        Region(f"fold_{side.lower()}", {f"mouthSmile{side}": 0.9, f"mouthUpperUp{side}": 0.4, f"noseSneer{side}": 0.5})
        for side in SIDES
    ),
    Region("chin", {"mouthShrugLower": 1.0, "mouthRollLower": 0.4, "mouthFrownLeft": 0.3, "mouthFrownRight": 0.3}),
    Region("neck", {"mouthStretchLeft": 0.5, "mouthStretchRight": 0.5, "jawForward": 0.3}),
)
MOST = 1.5
"""Of a region's amount."""


def amounts_of(head: Head, expression: Floats) -> Floats:
    """(R,) 0..MOST: how far the expressions (E,) bring out each region's wrinkles."""
    value = dict(zip(head.expression_names, expression.tolist(), strict=True))
    sums = [sum(weight * value.get(name, 0.0) for name, weight in region.expressions.items()) for region in REGIONS]
    return np.clip(np.array(sums), 0.0, MOST)


@lru_cache(maxsize=2)
def shares_of(head: Head) -> Float32s:
    """(V, R) 0..1, smooth, together at most 1: which region each vertex belongs to."""
    marks = landmarks_68(head, head.template.astype(np.float64), 0.0) * 1e3
    place = head.template.astype(np.float64) * 1e3

    def about(*centres: Floats, reach: float) -> Floats:
        near = [np.exp(-0.5 * (np.linalg.norm(place - centre, axis=1) / reach) ** 2) for centre in centres]
        return np.asarray(np.max(near, axis=0))

    def above(height: float, soft: float) -> Floats:
        return np.asarray(1.0 / (1.0 + np.exp(-(place[:, 1] - height) / soft)))

    front = 1.0 / (1.0 + np.exp(-(place[:, 2] - marks[8, 2] + 40.0) / 8.0))
    brow = float(marks[17:27, 1].mean())
    # iBUG: 21, 22 the brows' inner ends; 27, 28 the bridge; 36..39 and 42..45 the eyes' corners; 31, 35 the nose's
    # wings; 48, 54 the mouth's corners; 57 below the lip; 8 the chin. The subject's right comes first.
    eyes = {"Right": (36, 41, 40, 19), "Left": (45, 46, 47, 24)}
    folds = {"Right": (31, 48, -1.0), "Left": (35, 54, 1.0)}
    columns = [
        above(brow + 5.0, 2.5) * front,
        about((marks[21] + marks[22]) / 2, reach=11.0),
        about(marks[27], marks[28], reach=8.0),
    ]
    for side in SIDES:
        corner, outer, inner, _ = eyes[side]
        out = np.sign(marks[corner, 0]) * np.array([12.0, 0.0, 0.0])
        below = np.array([0.0, -8.0, 0.0])
        columns.append(about(marks[corner] + out, marks[outer] + below, marks[inner] + below, reach=13.0))
    for side in SIDES:
        wing, mouth, sign = folds[side]
        start, end = marks[wing] + (sign * 6.0, 4.0, 0.0), marks[mouth] + (sign * 9.0, -4.0, 0.0)
        columns.append(about(*(start + share * (end - start) for share in (0.0, 0.35, 0.7, 1.0)), reach=11.0))
    columns.append(about((marks[57] + marks[8]) / 2, reach=14.0))
    columns.append((1.0 - above(float(marks[8, 1]) - 12.0, 4.0)) * front)
    shares = np.stack(columns, axis=1)
    shares[~(head.region("face") | (shares[:, -1] > 0.3))] = 0.0
    return np.asarray(shares / np.maximum(shares.sum(axis=1, keepdims=True), 1.0), np.float32)
