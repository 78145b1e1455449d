"""Real clips: a take against MediaPipe's own points in its video mode, which sees the whole frame."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.fit import place_head
from inference_core.head import Head, HeadParameters, pose_head, project, with_identity
from inference_core.head.rotations import matrix_from_vector
from inference_core.perception.face_mesh import FaceMesher
from inference_core.perception.landmarks import IBUG_68
from inference_core.take import Take

Floats = NDArray[np.float64]

MOUTH = ((13, 14), (82, 87), (312, 317))
RIGHT_EYE = ((159, 145), (158, 153), (160, 144))
LEFT_EYE = ((386, 374), (385, 380), (387, 373))
CORNERS = [61, 291]
HALF_SECOND = 7  # frames, either way
REPEATED = 0.35  # of the larger of the changes before and after it: a smaller one shows the same picture again
QUIET = 0.3  # share of a clip's frames, those with the least motion over half a second
SHUT_LIPS = 0.012  # of the eye distance, beyond lips that are shut: Face Mesh's meet, the head's points lie apart
MESH_SIDE = 480  # px; smaller frames are enlarged for MediaPipe


@dataclass(frozen=True)
class ClipMeasures:
    """One clip. Correlations with MediaPipe's openings; jitter as a ratio to MediaPipe's own."""

    frames: int
    valid: int
    mouth: float
    right_eye: float
    left_eye: float
    landmark_error: float  # mean over the distance between the eyes
    pose_jitter: float
    corner_jitter: float
    still_pose: float  # jitter in the frames in which MediaPipe's pose stands stillest
    still_corners: float
    blinks: int
    blinks_kept: int
    closures: int
    closures_kept: int


def own_points(frames: Iterable[NDArray[np.uint8]]) -> Floats:
    """(F, 478, 2) px of Face Mesh on whole frames, searched where the last one's points were; nan without a face."""
    mesher = FaceMesher(following=True)
    found = []
    for rgb in frames:
        scale = max(1, MESH_SIDE // max(rgb.shape[:2]))
        large = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) if scale > 1 else rgb
        seen = mesher.points(np.asarray(large, dtype=np.uint8))
        found.append(np.full((478, 2), np.nan) if seen is None else seen[:, :2] / scale)
    return np.stack(found)


