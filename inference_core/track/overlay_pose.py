"""Posing the few vertices that a drawing needs, instead of the whole head: a fifth of the time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head, HeadParameters, with_identity
from inference_core.head.forward import joint_rotations, joint_transforms

Floats = NDArray[np.float64]


class PartialPose:
    """Poses the vertices `chosen` (N,) of the person with `shape` (S,)."""

    def __init__(self, head: Head, shape: Floats, chosen: NDArray[np.int32]) -> None:
        self._own = with_identity(head, shape)
        moves = np.concatenate([head.expression_dirs[chosen], head.eyelid_dirs[chosen]], axis=2)
        self._moves = np.ascontiguousarray(moves.reshape(-1, moves.shape[2]).T, dtype=np.float32)
        self._bends = np.ascontiguousarray(head.pose_dirs[chosen].reshape(-1, 36).T, dtype=np.float32)
        self._pairs = replace(head.combinations, dirs=head.combinations.dirs[chosen])
        self._rest = self._own.template[chosen].astype(np.float64)
        self._weights = head.skin_weights[chosen].astype(np.float64)

    def pose(self, expression: Floats, neck: Floats, jaw: Floats, eyes: Floats, eyelids: Floats) -> Floats:
        """(N, 3) head space, m: what `pose_head` gives for these vertices. Arguments as in HeadParameters."""
        parameters = HeadParameters(np.zeros(0), expression, neck, jaw, eyes, eyelids)
        feature = (joint_rotations(parameters) - np.eye(3)).ravel()
        offsets = np.concatenate([expression, eyelids]).astype(np.float32) @ self._moves
        offsets += feature.astype(np.float32) @ self._bends
        together = self._pairs.values(np.concatenate([expression, eyelids, feature]))
        rest = self._rest + offsets.reshape(-1, 3) + self._pairs.dirs @ together
        rotations, shifts = joint_transforms(self._own, parameters)
        # Joint by joint: five products of all vertices are quicker than a matrix for every vertex.
        turned = np.einsum("jab,vb->jva", rotations, rest, optimize=True) + shifts[:, None]
        return np.asarray(np.einsum("vj,jva->va", self._weights, turned))
