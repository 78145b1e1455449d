"""A performance that is known: a painted Open Head speaks, blinks and looks about, and is tracked like any clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.performance_clips import take_parameters
from inference_core.head import Head, HeadParameters, landmarks_68, pose_head
from inference_core.head.rotations import matrix_from_vector, vector_from_matrix
from inference_core.take import Take
from inference_core.training.extractor.anatomy import build_anatomy
from inference_core.training.extractor.sample import draw_sample
from inference_core.training.extractor.subject import SIZE, Subject, fast_normals

Floats = NDArray[np.float64]

FRAMES, FPS = 300, 30.0
FOCAL = 2.2 * SIZE  # px
MOST_LAG = 4  # frames, either way, that are tried
_VISEMES = (  # jaw rad, then expressions; "M" is a closure
    (0.0, {"mouthPressLeft": 0.3, "mouthPressRight": 0.3}),
    (0.22, {"mouthLowerDownLeft": 0.2, "mouthLowerDownRight": 0.2}),
    (0.08, {"mouthStretchLeft": 0.4, "mouthStretchRight": 0.4}),
    (0.12, {"mouthFunnel": 0.5}),
    (0.05, {"mouthPucker": 0.6}),
    (0.10, {"mouthSmileLeft": 0.4, "mouthSmileRight": 0.4}),
)


@dataclass(frozen=True, eq=False)
class Performance:
    """F frames of one person before one camera; the parameters are a batch, `intrinsics` those of the pictures."""

    parameters: HeadParameters
    rotation: Floats  # (F, 3, 3) head to camera
    translation: Floats  # (F, 3) m
    intrinsics: Floats  # (4,)


@dataclass(frozen=True)
class TruthMeasures:
    """Mean errors, and by how many frames the tracked curve comes late."""

    valid: int
    mesh_mm: float  # face, aligned rigidly in each frame
    pose_degrees: float
    shift_mm: float  # across the view; along it the distance trades with the size of the head
    depth_mm: float
    jaw_degrees: float
    expression: float
    lids: float
    gaze_degrees: float
    lags: dict[str, float]  # that of the pose from its values, the others from their changes
    correlations: dict[str, float]


def play(head: Head, seed: int = 1, frames: int = FRAMES, focal: float = FOCAL) -> Performance:
    """Visemes at five a second with a pause, blinks of 4 to 6 frames, saccades, a head that turns by 25 degrees.

    `focal` px: a longer lens stands further away, so that the face is as large.
    """
    rng = np.random.default_rng(seed)
    time = np.arange(frames) / FPS
    names = head.expression_names
    keys, values = [0], [0]
    while keys[-1] < frames:
        pause = keys[-1] > 0.45 * frames and keys[-1] < 0.55 * frames
        keys.append(keys[-1] + int(rng.integers(5, 8)))
        values.append(0 if pause or len(keys) % 4 == 0 else int(rng.integers(1, len(_VISEMES))))
    jaw_keys = np.array([_VISEMES[v][0] for v in values])
    jaw = np.zeros((frames, 3))
    jaw[:, 0] = _eased(time * FPS, keys, jaw_keys)
    expression = np.zeros((frames, len(names)))
    for name in {name for _, shown in _VISEMES for name in shown}:
        if name in names:
            curve = np.array([_VISEMES[v][1].get(name, 0.0) for v in values])
            expression[:, names.index(name)] = _eased(time * FPS, keys, curve)
    for name in ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"):
        expression[:, names.index(name)] = 0.25 * (1 + np.sin(2 * np.pi * 0.3 * time)) * (time > 2)
    lids = np.zeros((frames, 2))
    for start in range(25, frames - 10, 45):
        blink = np.sin(np.pi * (np.arange(int(rng.integers(4, 7))) + 0.5) / 6)[:6]
        lids[start : start + len(blink)] = np.minimum(blink / blink.max(), 1.0)[:, None]
    gaze = np.zeros((frames, 2))
    for start in range(0, frames, 20):
        gaze[start:] = np.radians(rng.uniform((-6, -15), (6, 15)))
    eyes = np.zeros((frames, 2, 3))
    eyes[:, :, :2] = gaze[:, None]
    parameters = HeadParameters(
        shape=np.repeat(0.7 * rng.standard_normal((1, head.shape_count)), frames, axis=0),
        expression=expression,
        neck=np.zeros((frames, 3)),
        jaw=jaw,
        eyes=eyes,
        eyelids=lids,
    )
    still = np.clip(np.abs(time - 5.0) - 0.5, 0, 1)  # a pause in the middle
    turn = np.radians(
        np.stack([6 * np.sin(2 * np.pi * 0.37 * time), 25 * np.sin(2 * np.pi * 0.2 * time), 5 * np.sin(time)], axis=1)
    )
    rotation = np.diag([1.0, -1.0, -1.0]) @ matrix_from_vector(turn * (0.3 + 0.7 * still)[:, None])
    # Turned about the middle of the face, which stays in the picture.
    place = np.stack([0.01 * np.sin(1.3 * time), 0.006 * np.sin(2.1 * time), 0.55 * focal / FOCAL + 0 * time], axis=1)
    translation = place - rotation @ head.template[head.region("face")].mean(axis=0)
    return Performance(parameters, rotation, translation, np.array([focal, focal, SIZE / 2, SIZE / 2]))


def paint(head: Head, performance: Performance, looks: int) -> Iterator[NDArray[np.uint8]]:
    """The frames (SIZE, SIZE, 3) of a performance; skin, hair, light and background are those of the seed `looks`."""
    anatomy = build_anatomy(head)
    for row in range(len(performance.translation)):
        rotation, translation = performance.rotation[row], performance.translation[row]
        parameters = parameters_at(performance.parameters, row)
        vertices = pose_head(head, parameters)
        points = vertices @ rotation.T + translation
        yaw = float(np.degrees(np.arctan2(rotation[0, 2], -rotation[2, 2])))
        subject = Subject(
            parameters=parameters,
            rotation=rotation,
            translation=translation,
            intrinsics=performance.intrinsics,
            vertices=vertices,
            points=points,
            normals=fast_normals(points, head.triangles),
            marks=landmarks_68(head, vertices, yaw) @ rotation.T + translation,
        )
        yield draw_sample(anatomy, np.random.default_rng(looks), subject).rgb


def parameters_at(parameters: HeadParameters, row: int) -> HeadParameters:
    """One row of a batch."""
    return HeadParameters(**{name: value[row] for name, value in vars(parameters).items()})


def measure_truth(head: Head, truth: Performance, take: Take) -> TruthMeasures:
    """A take of the frames that `paint` gave, against what they were painted from."""
    rows = np.flatnonzero(take.valid)
    found, face = take_parameters(take, rows), np.flatnonzero(head.region("face")).astype(np.int32)
    known = HeadParameters(**{name: value[rows] for name, value in vars(truth.parameters).items()})
    mesh = [
        aligned_error(pose_head(head, parameters_at(found, i), face), pose_head(head, parameters_at(known, i), face))
        for i in range(0, len(rows), 3)
    ]
    rotation = matrix_from_vector(take.head_rotation[rows].astype(np.float64))
    off = vector_from_matrix(truth.rotation[rows].transpose(0, 2, 1) @ rotation)
    # The centre of the face, which is what a camera sees; the head's origin lies behind it.
    middle = head.template[face].mean(axis=0).astype(np.float64)
    away = (rotation @ middle + take.head_translation[rows]) - (truth.rotation[rows] @ middle + truth.translation[rows])
    curves = {
        "pose": (_yaw(rotation), _yaw(truth.rotation[rows])),
        "mouth": (found.jaw[:, 0], known.jaw[:, 0]),
        "lids": (found.eyelids.mean(axis=1), known.eyelids.mean(axis=1)),
        "gaze": (found.eyes[:, :, 1].mean(axis=1), known.eyes[:, :, 1].mean(axis=1)),
    }
    return TruthMeasures(
        valid=len(rows),
        mesh_mm=1e3 * float(np.mean(mesh)),
        pose_degrees=float(np.degrees(np.linalg.norm(off, axis=1)).mean()),
        shift_mm=1e3 * float(np.linalg.norm(away[:, :2], axis=1).mean()),
        depth_mm=1e3 * float(np.abs(away[:, 2]).mean()),
        jaw_degrees=float(np.degrees(np.abs(found.jaw[:, 0] - known.jaw[:, 0])).mean()),
        expression=float(np.abs(found.expression - known.expression).mean()),
        lids=float(np.abs(found.eyelids - known.eyelids).mean()),
        gaze_degrees=float(np.degrees(np.abs(found.eyes - known.eyes)[..., :2]).mean()),
        lags={name: lag(*(pair if name == "pose" else map(np.diff, pair))) for name, pair in curves.items()},
        correlations={name: float(np.corrcoef(*pair)[0, 1]) for name, pair in curves.items()},
    )


def lag(found: Floats, known: Floats) -> float:
    """Frames by which `found` (F,) comes after `known`, from the peak of their correlation; a parabola between.

    Of changes where something jumps: an error that comes and goes slowly flattens the peak of the values themselves.
    """
    shifts = np.arange(-MOST_LAG, MOST_LAG + 1)
    inner = slice(MOST_LAG, len(known) - MOST_LAG)
    place = np.arange(len(known))[inner]
    score = np.array([np.corrcoef(found[place + shift], known[inner])[0, 1] for shift in shifts])
    best = int(np.clip(np.argmax(score), 1, len(shifts) - 2))
    before, peak, after = score[best - 1 : best + 2]
    return float(shifts[best] + 0.5 * (before - after) / (before - 2 * peak + after))


def aligned_error(found: Floats, known: Floats) -> float:
    """Mean distance (m) of corresponding vertices after the best rigid motion (Kabsch)."""
    a, b = found - found.mean(axis=0), known - known.mean(axis=0)
    u, _, v = np.linalg.svd(a.T @ b)
    turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))]) @ v
    return float(np.linalg.norm(a @ turn - b, axis=1).mean())


def _yaw(rotation: Floats) -> Floats:
    return np.asarray(np.degrees(np.arctan2(rotation[:, 0, 2], -rotation[:, 2, 2])))


def _eased(time: Floats, keys: list[int], values: Floats) -> Floats:
    """Keys joined by cosines: each viseme is held for a frame or two."""
    place = np.clip(np.searchsorted(keys, time, side="right") - 1, 0, len(keys) - 2)
    start, end = np.array(keys)[place], np.array(keys)[place + 1]
    share = np.clip(1.4 * (time - start) / (end - start) - 0.2, 0.0, 1.0)
    return np.asarray(values[place] + (values[place + 1] - values[place]) * (0.5 - 0.5 * np.cos(np.pi * share)))
