"""Regions, materials, landmarks and Face Mesh points of a head with this template."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .correspond import read_table
from .cut import Cut
from .landmarks import CHIN, NOSE_BASE, YAWS, contour, dense_brows, front_brows, static_landmarks
from .lids import behind_lids
from .regions import MATERIALS, polygon_materials, region_masks
from .sculpted import sculpted_mesh
from .source import Flags, Floats, Source

Arrays = dict[str, npt.NDArray[np.generic]]


def region_masks_of(source: Source, cut: Cut, template: Floats, eyes: Floats) -> dict[str, Flags]:
    """All regions (V,) of the head file; eyes (2,3) m, the balls' centres."""
    triangles = cut.triangles()
    brow_line = dense_brows(front_brows(template, triangles, eyes).points(template, triangles))
    nose_base = float(template[NOSE_BASE, 1])
    return region_masks(source, cut, template, brow_line, eyes, behind_lids(template, cut), nose_base)


def mark_arrays(source: Source, cut: Cut, template: Floats, eyes: Floats) -> Arrays:
    """The head file's arrays that name parts and points of the surface."""
    triangles = cut.triangles()
    brows = front_brows(template, triangles, eyes)
    regions = region_masks_of(source, cut, template, eyes)
    index, triangle, barycentric, sigma = read_table()
    static = static_landmarks(template, sculpted_mesh(source, cut), cut, brows, (index, triangle, barycentric))
    line = contour(template, triangles, regions["face"], CHIN, float(eyes[:, 1].mean()))
    return {
        "material": polygon_materials(cut, regions),
        "material_names": np.array(MATERIALS),
        "region_names": np.array(list(regions)),
        "region_masks": np.stack(list(regions.values())),
        "landmark_triangles": static.triangles.astype(np.int32),
        "landmark_barycentric": static.barycentric.astype(np.float32),
        "contour_yaw": YAWS.astype(np.float32),
        "contour_triangles": line.triangles,
        "contour_barycentric": line.barycentric.astype(np.float32),
        "mediapipe_index": index,
        "mediapipe_triangles": triangle,
        "mediapipe_barycentric": barycentric.astype(np.float32),
        "mediapipe_sigma": sigma.astype(np.float32),
    }
