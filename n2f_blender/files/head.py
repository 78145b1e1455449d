# SPDX-FileCopyrightText: 2026 N2F authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a head file, with numpy only: what the mesh, its shape keys and its bones are made of.

All arrays are in head space, metres: +X the subject's left, +Y up, +Z out of the face.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import HeadError
from ..formats.npz import FAULTS, read_npz
from .editions import FirstEdition

Floats = NDArray[np.float64]
JOINT_BONES = ("root", "neck", "jaw", "eye_L", "eye_R")
PARENT_BONES = (None, "root", "neck", "neck", "neck")
EYELID_KEYS = ("eyeBlinkLeft", "eyeBlinkRight")
BUNDLED_NAME = "open_head.npz"


def is_signed(expression: str) -> bool:
    """Whether an expression is a mode of a statistical model (FLAME's expr.000 ...), which takes both signs."""
    return expression.startswith("expr.")


# Face Mesh's points along the lids, from the inner corner to the outer; "left" is the subject's.
_LID_POINTS = {
    ("left_eyeball", True): (362, 398, 384, 385, 386, 387, 388, 466, 263),
    ("left_eyeball", False): (362, 382, 381, 380, 374, 373, 390, 249, 263),
    ("right_eyeball", True): (133, 173, 157, 158, 159, 160, 161, 246, 33),
    ("right_eyeball", False): (133, 155, 154, 153, 145, 144, 163, 7, 33),
}


@dataclass(frozen=True, eq=False)
class Pair:
    """A corrective that counts as the smaller of two motions, never below 0. See inference_core/head/combinations.py.

    Each partner is an element of the head's motion, which is expressions (E), lids (2) and R - I of neck, jaw, left and
    right eye (36), times its scale.
    """

    names: tuple[str, str]
    columns: tuple[int, int]
    scales: tuple[float, float]
    offset: NDArray[np.float32]  # (V, 3) m


@dataclass(frozen=True, eq=False)
class LidRim:
    """A lid's edge: P points from the inner corner to the outer, as shares of the vertices (P, V)."""

    eye: str  # the eyeball's region
    upper: bool
    vertices: Floats


@dataclass(frozen=True, eq=False)
class HeadFile:
    """One 3DMM in FLAME's form. V vertices, Q polygons, U texture coordinates, S shape and E expression directions."""

    head_id: str
    name: str
    licence: str
    sha256: str
    template: Floats  # (V, 3)
    quads: NDArray[np.int32]  # (Q, 4), -1 in the last column: a triangle
    uv: NDArray[np.float32]  # (U, 2)
    uv_quads: NDArray[np.int32]  # (Q, 4)
    material: NDArray[np.int32]  # (Q,)
    material_names: tuple[str, ...]
    shape_dirs: NDArray[np.float32]  # (V, 3, S)
    expression_dirs: NDArray[np.float32]  # (V, 3, E)
    expression_names: tuple[str, ...]
    pose_dirs: NDArray[np.float32]  # (V, 3, 36)
    eyelid_dirs: NDArray[np.float32]  # (V, 3, 2)
    joint_regressor: Floats  # (5, V)
    skin_weights: NDArray[np.float32]  # (V, 5)
    regions: dict[str, NDArray[np.bool_]]  # name -> (V,)
    commercial_use: bool = True
    arkit_names: tuple[str, ...] = ()  # of a head whose own expressions are modes: ARKit's, as combined shapes
    arkit_dirs: NDArray[np.float32] | None = None  # (V, 3, len(arkit_names))
    first_edition: FirstEdition | None = None  # of the Open Head: how older takes are said in this file's terms
    tooth_places: NDArray[np.float32] | None = None  # (V, 2) tooth and height on it, see scene.teeth; NaN elsewhere
    pairs: tuple[Pair, ...] = ()  # correctives of two motions that break together
    lid_rims: tuple[LidRim, ...] = ()
    earlier_builds: tuple[str, ...] = ()  # sha256 of files with the same people: what was made for them holds here

    @property
    def vertex_count(self) -> int:
        """V."""
        return len(self.template)

    def answers_to(self, sha256: str) -> bool:
        """Whether a take or a look that names the head file with this sha256 holds on this one."""
        return sha256 == self.sha256 or sha256 in self.earlier_builds

    def identity(self, shape: Floats) -> Floats:
        """(V, 3): a person without expression. `shape` (K,), K <= S; directions beyond K count as zero."""
        return np.asarray(self.template + self.shape_dirs[..., : len(shape)].astype(np.float64) @ shape)

    def joints(self, shape: Floats, expression: Floats) -> Floats:
        """(5, 3): the joints of the unposed head. On the Open Head they follow the shape only."""
        moved = self.identity(shape) + self.expression_dirs.astype(np.float64) @ expression
        return np.asarray(self.joint_regressor @ moved)

    def region(self, name: str) -> NDArray[np.bool_]:
        """(V,): a named region; empty on a head that does not have it."""
        return self.regions.get(name, np.zeros(self.vertex_count, dtype=np.bool_))


