"""The 68 points of every frame of a take, computed many frames at a time on the few vertices that carry them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from inference_core.head import Head, HeadParameters, points_at, pose_head
from inference_core.head.model import Floats
from inference_core.head.rotations import matrix_from_vector
from inference_core.take import Take

CHUNK = 256
"""Frames at a time: an hour of video must not be in memory as vertices."""


def with_landmarks(head: Head, take: Take) -> Take:
    """The take with `landmarks_68` and `landmarks_68_head` of its parameters. `head` is the one the take names."""
    part = carrying_landmarks(head)
    on_head = np.empty((take.frame_count, 68, 3), np.float32)
    in_image = np.empty((take.frame_count, 68, 2), np.float32)
    for start in range(0, take.frame_count, CHUNK):
        rows = slice(start, start + CHUNK)
        on_head[rows], in_image[rows] = _landmarks(part, take, rows)
    return replace(take, landmarks_68=in_image, landmarks_68_head=on_head)


def _landmarks(part: Head, take: Take, rows: slice) -> tuple[Floats, Floats]:
    count = len(take.expression[rows])
    parameters = HeadParameters(
        shape=np.broadcast_to(take.shape, (count, len(take.shape))).astype(np.float64),
        expression=take.expression[rows].astype(np.float64),
        neck=take.neck[rows].astype(np.float64),
        jaw=take.jaw[rows].astype(np.float64),
        eyes=take.eyes[rows].astype(np.float64),
        eyelids=take.eyelids[rows].astype(np.float64),
    )
    vertices = pose_head(part, parameters)
    turn = matrix_from_vector(take.head_rotation[rows].astype(np.float64))
    yaw = np.degrees(np.arctan2(turn[:, 0, 2], -turn[:, 2, 2]))
    contour = np.abs(part.contour_yaw - yaw[:, None]).argmin(axis=1)
    fixed = np.broadcast_to(part.landmark_triangles, (count, len(part.landmark_triangles)))
    triangles = np.concatenate([part.contour_triangles[contour], fixed], axis=1)
    same = np.broadcast_to(part.landmark_barycentric, (count, *part.landmark_barycentric.shape))
    barycentric = np.concatenate([part.contour_barycentric[contour], same], axis=1)
    # Every frame has its own vertices: as one long list of them, the corners of frame f begin at f * V.
    corners = part.triangles[triangles] + (np.arange(count) * part.vertex_count)[:, None, None]
    points = points_at(vertices.reshape(-1, 3), corners, barycentric)
    in_camera = points @ turn.transpose(0, 2, 1) + take.head_translation[rows, None].astype(np.float64)
    fx, fy, cx, cy = take.intrinsics.astype(np.float64)
    depth = in_camera[..., 2]
    pixels = np.stack([fx * in_camera[..., 0] / depth + cx, fy * in_camera[..., 1] / depth + cy], axis=-1)
    return points, pixels


def carrying_landmarks(head: Head) -> Head:
    """The head cut down to the vertices under its 68 points; it poses exactly as the whole head does."""
    used = np.unique(np.concatenate([head.landmark_triangles, head.contour_triangles.ravel()]))
    vertices = np.unique(head.triangles[used])
    place = np.zeros(head.vertex_count, np.int32)
    place[vertices] = np.arange(len(vertices), dtype=np.int32)
    part = replace(
        head,
        template=head.template[vertices],
        triangles=place[head.triangles[used]],
        quads=np.empty((0, 4), np.int32),
        material=np.empty(0, np.int32),
        shape_dirs=head.shape_dirs[vertices],
        expression_dirs=head.expression_dirs[vertices],
        pose_dirs=head.pose_dirs[vertices],
        eyelid_dirs=head.eyelid_dirs[vertices],
        joint_regressor=head.joint_regressor[:, vertices],
        skin_weights=head.skin_weights[vertices],
        region_masks=head.region_masks[:, vertices],
        landmark_triangles=np.searchsorted(used, head.landmark_triangles).astype(np.int32),
        contour_triangles=np.searchsorted(used, head.contour_triangles).astype(np.int32),
    )
    # The joints are regressed from all vertices; a part has not got them, so it is told.
    vars(part).update(joint_template=head.joint_template, joint_dirs=head.joint_dirs)
    return part