def head_points(head: Head, take: Take) -> Floats:
    """(F, 478, 2) px: where the take's head has Face Mesh's points; nan where it has none, or the row is not valid."""
    found = np.full((take.frame_count, 478, 2), np.nan)
    for rows in np.array_split(np.flatnonzero(take.valid), max(1, take.frame_count // 128)):
        turn, shift = matrix_from_vector(take.head_rotation[rows]), take.head_translation[rows].astype(np.float64)
        found[rows] = posed_points(head, take_parameters(take, rows), turn, shift, take.intrinsics.astype(np.float64))
    return found


def posed_points(head: Head, parameters: HeadParameters, turn: Floats, shift: Floats, intrinsics: Floats) -> Floats:
    """(F, 478, 2) px of a batch of heads under `turn` (F, 3, 3) and `shift` (F, 3) m; nan where the head has none."""
    corners = head.triangles[head.mediapipe_triangles]
    vertices, place = np.unique(corners, return_inverse=True)
    posed = pose_head(head, parameters, vertices.astype(np.int32))
    on_head = (posed[:, place.reshape(corners.shape)] * head.mediapipe_barycentric[..., None]).sum(axis=2)
    found = np.full((len(turn), 478, 2), np.nan)
    found[:, head.mediapipe_index] = project(on_head @ turn.transpose(0, 2, 1) + shift[:, None], intrinsics)
    return found


def take_parameters(take: Take, rows: NDArray[np.intp]) -> HeadParameters:
    """Rows of a take as a batch."""
    return HeadParameters(
        shape=np.broadcast_to(take.shape.astype(np.float64), (len(rows), len(take.shape))),
        expression=take.expression[rows].astype(np.float64),
        neck=take.neck[rows].astype(np.float64),
        jaw=take.jaw[rows].astype(np.float64),
        eyes=take.eyes[rows].astype(np.float64),
        eyelids=take.eyelids[rows].astype(np.float64),
    )


def measure_clip(head: Head, take: Take, own: Floats) -> ClipMeasures:
    """`own` (F, 478, 2) are MediaPipe's points of the take's frames."""
    ours = head_points(head, take)
    both = take.valid & np.isfinite(own[:, 0, 0])
    scale = eye_distance(own)
    inner = np.intersect1d(IBUG_68[17:], head.mediapipe_index)
    error = np.linalg.norm(ours[:, inner] - own[:, inner], axis=2).mean(axis=1) / scale
    openings = [(opening(ours, pairs) / scale, opening(own, pairs) / scale) for pairs in (MOUTH, RIGHT_EYE, LEFT_EYE)]
    mouth, right, left = (float(np.corrcoef(mine[both], theirs[both])[0, 1]) for mine, theirs in openings)
    blinks = [_runs(np.where(both, theirs, np.nan) < 0.5 * np.median(theirs[both])) for _, theirs in openings[1:]]
    kept = [
        sum(bool((mine[start:end] < 0.5 * np.median(mine[both])).any()) for start, end in runs)
        for (mine, _), runs in zip(openings[1:], blinks, strict=True)
    ]
    lips, their_lips = openings[0]
    closures = _runs(np.where(both, their_lips, np.nan) < SHUT_LIPS)
    at_rest = replace(take, expression=np.zeros_like(take.expression), jaw=np.zeros_like(take.jaw))
    shut = opening(head_points(head, at_rest), MOUTH) / scale + SHUT_LIPS
    closures_kept = sum(bool((lips[start:end] < shut[start:end]).any()) for start, end in closures)
    pose, their_pose = matrix_from_vector(take.head_rotation), _own_pose(head, take, own, both)
    return ClipMeasures(
        frames=take.frame_count,
        valid=int(take.valid.sum()),
        mouth=mouth,
        right_eye=right,
        left_eye=left,
        landmark_error=float(error[both].mean()),
        pose_jitter=_jitter(pose.reshape(-1, 9), both) / _jitter(their_pose.reshape(-1, 9), both),
        corner_jitter=_jitter(ours[:, CORNERS].reshape(-1, 4), both) / _jitter(own[:, CORNERS].reshape(-1, 4), both),
        still_pose=_still_jitter(pose.reshape(-1, 9), their_pose.reshape(-1, 9), both),
        still_corners=_still_jitter(ours[:, CORNERS].reshape(-1, 4), own[:, CORNERS].reshape(-1, 4), both),
        blinks=sum(len(runs) for runs in blinks),
        blinks_kept=sum(kept),
        closures=len(closures),
        closures_kept=closures_kept,
    )


def opening(points: Floats, pairs: tuple[tuple[int, int], ...]) -> Floats:
    """(F,) px: mean distance of pairs of points (F, 478, 2)."""
    return np.asarray(np.mean([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in pairs], axis=0))


def eye_distance(points: Floats) -> Floats:
    """(F,) px between the middles of the eyes' corners."""
    return np.asarray(np.linalg.norm(points[:, (33, 133)].mean(1) - points[:, (362, 263)].mean(1), axis=1))


def _own_pose(head: Head, take: Take, own: Floats, both: NDArray[np.bool_]) -> Floats:
    """(F, 3, 3): the pose that MediaPipe's points alone give the person's neutral head, by PnP."""
    person = with_identity(head, take.shape.astype(np.float64))
    neutral = replace(HeadParameters.neutral(person))
    poses = np.full((len(own), 3, 3), np.nan)
    for row in np.flatnonzero(both):
        points = own[row][head.mediapipe_index]
        poses[row] = place_head(person, neutral, points, take.intrinsics.astype(np.float64)).matrix
    return poses


def _jitter(values: Floats, both: NDArray[np.bool_]) -> float:
    """Mean second difference (F, C) over the quiet frames."""
    return float(np.nanmean(_second(values)[_quiet(values, both)]))


def _still_jitter(ours: Floats, own: Floats, both: NDArray[np.bool_]) -> float:
    """Ratio of the mean second differences (F, C), over the frames about which `own` keeps within the least room.

    `_quiet` asks whether values end where they began; a mouth that opened in between is quiet to it.
    """
    window = np.lib.stride_tricks.sliding_window_view(own, 2 * HALF_SECOND + 1, axis=0)
    room = np.full(len(own), np.inf)
    room[HALF_SECOND:-HALF_SECOND] = np.linalg.norm(window.max(axis=2) - window.min(axis=2), axis=1)
    room[~both | np.isnan(room)] = np.inf
    still = room <= np.quantile(room[np.isfinite(room)], QUIET)
    return float(np.nanmean(_second(ours)[still]) / np.nanmean(_second(own)[still]))


def _second(values: Floats) -> Floats:
    """(F,) size of the second difference of values (F, C); nan at the ends."""
    second = np.full(len(values), np.nan)
    second[1:-1] = np.linalg.norm(values[2:] - 2 * values[1:-1] + values[:-2], axis=1)
    return second


def _quiet(values: Floats, both: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The frames about which values change least over half a second."""
    filled = np.where(both[:, None], values, np.nanmean(values[both], axis=0))
    change = np.full(len(values), np.inf)
    change[HALF_SECOND:-HALF_SECOND] = np.linalg.norm(filled[2 * HALF_SECOND :] - filled[: -2 * HALF_SECOND], axis=1)
    change[~both] = np.inf
    return np.asarray(change <= np.quantile(change[np.isfinite(change)], QUIET))


def repeated_share(frames: Iterable[NDArray[np.uint8]]) -> float:
    """Share of frames that show the picture of the frame before once more, as after a change of the frame rate."""
    small = [cv2.resize(rgb, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA).astype(np.float32) for rgb in frames]
    change = np.array([np.abs(b - a).mean() for a, b in pairwise(small)])
    about = np.maximum(np.append(change[1:], 0.0), np.append(0.0, change[:-1]))
    return float((change < REPEATED * about).mean()) if len(change) else 0.0


def _runs(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """[start, end) of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
