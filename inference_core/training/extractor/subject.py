"""Who is in the picture and how: identity, expression, gaze, head pose, camera and crop, drawn at random.

Lengths in m; camera space is OpenCV's; images are SIZE px wide and high.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from inference_core.head import Head, HeadParameters, landmarks_68, pose_head, project
from inference_core.head.rotations import matrix_from_vector

Floats = NDArray[np.float64]

SIZE = 256
OPPOSITE = ("mouthFrown", "mouthFunnel", "mouthPucker", "mouthClose", "mouthShrugUpper", "mouthPress")
SMILE = ("mouthSmile", "cheekSquint", "mouthUpperUp", "mouthLowerDown", "mouthStretch", "mouthDimple")
GRIN = ("mouthUpperUp", "mouthLowerDown")  # what bares the teeth


@dataclass(frozen=True, eq=False)
class Subject:
    """One posed head before one camera."""

    parameters: HeadParameters
    rotation: Floats  # (3, 3) head to camera
    translation: Floats  # (3,) m
    intrinsics: Floats  # (4,) of the crop, px
    vertices: Floats  # (V, 3) head space, posed
    points: Floats  # (V, 3) camera space
    normals: Floats  # (V, 3) unit, camera space (OpenCV axes)
    marks: Floats  # (68, 3) camera space


@dataclass(frozen=True)
class Sitting:
    """How people face the camera: degrees of yaw, pitch and roll (standard deviations), how many look far aside, how
    many smile, and from how far they are photographed, m."""

    yaw: float
    pitch: float
    roll: float
    aside: float
    smiling: float
    distance: tuple[float, float]


ANYHOW = Sitting(22, 11, 9, 0.15, 0.35, (0.33, 2.5))
PORTRAIT = Sitting(10, 5, 5, 0.02, 0.7, (0.6, 3.0))


def draw_parameters(head: Head, rng: np.random.Generator, sitting: Sitting = ANYHOW) -> HeadParameters:
    """Identity by its standard deviations, a few expression units, jaw, lids and gaze as people use them."""
    shape = rng.standard_normal(head.shape_count) * rng.uniform(0.6, 1.15)
    expression = _draw_expression(head.expression_names, rng, sitting.smiling)
    jaw = np.zeros(3)
    if rng.random() < 0.55:
        jaw[0] = np.radians(abs(rng.normal(0, 9)) if rng.random() < 0.85 else rng.uniform(5, 25))
    jaw[0] = min(jaw[0], np.radians(25))
    jaw[1:] = np.radians(rng.normal(0, 1.5, 2))
    gaze = np.radians(rng.normal(0, 9, 2))
    eyes = np.zeros((2, 3))
    eyes[:, 0], eyes[:, 1] = gaze[0], gaze[1]
    eyes[:, 1] += np.radians(rng.normal(0, 1.5)) * np.array([1, -1])
    lids = np.repeat(np.clip(rng.normal(0.08, 0.12), 0, 1), 2)
    mood = rng.random()
    if mood < 0.10:
        lids[:] = rng.uniform(0.6, 1.0)
    elif mood < 0.14:
        lids[rng.integers(2)] = rng.uniform(0.6, 1.0)
    neck = np.radians(rng.normal(0, (8, 8, 5)))
    return HeadParameters(
        shape=shape, expression=expression, neck=neck, jaw=jaw, eyes=np.clip(eyes, -0.45, 0.45), eyelids=lids
    )


def _draw_expression(names: tuple[str, ...], rng: np.random.Generator, smiling: float) -> Floats:
    values = np.zeros(len(names))
    kind = rng.random()
    if kind < 0.15:
        return values
    units = sorted({name.removesuffix("Left").removesuffix("Right") for name in names})
    chosen = {units[i]: rng.beta(1.2, 1.8) for i in rng.choice(len(units), rng.integers(1, 9), replace=False)}
    if kind < 0.15 + smiling:
        for opposite in OPPOSITE:
            chosen.pop(opposite, None)
        strength, grin = rng.uniform(0.3, 1.0), rng.random() < 0.5
        for unit in SMILE:
            shown = 1.0 if unit == "mouthSmile" or (grin and unit in GRIN) else 0.5
            if rng.random() < shown:
                chosen[unit] = strength * rng.uniform(0.5, 1.0)
    for unit, strength in chosen.items():
        lopsided = rng.random() < 0.3
        for i, name in enumerate(names):
            if name in (unit, unit + "Left", unit + "Right"):
                values[i] = strength * (rng.uniform(0, 1) if lopsided else rng.uniform(0.85, 1.0))
    return np.clip(values, 0, 1)


def draw_subject(head: Head, rng: np.random.Generator, sitting: Sitting = ANYHOW) -> Subject:
    """A head in front of a camera, cropped as the product crops: the 68 points' box, 1.2 to 1.6 times."""
    return place(head, draw_parameters(head, rng, sitting), rng, sitting)


