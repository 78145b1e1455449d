"""Where the neutral head stands under the photo's camera: hair is modelled on it and compared with the photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference_core.head import Camera, Head, HeadParameters, pose_head, vertex_normals
from inference_core.head.model import Floats, Indices, Mask
from inference_core.head.rotations import vector_from_matrix


@dataclass(frozen=True, eq=False)
class Seat:
    """A head without expression and pose, and a camera that sees its skull where the photo's saw it."""

    head: Head
    vertices: Floats  # (V, 3) head space, m
    normals: Floats  # (V, 3) unit
    camera: Camera
    posed: Floats  # (V, 3) as in the photo, in the same space: expression and jaw move the face only

    @property
    def triangles(self) -> Indices:
        """(T, 3) of the outside: no teeth, no tongue, no eyeballs."""
        return np.asarray(self.head.triangles[self._outside])

    @property
    def uv_triangles(self) -> Indices:
        """(T, 3) texture corners of `triangles`: each polygon's, split along the diagonal 0-2."""
        head = self.head
        both = np.stack([head.uv_quads[:, [0, 1, 2]], head.uv_quads[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
        whole = np.stack([np.ones(len(head.quads), np.bool_), head.quads[:, 3] >= 0], axis=1).ravel()
        return np.ascontiguousarray(both[whole][self._outside], np.int32)

    @property
    def _outside(self) -> Mask:
        """(T,) of the head's."""
        inner = self.head.region("inner_mouth") | self.head.region("teeth") | self.head.region("tongue")
        inner |= self.head.region("left_eyeball") | self.head.region("right_eyeball") | self.head.region("hidden")
        return np.asarray(~inner[self.head.triangles].any(axis=1))


def seat(head: Head, shape: Floats, posed: Floats, camera: Camera) -> Seat:
    """From the identity `shape` (S,) and the head as posed (V, 3) under the photo's `camera`.

    The skull is rigid: what takes the neutral scalp to the posed one (least squares: Kabsch, 1976) goes into the
    camera.
    """
    neutral = HeadParameters.neutral(head)
    vertices = pose_head(head, HeadParameters(shape, *(getattr(neutral, name) for name in _STILL)))
    skull = head.region("scalp") & (vertices[:, 1] > vertices[head.region("ears"), 1].mean())
    before, after = vertices[skull], posed[skull]
    covariance = (before - before.mean(axis=0)).T @ (after - after.mean(axis=0))
    u, _, vt = np.linalg.svd(covariance)
    sign = np.sign(np.linalg.det(vt.T @ u.T))
    turn = vt.T @ np.diag([1.0, 1.0, sign]) @ u.T
    shift = after.mean(axis=0) - turn @ before.mean(axis=0)
    moved = Camera(
        vector_from_matrix(camera.matrix @ turn), camera.matrix @ shift + camera.translation, camera.intrinsics
    )
    return Seat(head, vertices, vertex_normals(vertices, head.triangles), moved, (posed - shift) @ turn)


_STILL = ("expression", "neck", "jaw", "eyes", "eyelids")
