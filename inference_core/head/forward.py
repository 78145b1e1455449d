"""The forward pass in FLAME's form: linear directions, pose correctives, linear blend skinning.

Li, Bolkart, Black, Li, Romero, "Learning a model of facial shape and expression from 4D scans" (2017), section 3.
The eyelid directions are added before skinning, so that they turn with the head.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference_core.head.model import Floats, Head, HeadParameters, Indices
from inference_core.head.rotations import matrix_from_vector


def joint_rotations(parameters: HeadParameters) -> Floats:
    """(..., 4, 3, 3): local rotations of neck, jaw, left eye, right eye."""
    vectors = np.concatenate(
        [parameters.neck[..., None, :], parameters.jaw[..., None, :], parameters.eyes],
        axis=-2,
    )
    return matrix_from_vector(vectors)


def rest_joints(head: Head, parameters: HeadParameters) -> Floats:
    """(..., 5, 3): the joints of the unposed head, m. They follow shape and, in heads like FLAME's, expression."""
    moved = np.concatenate([parameters.shape, parameters.expression], axis=-1)
    offsets = moved @ head.joint_dirs.reshape(-1, moved.shape[-1]).T
    return np.asarray(head.joint_template + offsets.reshape(*moved.shape[:-1], 5, 3))


def rest_vertices(head: Head, parameters: HeadParameters, vertices: Indices | None = None) -> Floats:
    """(..., V, 3): the head before skinning, all correctives included, m; or only the `vertices` (n,) of it."""
    weights = np.concatenate([parameters.shape, parameters.expression, parameters.eyelids], axis=-1)
    feature = (joint_rotations(parameters) - np.eye(3)).reshape(*weights.shape[:-1], 36)
    used = np.flatnonzero(np.any(weights != 0, axis=tuple(range(weights.ndim - 1))))
    part = slice(None) if vertices is None else vertices
    if vertices is None and len(used) > len(head.linear_dirs) // 4:  # copying so many would cost more than it saves
        offsets = weights.astype(np.float32) @ head.linear_dirs
    else:  # zero weights are the rule where a rig is at rest
        directions = head.linear_dirs[used] if vertices is None else _part(head, used, vertices)
        offsets = weights[..., used].astype(np.float32) @ directions
    rest = head.template[part] + offsets.reshape(*weights.shape[:-1], -1, 3).astype(np.float64)
    bent = np.flatnonzero(np.any(feature != 0, axis=tuple(range(feature.ndim - 1))))
    if bent.size:
        rest = rest + np.einsum("...p,vcp->...vc", feature[..., bent], head.pose_dirs[part][..., bent])
    together = head.combinations.values(np.concatenate([parameters.expression, parameters.eyelids, feature], axis=-1))
    met = np.flatnonzero(np.any(together != 0, axis=tuple(range(together.ndim - 1))))
    if met.size:
        rest = rest + np.einsum("...p,vcp->...vc", together[..., met], head.combinations.dirs[part][..., met])
    return np.asarray(rest)


def _part(head: Head, used: NDArray[np.intp], vertices: Indices) -> NDArray[np.float32]:
    """(len(used), 3n): some directions at some vertices."""
    part = head.linear_dirs.reshape(-1, head.vertex_count, 3)[used[:, None], vertices]
    return np.asarray(part.reshape(len(used), 3 * len(vertices)))


def joint_transforms(head: Head, parameters: HeadParameters) -> tuple[Floats, Floats]:
    """Rotations (..., 5, 3, 3) and offsets (..., 5, 3) that take the rest head to the posed head, per joint.

    A point p rigid on joint j lands on rotation[j] @ p + offset[j].
    """
    local = joint_rotations(parameters)
    joints = rest_joints(head, parameters)
    neck, others = local[..., 0, :, :], local[..., 1:, :, :]
    neck_offset = joints[..., 1, :] - (neck @ joints[..., 1, :, None])[..., 0]
    pivots = joints[..., 2:, :]
    about = pivots - (others @ pivots[..., None])[..., 0]  # turning about the pivot, before the neck
    rotations = np.empty((*local.shape[:-3], 5, 3, 3))
    offsets = np.zeros((*local.shape[:-3], 5, 3))
    rotations[..., 0, :, :] = np.eye(3)
    rotations[..., 1, :, :] = neck
    rotations[..., 2:, :, :] = neck[..., None, :, :] @ others
    offsets[..., 1, :] = neck_offset
    offsets[..., 2:, :] = (neck[..., None, :, :] @ about[..., None])[..., 0] + neck_offset[..., None, :]
    return rotations, offsets


def pose_head(head: Head, parameters: HeadParameters, vertices: Indices | None = None) -> Floats:
    """(..., V, 3): the posed head in head space, m; or only the `vertices` (n,) of it, which is faster."""
    rest = rest_vertices(head, parameters, vertices)
    rotations, offsets = joint_transforms(head, parameters)
    weights = (head.skin_weights if vertices is None else head.skin_weights[vertices]).astype(np.float64)
    blended = (weights @ rotations.reshape(*rotations.shape[:-3], 5, 9)).reshape(*rest.shape[:-1], 3, 3)
    return np.asarray((blended @ rest[..., None])[..., 0] + weights @ offsets)