def place(head: Head, parameters: HeadParameters, rng: np.random.Generator, sitting: Sitting = ANYHOW) -> Subject:
    """Give a posed head a camera. Yaw mostly within 50 degrees with a tail to 80, pitch 25, roll 20."""
    yaw = rng.uniform(-80, 80) if rng.random() < sitting.aside else rng.normal(0, sitting.yaw)
    pitch, roll = rng.normal(0, sitting.pitch), rng.normal(0, sitting.roll)
    neck = parameters.neck
    turn = _euler(np.clip(yaw, -80, 80), np.clip(pitch, -30, 30), np.clip(roll, -30, 30))
    # The neck turns the skull too: take most of it out, so that the face keeps the pose that was drawn.
    rotation = np.diag([1.0, -1.0, -1.0]) @ turn @ matrix_from_vector(neck).T
    distance = np.exp(rng.uniform(*np.log(sitting.distance)))
    direction = rng.normal(0, 0.10, 2).clip(-0.3, 0.3)
    translation = np.array([direction[0] * distance, direction[1] * distance, distance])
    vertices = pose_head(head, parameters)
    middle = vertices[head.region("face")].mean(0)
    translation = translation - rotation @ middle
    points = vertices @ rotation.T + translation
    facing = rotation @ matrix_from_vector(neck)[:, 2]
    marks = landmarks_68(head, vertices, float(np.degrees(np.arctan2(facing[0], -facing[2]))))
    marks = marks @ rotation.T + translation
    intrinsics = _crop(marks, rng)
    return Subject(
        parameters=parameters,
        rotation=rotation,
        translation=translation,
        intrinsics=intrinsics,
        vertices=vertices,
        points=points,
        normals=fast_normals(points, head.triangles),
        marks=marks,
    )


def _crop(marks: Floats, rng: np.random.Generator) -> Floats:
    unit = project(marks, (1.0, 1.0, 0.0, 0.0))
    low, high = unit.min(0), unit.max(0)
    side = (high - low).max() * rng.uniform(1.2, 1.6)
    corner = (low + high) / 2 - side / 2 + rng.uniform(-0.06, 0.06, 2) * side
    return np.array([SIZE / side, SIZE / side, -corner[0] * SIZE / side, -corner[1] * SIZE / side])


def _euler(yaw: float, pitch: float, roll: float) -> Floats:
    y, x, z = (
        matrix_from_vector(np.radians(a) * axis)
        for a, axis in zip((yaw, pitch, roll), np.eye(3)[[1, 0, 2]], strict=True)
    )
    return np.asarray(z @ x @ y)


def fast_normals(points: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Unit vertex normals (V, 3), area weighted, as `inference_core.head.vertex_normals` but compiled."""
    return np.asarray(_normals(np.ascontiguousarray(points), triangles))


@njit(cache=True)
def _normals(points: Floats, triangles: NDArray[np.int32]) -> Floats:
    out = np.zeros_like(points)
    for t in range(triangles.shape[0]):
        a, b, c = triangles[t]
        e0, e1, e2 = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
        f0, f1, f2 = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
        n0, n1, n2 = e1 * f2 - e2 * f1, e2 * f0 - e0 * f2, e0 * f1 - e1 * f0
        for corner in (a, b, c):
            out[corner, 0] += n0
            out[corner, 1] += n1
            out[corner, 2] += n2
    for i in range(points.shape[0]):
        length = np.sqrt(out[i, 0] ** 2 + out[i, 1] ** 2 + out[i, 2] ** 2)
        if length > 0:
            out[i] /= length
    return out
