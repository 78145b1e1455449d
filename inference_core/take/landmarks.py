"""The 68 points of a take, read off the mesh again after its parameters changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference_core.head import Head, HeadParameters, pose_head
from inference_core.head.rotations import matrix_from_vector
from inference_core.take.take import Take

_CHUNK = 256  # frames posed at a time: memory stays bounded whatever the take's length


def with_landmarks(head: Head, take: Take) -> Take:
    """The take whose landmarks_68 and landmarks_68_head are those of its parameters; invalid rows keep theirs.

    `head` is the take's own, with its shape directions; take.shape belongs to it.
    """
    corners = np.concatenate(
        [head.triangles[head.contour_triangles].reshape(-1, 3), head.triangles[head.landmark_triangles]]
    )
    vertices, place = np.unique(corners, return_inverse=True)
    place = place.reshape(corners.shape)
    contour, inner = place[: -len(head.landmark_triangles)].reshape(-1, 17, 3), place[-len(head.landmark_triangles) :]
    in_head, in_image = take.landmarks_68_head.copy(), take.landmarks_68.copy()
    rows_valid = np.flatnonzero(take.valid)
    fx, fy, cx, cy = take.intrinsics.astype(np.float64)
    for start in range(0, len(rows_valid), _CHUNK):
        rows = rows_valid[start : start + _CHUNK]
        posed = pose_head(head, _parameters(take, rows), vertices.astype(np.int32))
        rotation = matrix_from_vector(take.head_rotation[rows])
        yaw = np.degrees(np.arctan2(rotation[:, 0, 2], -rotation[:, 2, 2]))
        row = np.abs(head.contour_yaw - yaw[:, None]).argmin(axis=1)
        picked = np.concatenate([contour[row], np.broadcast_to(inner, (len(rows), *inner.shape))], axis=1)
        weight = np.concatenate(
            [
                head.contour_barycentric[row],
                np.broadcast_to(head.landmark_barycentric, (len(rows), *head.landmark_barycentric.shape)),
            ],
            axis=1,
        )
        frame = np.arange(len(rows))[:, None, None]
        points = (posed[frame, picked] * weight[..., None]).sum(axis=2)
        seen = points @ rotation.transpose(0, 2, 1) + take.head_translation[rows, None]
        in_head[rows] = points
        in_image[rows] = seen[..., :2] / seen[..., 2:] * (fx, fy) + (cx, cy)
    return replace(take, landmarks_68=in_image, landmarks_68_head=in_head)


def _parameters(take: Take, rows: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> HeadParameters:
    """Rows of the take as a batch; rotation vectors, shape repeated."""
    return HeadParameters(
        shape=np.broadcast_to(take.shape.astype(np.float64), (len(rows), len(take.shape))),
        expression=take.expression[rows].astype(np.float64),
        neck=take.neck[rows].astype(np.float64),
        jaw=take.jaw[rows].astype(np.float64),
        eyes=take.eyes[rows].astype(np.float64),
        eyelids=take.eyelids[rows].astype(np.float64),
    )
