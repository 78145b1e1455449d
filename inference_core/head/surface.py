"""What is read off a posed surface: normals and points at barycentric places. Head space, m."""

from __future__ import annotations

import numpy as np

from inference_core.head.model import Float32s, Floats, Head, Indices


def vertex_normals(vertices: Floats, triangles: Indices) -> Floats:
    """Unit normals (V, 3), area weighted, pointing out of a surface with counter-clockwise triangles (T, 3)."""
    first, second, third = vertices[triangles[:, 0]], vertices[triangles[:, 1]], vertices[triangles[:, 2]]
    (ax, ay, az), (bx, by, bz) = (second - first).T, (third - first).T
    owner = triangles.ravel()
    normals: Floats = np.stack(
        [
            np.bincount(owner, np.repeat(area, 3), minlength=len(vertices))
            for area in (ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx)
        ],
        axis=1,
    )
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)


def points_at(
    vertices: Floats, corners: Indices, barycentric: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
) -> Floats:
    """Points (..., 3) of triangles with corners (..., 3) at barycentric coordinates (..., 3)."""
    return np.asarray((vertices[corners] * barycentric[..., None]).sum(axis=-2))


def mediapipe_points(head: Head, vertices: Floats) -> Floats:
    """(M, 3): where Face Mesh's points `head.mediapipe_index` lie on the posed surface."""
    return points_at(vertices, head.triangles[head.mediapipe_triangles], head.mediapipe_barycentric)


def landmarks_68(head: Head, vertices: Floats, yaw_degrees: float) -> Floats:
    """(68, 3): the iBUG points; the contour 0..16 slides with the head's yaw as the camera sees it, degrees."""
    row = int(np.argmin(np.abs(head.contour_yaw - yaw_degrees)))
    corners = np.concatenate([head.contour_triangles[row], head.landmark_triangles])
    barycentric = np.concatenate([head.contour_barycentric[row], head.landmark_barycentric])
    return points_at(vertices, head.triangles[corners], barycentric)


def paired_triangles(triangles: Indices, template: Float32s) -> Indices:
    """(Q, 4): the quads of a mesh that was cut into triangles (T, 3); triangles without a partner are left out.

    Quads are cut along a diagonal, which is longer than their sides: two triangles belong together where the longest
    side of each is the same.
    """
    sides = np.linalg.norm(template[np.roll(triangles, -1, axis=1)] - template[triangles], axis=2)
    turned = (sides.argmax(axis=1)[:, None] + np.arange(3)) % 3
    ordered = np.take_along_axis(triangles, turned, axis=1)  # the longest side joins corners 0 and 1
    longest = np.sort(ordered[:, :2], axis=1)
    order = np.lexsort(longest.T)
    same = np.flatnonzero((np.diff(longest[order], axis=0) == 0).all(axis=1))
    one, other = ordered[order[same]], ordered[order[same + 1]]
    return np.stack([one[:, 0], other[:, 2], one[:, 1], one[:, 2]], axis=1)
