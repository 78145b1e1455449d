"""FLAME's arrays, checked: what is wrong with a file is said before anything is made of it.

Facts about the form are FLAME's own (Li et al. 2017, and the files of 2019 to 2023): 5,023 vertices, 9,976 triangles,
300 identity and 100 expression directions, joints root, neck, jaw, left eye, right eye; metres, +Y up, +Z forward.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.flame.pickle_values import Refused, Stateful, plain
from inference_core.flame.source import SourceFile
from inference_core.head.model import Floats, Indices

VERTICES, TRIANGLES, JOINTS, SHAPES, EXPRESSIONS = 5023, 9976, 5, 300, 100
KEYS = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "kintree_table", "weights")
TOPOLOGY = "b49a9d41a9f7cef546fa83a8eea9b4cce6531124166df25afda324802534ec13"
"""sha256 of FLAME's triangles, each turned so that its smallest corner comes first, sorted, as little-endian int32."""

_OTHER_MODELS = {6890: "an SMPL or SMPL-H body", 10475: "an SMPL-X body", 778: "a MANO hand", 3889: "a SMAL animal"}
_NEED = "Choose a FLAME file (2019, 2020, 2023 or 2023 Open)."
_AGAIN = "Download the file again from FLAME's own page."

# Some places of FLAME 2023 Open's template (CC BY 4.0), to tell units and axes: vertex -> m.
_PLACES: dict[int, tuple[float, float, float]] = {
    3929: (0.032, 0.023, 0.024),
    3930: (-0.031, 0.023, 0.023),
    3559: (-0.000, 0.132, -0.060),
    3564: (0.001, -0.010, 0.075),
    3522: (-0.001, 0.055, -0.153),
    3226: (0.108, -0.140, -0.100),
    3327: (-0.110, -0.140, -0.101),
    3285: (-0.002, -0.187, 0.002),
}
_LARGEST_TURN = 0.35  # rad: heads of different versions are turned by less than a tenth of this


@dataclass(frozen=True, eq=False)
class FlameModel:
    """A checked FLAME file. Head space, m, float64 where not said otherwise."""

    name: str
    sha256: str
    template: Floats  # (V, 3)
    triangles: Indices  # (T, 3)
    shape_dirs: NDArray[np.float32]  # (V, 3, S), directions that move nothing left out at the end
    expression_dirs: NDArray[np.float32]  # (V, 3, E)
    pose_dirs: NDArray[np.float32]  # (V, 3, 36)
    joint_regressor: Floats  # (5, V)
    skin_weights: Floats  # (V, 5)


def check_model(source: SourceFile) -> FlameModel:
    """The arrays of a FLAME file.

    Raises:
        BadInput: with a sentence that says which of them is wrong, and how.
    """
    arrays = _arrays(source)
    name = source.name
    template = arrays["v_template"]
    _check_kind(template, arrays, name)
    triangles = arrays["f"].astype(np.int64)
    _check_topology(triangles, name)
    _check_shapes(arrays, name)
    for key in KEYS:
        bad = int((~np.isfinite(arrays[key])).sum())
        if bad:
            raise BadInput(f"{name} is damaged: {bad} values of {key} are not numbers (NaN or infinite).", _AGAIN)
    _check_placement(template, name)
    _check_joints(arrays, name)
    directions = arrays["shapedirs"]
    if max(float(np.abs(directions).max()), float(np.abs(arrays["posedirs"]).max())) > 1.0:
        raise BadInput(f"{name} is damaged: its directions move vertices by more than a metre.", _AGAIN)
    return FlameModel(
        name=name,
        sha256=source.sha256,
        template=template,
        triangles=triangles.astype(np.int32),
        shape_dirs=_used(directions[:, :, :SHAPES]),
        expression_dirs=_used(directions[:, :, SHAPES:]),
        pose_dirs=np.ascontiguousarray(arrays["posedirs"], dtype=np.float32),
        joint_regressor=arrays["J_regressor"],
        skin_weights=arrays["weights"],
    )


def topology_of(triangles: NDArray[Any]) -> str:
    """The sum that TOPOLOGY is, of triangles (T, 3): the order of triangles and their first corners do not matter."""
    first = triangles.argmin(axis=1)
    turned = triangles[np.arange(len(triangles))[:, None], (first[:, None] + np.arange(3)) % 3]
    ordered = turned[np.lexsort(turned.T[::-1])].astype("<i4")
    return hashlib.sha256(ordered.tobytes()).hexdigest()


def _arrays(source: SourceFile) -> dict[str, Floats]:
    arrays: dict[str, Floats] = {}
    if not any(key in source.values for key in KEYS):
        held = ", ".join(sorted(source.values)[:6]) or "nothing"
        raise BadInput(f"{source.name} is not a FLAME model; it holds {held}.", _NEED)
    for key in KEYS:
        if key not in source.values:
            raise BadInput(f"{source.name} has no {key}, which a FLAME model needs.", _NEED)
        value = source.values[key]
        try:
            found = value if isinstance(value, np.ndarray) and not isinstance(value, Stateful) else plain(value)
            if found.dtype.kind not in "fiub":
                raise ValueError("not numbers")
            arrays[key] = np.ascontiguousarray(found, dtype=np.float64)
        except (Refused, ValueError, KeyError, TypeError, IndexError, UnicodeError) as error:
            reason = str(error) if isinstance(error, Refused) else "it cannot be read as an array of numbers"
            raise BadInput(f"{key} in {source.name} was not used: {reason}.", _AGAIN) from error
    return arrays


