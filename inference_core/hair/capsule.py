"""Places about a head as azimuth, fall and radius: what stands off a head everywhere is one number per direction.

Above the middle of the skull a place is seen from that one point, as on a globe; below it from the point of the upright
axis at its own height, as on a column. SRM-Hair counts hair along rays from the scalp's centre, too; the column is
what lets hair hang.

Frame: head space of the neutral head, m. Azimuth 0 is the front, pi/2 the subject's left. Fall is 0 at the crown, pi/2
at the skull's middle, and below it grows by 1 every `UNIT`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from inference_core.head import Head
from inference_core.head.model import Float32s, Floats, Indices, Mask

UNIT = 0.10
AZIMUTHS, FALLS = 64, 72
DEEPEST = np.pi / 2 + 5.0  # half a metre below the skull's middle
CLOSE = 0.001
"""m over the skin that every hair keeps."""
_SAMPLES = 60_000


@dataclass(frozen=True, eq=False)
class Capsule:
    """The upright axis (x = 0) at depth `z`, and the height `y` of the skull's middle."""

    y: float
    z: float

    @classmethod
    def of(cls, head: Head, vertices: Floats) -> Capsule:
        """From the ears of a neutral head (V, 3): the skull's middle lies a little above and before them."""
        ears = vertices[head.region("ears")].mean(axis=0)
        return cls(float(ears[1]) + 0.025, float(ears[2]) + 0.008)

    def feet(self, points: Floats) -> Floats:
        """(..., 3): where each of `points` (..., 3) is seen from."""
        feet = np.zeros_like(points)
        feet[..., 1] = np.minimum(points[..., 1], self.y)
        feet[..., 2] = self.z
        return feet

    def split(self, points: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Azimuth, fall, radius (...) and unit directions (..., 3) of points (..., 3)."""
        away = points - self.feet(points)
        radius = np.linalg.norm(away, axis=-1)
        outward = away / np.maximum(radius, 1e-9)[..., None]
        azimuth = np.arctan2(away[..., 0], away[..., 2])
        fall = np.arccos(np.clip(outward[..., 1], -1.0, 1.0)) + np.maximum(self.y - points[..., 1], 0.0) / UNIT
        return azimuth, fall, radius, outward

    def places(self, azimuth: Floats, fall: Floats, radius: Floats) -> Floats:
        """(..., 3): the way back."""
        polar = np.minimum(fall, np.pi / 2)
        side, up = radius * np.sin(polar), radius * np.cos(polar)
        drop = UNIT * np.maximum(fall - np.pi / 2, 0.0)
        return np.stack([side * np.sin(azimuth), self.y + up - drop, self.z + side * np.cos(azimuth)], axis=-1)


def cells() -> tuple[Floats, Floats]:
    """Azimuth and fall (FALLS, AZIMUTHS) of a map's cells."""
    azimuth = (np.arange(AZIMUTHS) + 0.5) * 2 * np.pi / AZIMUTHS - np.pi
    fall = (np.arange(FALLS) + 0.5) * DEEPEST / FALLS
    return np.broadcast_to(azimuth, (FALLS, AZIMUTHS)).copy(), np.repeat(fall[:, None], AZIMUTHS, axis=1)


def cell_of(azimuth: Floats, fall: Floats) -> tuple[Indices, Indices]:
    """Row and column of the cell that each direction lies in."""
    column = np.floor((azimuth + np.pi) * AZIMUTHS / (2 * np.pi)).astype(np.int32) % AZIMUTHS
    row = np.clip(np.floor(fall * FALLS / DEEPEST), 0, FALLS - 1).astype(np.int32)
    return row, column


def looked_up(values: Floats, azimuth: Floats, fall: Floats) -> Floats:
    """A map (FALLS, AZIMUTHS) at directions (...), linearly; around the head it has no seam."""
    around = np.concatenate([values[:, -1:], values, values[:, :1]], axis=1)
    column = (azimuth + np.pi) * AZIMUTHS / (2 * np.pi) + 0.5
    row = fall * FALLS / DEEPEST - 0.5
    return np.asarray(map_coordinates(around, [row, column], order=1, mode="nearest"), dtype=np.float64)


def softened(values: Floats, rounds: float) -> Floats:
    """A map (FALLS, AZIMUTHS), Gaussian by `rounds` cells, without a seam around the head."""
    return np.asarray(gaussian_filter(values, rounds, mode=("nearest", "wrap")), dtype=np.float64)


def filled(values: Floats, known: Mask) -> Floats:
    """A map whose unknown cells take the nearest known one's value, around the back, too. `known` has some."""
    doubled = np.concatenate([known] * 3, axis=1)
    rows, columns = distance_transform_edt(~doubled, return_distances=False, return_indices=True)
    middle = np.s_[:, AZIMUTHS : 2 * AZIMUTHS]
    return np.asarray(values[rows[middle], columns[middle] % AZIMUTHS])


@dataclass(frozen=True, eq=False)
class Skin:
    """A dense cloud on the head's outside: places (N, 3) m and unit normals (N, 3)."""

    places: Floats
    normals: Floats


def skin_of(triangles: Indices, vertices: Floats, normals: Floats) -> Skin:
    """`_SAMPLES` places spread over triangles (T, 3) by their area, the same for the same head."""
    corners = vertices[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    which = np.searchsorted(np.cumsum(area), (np.arange(_SAMPLES) + 0.5) / _SAMPLES * area.sum())
    which = np.minimum(which, len(area) - 1)
    mix = barycentric(np.random.default_rng(0).random((_SAMPLES, 2)))
    places, directions = (np.einsum("nc,ncd->nd", mix, field[triangles[which]]) for field in (vertices, normals))
    return Skin(places, directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9))


def barycentric(pairs: Floats | Float32s) -> Floats:
    """(N, 3) evenly over a triangle from pairs (N, 2) in 0..1."""
    a, b = np.where(pairs.sum(axis=1) > 1, 1 - pairs.T, pairs.T)
    return np.stack([1 - a - b, a, b], axis=1)


def radii(capsule: Capsule, skin: Skin) -> Floats:
    """A map: how far out the skin reaches in each direction, m."""
    azimuth, fall, radius, _ = capsule.split(skin.places)
    row, column = cell_of(azimuth, fall)
    reach = np.zeros((FALLS, AZIMUTHS))
    np.maximum.at(reach, (row, column), radius)
    return softened(filled(reach, reach > 0), 0.6)
