"""Landmarks, Face Mesh's points, regions, texture coordinates and materials on a FLAME head, from the Open Head's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference_core.flame.registration import SKIN, Registration
from inference_core.flame.surface import SurfaceSamples, nearest_places
from inference_core.head.model import Floats, Head, Indices, Mask
from inference_core.head.surface import vertex_normals

Arrays = dict[str, NDArray[np.generic]]

MATERIALS = ("skin", "lips", "eyes", "teeth", "mouth", "tongue")
IRIS_DEGREES, PUPIL_DEGREES = 28.0, 10.0  # from the ball's forward axis: FLAME's ball is smaller than the Open Head's
_BALLS = (("left_eyeball", slice(3931, 4477)), ("right_eyeball", slice(4477, 5023)))


def marks(open_head: Head, registration: Registration, template: Floats, triangles: Indices) -> Arrays:
    """All arrays of the head file that say what is where."""
    regions = regions_of(open_head, registration, template)
    place = _Placer(open_head, registration, template, triangles)
    static = place(open_head.landmark_triangles, open_head.landmark_barycentric)
    contour = place(open_head.contour_triangles.ravel(), open_head.contour_barycentric.reshape(-1, 3))
    dense = place(open_head.mediapipe_triangles, open_head.mediapipe_barycentric)
    rows = open_head.contour_triangles.shape
    return {
        "region_names": np.array(list(regions)),
        "region_masks": np.stack(list(regions.values())),
        "material": materials_of(regions, triangles),
        "material_names": np.array(MATERIALS),
        "landmark_triangles": static.triangles,
        "landmark_barycentric": static.barycentric.astype(np.float32),
        "contour_yaw": open_head.contour_yaw,
        "contour_triangles": contour.triangles.reshape(rows),
        "contour_barycentric": contour.barycentric.reshape(*rows, 3).astype(np.float32),
        "mediapipe_index": open_head.mediapipe_index,
        "mediapipe_triangles": dense.triangles,
        "mediapipe_barycentric": dense.barycentric.astype(np.float32),
        "mediapipe_sigma": open_head.mediapipe_sigma,
    }


class _Placer:
    """Carries places on the Open Head to the FLAME head: the nearest place on the part that they belong to."""

    def __init__(self, open_head: Head, registration: Registration, template: Floats, triangles: Indices) -> None:
        self._head, self._laid = open_head, registration.laid
        self._template, self._triangles = template, triangles
        self._normals = vertex_normals(self._laid, open_head.triangles)
        self._ball = open_head.region("left_eyeball") | open_head.region("right_eyeball")

    def __call__(self, triangles: Indices, barycentric: NDArray[np.float32]) -> SurfaceSamples:
        """Places (n,) on the Open Head -> places on the FLAME head."""
        corners = self._head.triangles[triangles]
        share = barycentric.astype(np.float64)[:, :, None]
        points = (self._laid[corners] * share).sum(axis=1)
        normals = (self._normals[corners] * share).sum(axis=1)
        on_ball = self._ball[corners].all(axis=1)
        skin = (self._triangles < SKIN).all(axis=1)
        chosen, share_of, distance = np.zeros(len(points), np.int32), np.zeros((len(points), 3)), np.zeros(len(points))
        for members, allowed in ((on_ball, ~skin), (~on_ball, skin)):
            if members.any():
                part = nearest_places(
                    points[members], self._template, self._triangles, normals[members], allowed, steepest=-0.2
                )
                chosen[members], share_of[members] = part.triangles, part.barycentric
                distance[members] = part.distance
        return SurfaceSamples(chosen, share_of, distance)


def regions_of(open_head: Head, registration: Registration, template: Floats) -> dict[str, Mask]:
    """Every region of the Open Head on the FLAME head; eyes by direction; what lies beyond the Open Head is neck."""
    regions: dict[str, Mask] = {}
    count = len(template)
    skin = np.arange(count) < SKIN
    for name in open_head.region_names:
        share = registration.places.of(open_head.region(name).astype(np.float64), open_head.triangles)
        regions[name] = (share > 0.5) & skin
    iris, pupil = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    for name, part in _BALLS:
        mask = np.zeros(count, np.bool_)
        mask[part] = True
        regions[name] = mask
        spokes = template[part] - template[part].mean(axis=0)
        degrees = np.degrees(np.arccos(np.clip(spokes[:, 2] / np.linalg.norm(spokes, axis=1), -1, 1)))
        iris[part] = (degrees <= IRIS_DEGREES) & (degrees >= PUPIL_DEGREES - 2.0)
        pupil[part] = degrees <= PUPIL_DEGREES
    regions["skin"], regions["iris"], regions["pupil"] = skin, iris, pupil
    beyond = skin & (registration.distance > 0.008) & (template[:, 1] < -0.06)
    regions["neck"] = regions["neck"] | beyond
    for name in ("face", "ears", "scalp", "hidden", "inner_mouth"):
        regions[name] = regions[name] & ~beyond
    return regions


def materials_of(regions: dict[str, Mask], triangles: Indices) -> Indices:
    """(T,) index into MATERIALS: a triangle takes a region's material when all its corners are in it."""
    material = np.zeros(len(triangles), np.int32)
    groups = (
        ("lips", regions["lips"]),
        ("mouth", regions["inner_mouth"]),
        ("eyes", regions["left_eyeball"] | regions["right_eyeball"]),
    )
    for name, members in groups:
        material[members[triangles].all(axis=1)] = MATERIALS.index(name)
    return material
