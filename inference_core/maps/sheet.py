"""A head's surface laid flat: vertex values to a picture in UV, and vertices read back from one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import splu

from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Mask
from inference_core.look.atlas import Atlas, Part, atlas_of
from inference_core.look.sampling import sample

RIM = 2.0
"""px that values go on beyond an island: a linear lookup at its border reads up to 1.5 px away."""
DAMPING = 1e-7
"""How little a vertex is held where it was looked up, against 1 for a texel at it."""
LEAST_HOLD = 1e-3
"""Of a texel at it: below it no texel says where a vertex is."""
FINE = 2048
"""px of UV at which a triangle that is drawn at all covers a texel."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The UV of a head at `size` px a side. Row 0 is v = 1, the first texel's centre is (0.5, 0.5)."""

    head: Head
    size: int

    @cached_property
    def atlas(self) -> Atlas:
        """Of the surface alone."""
        return atlas_of(self.head, self.size)

    @cached_property
    def surface(self) -> Mask:
        """(size, size): the texels whose centres lie on the surface."""
        flat = np.zeros(self.size * self.size, np.bool_)
        flat[self.atlas.texel] = True
        return flat.reshape(self.size, self.size)

    def spread(self, values: Floats) -> Float32s:
        """Vertex values (V, C) -> (size, size, C) float32, linear over each triangle and RIM beyond; elsewhere NaN."""
        out = np.full((self.size * self.size, values.shape[1]), np.nan, np.float32)
        out[self._wide.places] = self._wide.interpolate(values)
        return out.reshape(self.size, self.size, -1)

    def filled(self, texels: Float32s) -> Float32s:
        """Values (N,) of the atlas' texels -> (size, size) float32; 0 elsewhere."""
        out = np.zeros(self.size * self.size, np.float32)
        out[self.atlas.texel] = texels
        return out.reshape(self.size, self.size)

    @cached_property
    def shown(self) -> Mask:
        """(V,): the vertices that the sheet shows. An eyeball's back lies under its front, as the head's UV has it."""
        fine = atlas_of(self.head, FINE)
        shown = np.zeros(self.head.vertex_count, np.bool_)
        shown[self.head.triangles[np.unique(fine.triangle)]] = True
        return shown

    def read(self, picture: NDArray[np.float32]) -> Floats:
        """(size, size, C) as `spread` gives it -> vertex values (V, C), float64; NaN for vertices not `shown`.

        Least squares over the texels: exact for a map as it was made, the nearest mesh for one that was edited.
        Vertices between texels, of triangles smaller than one, are looked up at their place.
        """
        texels = picture.reshape(self.size * self.size, -1)[self._part.places].astype(np.float64)
        known = np.isfinite(texels).all(axis=1)
        weights = self._part.weights[np.flatnonzero(known)].astype(np.float64)
        looked_up = self._looked_up(picture)
        start = np.nan_to_num(looked_up)
        normal = csc_array(weights.T @ weights + DAMPING * eye_array(self.head.vertex_count))
        values = splu(normal).solve(weights.T @ texels[known] + DAMPING * start)
        unheld = np.asarray(weights.sum(axis=0)).ravel() < LEAST_HOLD
        values[unheld] = looked_up[unheld]
        values[~self.shown] = np.nan
        return np.asarray(values)

    def _looked_up(self, picture: NDArray[np.float32]) -> Floats:
        """(V, C): the picture where the vertices lie in the UV; of those on a seam the mean of their places."""
        head = self.head
        place = head.uv * np.array((self.size, -self.size), np.float32) + np.array((0, self.size), np.float32)
        found = sample(np.ascontiguousarray(picture), place.astype(np.float32)).astype(np.float64)
        real = head.quads >= 0
        vertex, corner = head.quads[real], head.uv_quads[real]
        known = np.isfinite(found).all(axis=1)[corner]
        vertex, corner = vertex[known], corner[known]
        count = np.bincount(vertex, minlength=head.vertex_count)
        sums = [np.bincount(vertex, found[corner, axis], head.vertex_count) for axis in range(found.shape[1])]
        values = np.stack(sums, axis=1) / np.maximum(count, 1)[:, None]
        values[count == 0] = np.nan
        return np.asarray(values)

    @cached_property
    def _part(self) -> Part:
        return self.atlas.part(*self.head.material_names)

    @cached_property
    def _wide(self) -> Part:
        return self.atlas.widened(RIM).part(*self.head.material_names)


@lru_cache(maxsize=2)
def sheet_of(head: Head, size: int) -> Sheet:
    """The sheet of a head at `size` px, made once."""
    return Sheet(head, size)