def bundled_head_path() -> Path:
    """The head packed with the extension; in a source checkout the core's.

    Raises:
        HeadError: where it is missing.
    """
    package = Path(__file__).resolve().parents[1]
    candidates = (package / "assets" / BUNDLED_NAME, package.parent / "inference_core" / "assets" / BUNDLED_NAME)
    for path in candidates:
        if path.is_file():
            return path
    raise HeadError("The extension's head file is missing.", "Install the extension again.")


def load_head(path: Path) -> HeadFile:
    """Read a head file; one that was read before comes from memory.

    Raises:
        HeadError: where it is missing or damaged.
    """
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise HeadError(
            f"There is no head file at {path}.", "Check the core in the extension's preferences."
        ) from error
    return _load(path, stamp)


@functools.lru_cache(maxsize=2)
def _load(path: Path, _stamp: int) -> HeadFile:
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        return _from_arrays(read_npz(path), sha256)
    except FAULTS as error:
        raise HeadError(
            f"The head file {path.name} cannot be read: {error}.", "Install the extension again."
        ) from error


def _from_arrays(arrays: dict[str, NDArray[np.generic]], sha256: str) -> HeadFile:
    meta = json.loads(str(arrays["meta"]))
    if meta.get("format") != "n2f-head" or meta.get("version") != 1:
        raise ValueError("it is not a head file of version 1")
    masks = np.asarray(arrays["region_masks"], dtype=np.bool_)
    combined = "arkit_names" in arrays and "arkit_dirs" in arrays
    return HeadFile(
        commercial_use=meta.get("commercial_use") is True,
        arkit_names=tuple(str(name) for name in arrays["arkit_names"]) if combined else (),
        arkit_dirs=np.asarray(arrays["arkit_dirs"], dtype=np.float32) if combined else None,
        first_edition=_first_edition(arrays),
        tooth_places=np.asarray(arrays["tooth_places"], dtype=np.float32) if "tooth_places" in arrays else None,
        pairs=_pairs(arrays),
        lid_rims=_lid_rims(arrays),
        earlier_builds=tuple(str(build) for build in arrays.get("earlier_builds", ())),
        head_id=str(meta["head_id"]),
        name=str(meta.get("name", meta["head_id"])),
        licence=str(meta.get("license", "")),
        sha256=sha256,
        template=np.asarray(arrays["template"], dtype=np.float64),
        quads=np.asarray(arrays["quads"], dtype=np.int32),
        uv=np.asarray(arrays["uv"], dtype=np.float32),
        uv_quads=np.asarray(arrays["uv_quads"], dtype=np.int32),
        material=np.asarray(arrays["material"], dtype=np.int32),
        material_names=tuple(str(name) for name in arrays["material_names"]),
        shape_dirs=np.asarray(arrays["shape_dirs"], dtype=np.float32),
        expression_dirs=np.asarray(arrays["expression_dirs"], dtype=np.float32),
        expression_names=tuple(str(name) for name in arrays["expression_names"]),
        pose_dirs=np.asarray(arrays["pose_dirs"], dtype=np.float32),
        eyelid_dirs=np.asarray(arrays["eyelid_dirs"], dtype=np.float32),
        joint_regressor=np.asarray(arrays["joint_regressor"], dtype=np.float64),
        skin_weights=np.asarray(arrays["skin_weights"], dtype=np.float32),
        regions={str(name): masks[row] for row, name in enumerate(arrays["region_names"])},
    )


def _lid_rims(arrays: dict[str, NDArray[np.generic]]) -> tuple[LidRim, ...]:
    """The lids' edges, where the file says where Face Mesh's points lie on the head."""
    names = ("mediapipe_index", "mediapipe_triangles", "mediapipe_barycentric", "triangles")
    if not all(name in arrays for name in names):
        return ()
    index, triangle, share, triangles = (np.asarray(arrays[name]) for name in names)
    row = {int(point): number for number, point in enumerate(index)}
    rims = []
    for (eye, upper), points in _LID_POINTS.items():
        if not all(point in row for point in points):
            return ()
        rows = [row[point] for point in points]
        weights = np.zeros((len(points), len(arrays["template"])))
        np.put_along_axis(weights, triangles[triangle[rows]].astype(np.int64), share[rows].astype(np.float64), axis=1)
        rims.append(LidRim(eye, upper, weights))
    return tuple(rims)


def _pairs(arrays: dict[str, NDArray[np.generic]]) -> tuple[Pair, ...]:
    if "combination_names" not in arrays:
        return ()
    names = [(str(one), str(other)) for one, other in arrays["combination_names"].tolist()]
    columns = np.asarray(arrays["combination_columns"], dtype=np.int64)
    scales = np.asarray(arrays["combination_scales"], dtype=np.float64)
    dirs = np.asarray(arrays["combination_dirs"], dtype=np.float32)
    return tuple(
        Pair(names[row], (int(columns[row, 0]), int(columns[row, 1])), (float(one), float(other)), dirs[..., row])
        for row, (one, other) in enumerate(scales)
    )


def _first_edition(arrays: dict[str, NDArray[np.generic]]) -> FirstEdition | None:
    if "first_edition_map" not in arrays:
        return None
    sha256 = str(arrays["first_edition_sha256"])
    return FirstEdition(sha256, np.asarray(arrays["first_edition_map"], dtype=np.float64))
