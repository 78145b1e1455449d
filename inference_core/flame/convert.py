"""From a FLAME file to a head file: FLAME's own arrays as they are, and beside them what FLAME lacks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.flame.arkit import arkit_shapes
from inference_core.flame.extend import with_mouth
from inference_core.flame.lids import eyelid_directions
from inference_core.flame.marks import marks
from inference_core.flame.model import FlameModel, check_model
from inference_core.flame.mouth import build_mouth
from inference_core.flame.registration import Registration, register
from inference_core.flame.releases import FlameFacts, facts_of
from inference_core.flame.source import open_source
from inference_core.flame.unfold import unfold
from inference_core.formats.arkit import JAW_OPEN, JAW_SIDE
from inference_core.head import BUNDLED_HEAD, Head, load_head
from inference_core.head.write import write_npz

Arrays = dict[str, NDArray[np.generic]]


def recognise(source: Path) -> FlameFacts | None:
    """What a FLAME file is and may be used for; None where it is none. Nothing in it is executed."""
    try:
        return facts_of(check_model(open_source(source)))
    except BadInput:
        return None


def convert_flame(source: Path, out: Path) -> FlameFacts:
    """Write the head file `out` from a FLAME file. The same file gives the same bytes; `out` appears whole. About
    five seconds on one core.

    Raises:
        BadInput: with a sentence that says what is wrong with the file.
        OSError: where `out` cannot be written.
    """
    model = check_model(open_source(source))
    facts = facts_of(model)
    write_npz(out, head_arrays(model, facts, load_head(BUNDLED_HEAD)))
    return facts


def head_arrays(model: FlameModel, facts: FlameFacts, open_head: Head) -> Arrays:
    """All arrays of the head file (docs/architecture.md, docs/flame.md)."""
    registration = register(open_head, model.template, model.triangles)
    lids = eyelid_directions(open_head, registration, model.template, model.triangles)
    uv, uv_corners = unfold(model.template, model.triangles)
    arkit_names, arkit_dirs = arkit_shapes(open_head, registration, model, lids)
    expressions = model.expression_dirs.shape[2]
    arrays: Arrays = {
        "meta": np.array(json.dumps(_meta(facts, open_head))),
        "template": model.template.astype(np.float32),
        "triangles": model.triangles,
        "quads": _as_quads(model.triangles),
        "uv": uv,
        "uv_quads": _as_quads(uv_corners),
        "shape_dirs": model.shape_dirs,
        "expression_dirs": model.expression_dirs,
        "expression_names": np.array([f"expr.{index:03d}" for index in range(expressions)]),
        "expression_sigma": np.ones(expressions, np.float32),
        "pose_dirs": model.pose_dirs,
        "eyelid_dirs": lids.astype(np.float32),
        "arkit_names": np.array(arkit_names),
        "arkit_dirs": arkit_dirs.astype(np.float32),
        "joint_regressor": model.joint_regressor.astype(np.float32),
        "skin_weights": model.skin_weights.astype(np.float32),
        **marks(open_head, registration, model.template, model.triangles),
        **_correspondence(registration),
    }
    return with_mouth(arrays, build_mouth(open_head, registration, model), open_head, registration, model)


def _correspondence(registration: Registration) -> Arrays:
    return {
        "open_head_triangles": registration.triangles,
        "open_head_barycentric": registration.barycentric.astype(np.float32),
        "open_head_offset": registration.offset.astype(np.float32),
    }


def _as_quads(triangles: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.concatenate([triangles, np.full((len(triangles), 1), -1, np.int32)], axis=1)


def _meta(facts: FlameFacts, open_head: Head) -> dict[str, object]:
    return {
        "format": "n2f-head",
        "version": 1,
        "head_id": facts.head_id,
        "name": facts.version,
        "license": facts.licence,
        "commercial_use": facts.commercial_use,
        "origin": f"Converted from {facts.version}, sha256 {facts.source_sha256}. {facts.attribution}",
        "source_sha256": facts.source_sha256,
        "recognised_by": facts.recognised_by,
        "open_head_sha256": open_head.sha256,
        "jaw_open_radians": JAW_OPEN,
        "jaw_side_radians": JAW_SIDE,
    }
