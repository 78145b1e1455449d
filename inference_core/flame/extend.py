"""The head file's arrays with the mouth added behind FLAME's own vertices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from inference_core.flame.arkit import JAW_TURNS
from inference_core.flame.marks import MATERIALS
from inference_core.flame.model import FlameModel
from inference_core.flame.mouth import Mouth
from inference_core.flame.registration import Registration
from inference_core.flame.surface import nearest_places
from inference_core.flame.transfer import deform
from inference_core.head.model import Floats, Head, Indices
from inference_core.head.rotations import matrix_from_vector

Arrays = dict[str, NDArray[np.generic]]

_UV_STRIP = (0.25, 0.01, 0.5, 0.11)  # left, bottom, width, height of the mouth's place in the texture
_HIDDEN = ("skin", "inner_mouth", "hidden")  # regions of the mouth's inside


def with_mouth(arrays: Arrays, mouth: Mouth, open_head: Head, registration: Registration, model: FlameModel) -> Arrays:
    """All arrays (`convert.head_arrays` without the mouth) with it. FLAME's own vertices and triangles come first."""
    count = len(mouth.template)
    weights = _weights(mouth, model)
    extra = {
        "template": mouth.template,
        "shape_dirs": _follow(mouth.identity, model.shape_dirs),
        "expression_dirs": _follow(mouth.expression, model.expression_dirs),
        "pose_dirs": mouth.follows[:, None, None] * model.pose_dirs[mouth.rim],
        "eyelid_dirs": np.zeros((count, 3, 2)),
        "skin_weights": weights,
        "arkit_dirs": _arkit(arrays, mouth, open_head, registration, model, weights),
    }
    result = dict(arrays)
    for name, values in extra.items():
        result[name] = np.concatenate([arrays[name], values.astype(arrays[name].dtype)])
    regressor = arrays["joint_regressor"]
    result["joint_regressor"] = np.concatenate([regressor, np.zeros((len(regressor), count), regressor.dtype)], axis=1)
    if open_head.tooth_places is not None:
        teeth = np.full((len(result["template"]), 2), np.nan, np.float32)
        teeth[-count:][~mouth.inside] = open_head.tooth_places[mouth.open_head[~mouth.inside]]
        result["tooth_places"] = teeth
    return result | _surface(arrays, mouth) | _places(arrays, mouth, open_head, registration)


def _follow(rows: Floats, directions: NDArray[np.float32]) -> Floats:
    """(N, 3, K): the mean motion of the vertices that each row (N, V) names."""
    flat = csr_array(rows) @ directions.reshape(len(directions), -1).astype(np.float64)
    return np.asarray(flat).reshape(len(rows), 3, -1)


