"""The posed skin as a grid: a window of the head's UV, each cell a texel that knows where on the surface it lies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head, vertex_normals
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.look.atlas import Atlas, Part, uv_triangles

MM = 1e3
MARGIN = 8
"""Texels around the face that the window takes in."""
FACE, NEAR = "face", ("skin", "lips")


@dataclass(frozen=True, eq=False)
class Ground:
    """H x W cells, a texel each, x along u and y down the picture; what is not skin is 0 and not `inside`."""

    part: Part  # the M texels of the window that lie on the skin
    window: tuple[slice, slice]  # rows and columns of the picture
    inside: Mask  # (H, W)
    normal: Float32s  # (H, W, 3) unit, head space, of the smooth mesh
    along_x: Float32s  # (H, W, 3) mm a texel, in the tangent plane
    along_y: Float32s  # (H, W, 3)

    def laid(self, values: NDArray[np.float32]) -> Float32s:
        """Values (M,) or (M, C) of the part's texels -> (H, W) or (H, W, C); 0 elsewhere."""
        size = self.part.atlas.size
        whole = np.zeros((size * size, *values.shape[1:]), np.float32)
        whole[self.part.places] = values
        return np.ascontiguousarray(whole.reshape(size, size, *values.shape[1:])[self.window])

    def whole(self, values: NDArray[np.float32]) -> Float32s:
        """(H, W) or (H, W, C) -> the same in the whole picture; 0 around the window."""
        size = self.part.atlas.size
        out = np.zeros((size, size, *values.shape[2:]), np.float32)
        out[self.window] = values
        return out

    def over(self, vertex_values: NDArray[np.generic]) -> Float32s:
        """Vertex values (V,) or (V, C) -> (H, W) or (H, W, C)."""
        return self.laid(self.part.interpolate(vertex_values))

    @cached_property
    def spacing(self) -> Float32s:
        """(H, W): mm a texel, the geometric mean of both ways; 1 outside."""
        area = np.linalg.norm(np.cross(self.along_x, self.along_y), axis=2)
        return np.asarray(np.where(self.inside, np.sqrt(area), 1.0), dtype=np.float32)

    @cached_property
    def typical(self) -> float:
        """mm a texel, the face's median."""
        return float(np.median(self.spacing[self.inside]))

    @cached_property
    def inverse(self) -> tuple[Float32s, Float32s]:
        """(H, W, 3) each: the tangent vectors, 1/mm, whose products with a surface's gradient are changes a texel."""
        xx, xy, yy = ((a * b).sum(axis=2) for a, b in (
            (self.along_x, self.along_x), (self.along_x, self.along_y), (self.along_y, self.along_y)
        ))  # fmt: skip
        area = np.maximum(xx * yy - xy * xy, 1e-6)[..., None]
        xx, xy, yy = (value[..., None] for value in (xx, xy, yy))
        dual_x, dual_y = (
            (yy * self.along_x - xy * self.along_y) / area,
            (xx * self.along_y - xy * self.along_x) / area,
        )
        return np.asarray(dual_x, np.float32), np.asarray(dual_y, np.float32)


def ground_of(atlas: Atlas, vertices: Floats) -> Ground:
    """The face's window of an atlas, on the posed head (V, 3) m."""
    head, size = atlas.head, atlas.size
    part = atlas.part(*NEAR)
    face = part.interpolate(head.region(FACE)) > 0.5
    row, column = part.places // size, part.places % size
    window = tuple(
        slice(max(int(at[face].min()) - MARGIN, 0), min(int(at[face].max()) + MARGIN + 1, size)) for at in (row, column)
    )
    rows, columns = window
    kept = (row >= rows.start) & (row < rows.stop) & (column >= columns.start) & (column < columns.stop)
    part = Part(atlas, part.texels[kept])
    across, down = _tangents(head, vertices, size)
    known = part.interpolate(np.column_stack([vertex_normals(vertices, head.triangles), across, down]))
    normal = known[:, :3] / np.maximum(np.linalg.norm(known[:, :3], axis=1, keepdims=True), np.float32(1e-9))
    flat = [way - (way * normal).sum(axis=1, keepdims=True) * normal for way in (known[:, 3:6], known[:, 6:9])]
    blank = Ground(part, (window[0], window[1]), np.zeros((1, 1), np.bool_), *(np.zeros((1, 1, 3), np.float32),) * 3)
    inside = blank.laid(np.ones(len(part.texels), np.float32)) > 0
    return Ground(part, blank.window, inside, *(blank.laid(values) for values in (normal, *flat)))


def _tangents(head: Head, vertices: Floats, size: int) -> tuple[Floats, Floats]:
    """(V, 3) each, mm a texel: the way along the surface to the picture's right and down, the mean around each."""
    flat = head.uv.astype(np.float64)[uv_triangles(head)] * (size, -size)
    places = vertices[head.triangles] * MM
    (one, two), (a, b) = (np.moveaxis(corners[:, 1:] - corners[:, :1], 1, 0) for corners in (flat, places))
    doubled = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    # Weighted by the area in the picture, which the division would undo.
    sign = np.sign(doubled)[:, None]
    across = sign * (two[:, 1:] * a - one[:, 1:] * b)
    down = sign * (one[:, :1] * b - two[:, :1] * a)
    owner = np.repeat(np.abs(doubled), 3)
    weight = np.maximum(np.bincount(head.triangles.ravel(), owner, head.vertex_count), 1e-9)[:, None]
    sums = [
        np.stack(
            [np.bincount(head.triangles.ravel(), np.repeat(way[:, axis], 3), head.vertex_count) for axis in range(3)], 1
        )
        for way in (across, down)
    ]
    return sums[0] / weight, sums[1] / weight