def _check_kind(template: Floats, arrays: dict[str, Floats], name: str) -> None:
    if template.ndim != 2 or template.shape[1] != 3:
        raise BadInput(f"{name} is damaged: v_template has the shape {template.shape}, not (5023, 3).", _AGAIN)
    count = len(template)
    if count in _OTHER_MODELS:
        raise BadInput(f"{name} is {_OTHER_MODELS[count]} ({count:,} vertices), not a FLAME head.", _NEED)
    if count != VERTICES:
        raise BadInput(f"{name} has {count:,} vertices; a FLAME head has {VERTICES:,}.", _NEED)
    if arrays["f"].shape != (TRIANGLES, 3):
        raise BadInput(f"{name} has other triangles than FLAME: f is {arrays['f'].shape}, not (9976, 3).", _NEED)


def _check_topology(triangles: NDArray[np.int64], name: str) -> None:
    if triangles.min() < 0 or triangles.max() >= VERTICES:
        raise BadInput(f"{name} is damaged: its triangles name vertices that do not exist.", _AGAIN)
    if topology_of(triangles) != TOPOLOGY:
        if topology_of(triangles[:, ::-1]) == TOPOLOGY:
            raise BadInput(f"{name} is turned inside out: its triangles run the wrong way round.", _AGAIN)
        raise BadInput(f"{name} has FLAME's number of vertices, but joins them in another way.", _NEED)


def _check_shapes(arrays: dict[str, Floats], name: str) -> None:
    expected = {
        "posedirs": (VERTICES, 3, 36), "J_regressor": (JOINTS, VERTICES), "weights": (VERTICES, JOINTS),
        "shapedirs": (VERTICES, 3, SHAPES + EXPRESSIONS),
    }  # fmt: skip
    for key, shape in expected.items():
        if arrays[key].shape != shape:
            raise BadInput(f"{name} is no FLAME file as published: {key} is {arrays[key].shape}, not {shape}.", _NEED)
    parents = arrays["kintree_table"]
    if parents.shape != (2, JOINTS) or not np.array_equal(parents[0, 1:], (0, 1, 1, 1)):
        raise BadInput(f"{name} has other joints than FLAME: root, neck, jaw and two eyes were expected.", _NEED)


def _check_placement(template: Floats, name: str) -> None:
    """Units and axes, by places that every FLAME head has within two centimetres of each other."""
    index = np.array(list(_PLACES))
    expected = np.array(list(_PLACES.values()))
    found = template[index]
    distance = float(np.linalg.norm(found - expected, axis=1).max())
    if distance < 0.03:
        return
    a, b = expected - expected.mean(axis=0), found - found.mean(axis=0)
    size = float(np.sqrt((b**2).sum() / (a**2).sum()))
    u, _, vt = np.linalg.svd(b.T @ a)
    if np.linalg.det(u @ vt) < 0:
        raise BadInput(f"{name} is mirrored: one of its axes points the other way than FLAME's.", _AGAIN)
    turn = float(np.arccos(np.clip((np.trace(u @ vt) - 1) / 2, -1, 1)))
    if turn > _LARGEST_TURN:
        raise BadInput(
            f"{name} has its axes swapped: FLAME's +Y is up and +Z forward, this head is turned by "
            f"{np.degrees(turn):.0f} degrees.", "Use the file as it was published."
        )  # fmt: skip
    for unit, factor in (("centimetres", 100.0), ("millimetres", 1000.0), ("decimetres", 10.0)):
        if 0.7 < size / factor < 1.4:
            raise BadInput(f"{name} is in {unit}; FLAME's files are in metres.", "Use the file as it was published.")
    if not 0.7 < size < 1.4:
        raise BadInput(f"{name} is {size:.3g} times as large as a FLAME head.", "Use the file as it was published.")
    if distance > 0.1:
        raise BadInput(f"{name} is a FLAME head, but not in FLAME's place.", "Use the file as it was published.")


def _check_joints(arrays: dict[str, Floats], name: str) -> None:
    weights, regressor, template = arrays["weights"], arrays["J_regressor"], arrays["v_template"]
    if weights.min() < -1e-4 or np.abs(weights.sum(axis=1) - 1).max() > 1e-2:
        raise BadInput(f"{name} is damaged: its skinning weights do not sum to one.", _AGAIN)
    joints = regressor @ template
    low, high = template.min(axis=0) - 0.02, template.max(axis=0) + 0.02
    if ((joints < low) | (joints > high)).any():
        raise BadInput(f"{name} is damaged: its joints lie outside the head.", _AGAIN)
    if joints[3, 0] - joints[4, 0] < 0.04:
        raise BadInput(f"{name} is damaged: its eye joints are not where eyes are.", _AGAIN)


def _used(directions: Floats) -> NDArray[np.float32]:
    moving = np.flatnonzero(np.abs(directions).max(axis=(0, 1)) > 0)
    count = int(moving[-1]) + 1 if moving.size else 1
    return np.ascontiguousarray(directions[:, :, :count], dtype=np.float32)