def _weights(mouth: Mouth, model: FlameModel) -> Floats:
    """(N, 5): teeth and tongue on one joint; the inside as the rim, further back as its side's mean."""
    weights = np.zeros((len(mouth.template), 5))
    weights[mouth.lower, 2] = weights[~mouth.lower, 1] = 1.0
    rim = model.skin_weights[mouth.rim]
    for side in (mouth.lower, ~mouth.lower):
        members = mouth.inside & side
        share = mouth.follows[members, None]
        weights[members] = share * rim[members] + (1 - share) * rim[members].mean(axis=0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _arkit(
    arrays: Arrays, mouth: Mouth, open_head: Head, registration: Registration, model: FlameModel, weights: Floats
) -> Floats:
    """(N, 3, A): the inside goes with the rim, the jaw carries what is on it, the rest is the Open Head's."""
    names = [str(name) for name in arrays["arkit_names"]]
    known = arrays["arkit_dirs"].astype(np.float64)
    result = mouth.follows[:, None, None] * known[mouth.rim]
    parts = ~mouth.inside
    own = deform(open_head, registration.laid, open_head.expression_dirs.astype(np.float64))[mouth.open_head[parts]]
    for column, name in enumerate(open_head.expression_names):
        result[parts, :, names.index(name)] = own[:, :, column]
    pivot = (model.joint_regressor @ model.template)[2]
    for name, vector in JAW_TURNS.items():
        turn = matrix_from_vector(np.array(vector)) - np.eye(3)
        rigid = weights[:, 2, None] * ((mouth.template - pivot) @ turn.T)
        result[:, :, names.index(name)] += (1 - mouth.follows)[:, None] * rigid
    return np.asarray(result)


def _surface(arrays: Arrays, mouth: Mouth) -> Arrays:
    """Triangles, texture coordinates, materials and regions."""
    first = len(arrays["template"])
    kinds = (("teeth", mouth.teeth), ("tongue", mouth.tongue), ("mouth", mouth.inside))
    material = np.zeros(len(mouth.triangles), np.int32)
    for name, members in kinds:
        inside = np.concatenate([np.zeros(first, np.bool_), members])
        material[inside[mouth.triangles].any(axis=1)] = MATERIALS.index(name)
    left, bottom, width, height = _UV_STRIP
    low, size = mouth.template.min(axis=0), np.ptp(mouth.template, axis=0)
    flat = (mouth.template - low) / size
    # Teeth, tongue and inside beside each other, seen from above.
    column = np.select([mouth.teeth, mouth.tongue], [0, 1], 2)
    places = np.stack([left + width * (column + 0.95 * flat[:, 0]) / 3, bottom + height * flat[:, 2]], axis=1)
    uv_first = len(arrays["uv"])
    rim = np.flatnonzero(np.isin(np.arange(first), mouth.triangles))
    number = np.full(first + len(places), -1)
    number[first:] = uv_first + np.arange(len(places))
    number[rim] = uv_first + len(places) + np.arange(len(rim))
    strip = np.tile([[left + width * 0.8, bottom + height]], (len(rim), 1))
    regions = {str(name): row for name, row in zip(arrays["region_names"], arrays["region_masks"], strict=True)}
    added = {"teeth": mouth.teeth, "tongue": mouth.tongue} | dict.fromkeys(_HIDDEN, mouth.inside)
    none = np.zeros(len(mouth.template), np.bool_)
    return {
        "triangles": np.concatenate([arrays["triangles"], mouth.triangles]),
        "quads": np.concatenate([arrays["quads"], _as_quads(mouth.triangles)]),
        "uv": np.concatenate([arrays["uv"], places, strip]).astype(np.float32),
        "uv_quads": np.concatenate([arrays["uv_quads"], _as_quads(number[mouth.triangles].astype(np.int32))]),
        "material": np.concatenate([arrays["material"], material]),
        "region_masks": np.stack([np.concatenate([row, added.get(name, none)]) for name, row in regions.items()]),
    }


def _as_quads(triangles: Indices) -> Indices:
    return np.concatenate([triangles, np.full((len(triangles), 1), -1, np.int32)], axis=1)


def _places(arrays: Arrays, mouth: Mouth, open_head: Head, registration: Registration) -> Arrays:
    """Where the added vertices lie on the Open Head: teeth and tongue are its own, the inside near its inside."""
    inner = open_head.region("inner_mouth")[open_head.triangles].all(axis=1)
    found = nearest_places(mouth.template, registration.laid, open_head.triangles, allowed=inner)
    triangles, share = found.triangles.copy(), found.barycentric.copy()
    parts = np.flatnonzero(~mouth.inside)
    flat = open_head.triangles.ravel()
    order = np.argsort(flat, kind="stable")
    corner = order[np.searchsorted(flat[order], mouth.open_head[parts])]
    triangles[parts], share[parts] = corner // 3, np.eye(3)[corner % 3]
    source = open_head.template.astype(np.float64)
    at = np.einsum("nk,nkc->nc", share, source[open_head.triangles[triangles]])
    return {
        "open_head_triangles": np.concatenate([arrays["open_head_triangles"], triangles]),
        "open_head_barycentric": np.concatenate([arrays["open_head_barycentric"], share.astype(np.float32)]),
        "open_head_offset": np.concatenate(
            [arrays["open_head_offset"], (mouth.template.astype(np.float32) - at).astype(np.float32)]
        ),
    }
