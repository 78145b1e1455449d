"""ICT-FaceKit's people on the Open Head's mesh: a second body of shapes to paint, made from light-stage scans.

ICT Face Model Light, USC Institute for Creative Technologies, MIT licence; the data are not part of this repository.
The Open Head's outer skin is laid onto ICT's mean face, which says where on it each vertex lies; ICT's mean and its
identity modes are read there. Ears, lids, lips and everything inside follow smoothly.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import splu

from inference_core.errors import BadInput
from inference_core.head import Head, landmarks_68, vertex_normals
from inference_core.training.geometry import Surface, align

Floats = NDArray[np.float64]

CM = 0.01
SKIN = 11248  # ICT's vertices before this one: face, head and neck
LOOSE = ("eyelids", "lips", "ears", "hidden", "inner_mouth", "teeth", "tongue", "left_eyeball", "right_eyeball")
"""Regions that follow instead of being laid on: ICT's lids and lips open elsewhere, its ears are other ears."""
SLIP = 0.006  # m: vertices whose closest point is further away follow too
ROUNDS = 4


def ict_head(folder: Path, head: Head) -> Head:
    """The head with ICT's mean face and identity modes in place of its own.

    Raises:
        BadInput: where data are missing.
    """
    try:
        with np.load(folder / "ict_facekit.npz", allow_pickle=False) as data:
            neutral = data["neutral"].astype(np.float64) * CM
            modes = data["identity"].astype(np.float64) * CM
            quads = data["faces"]
        marks = np.array(json.loads((folder / "landmarks68.json").read_text(encoding="utf-8"))["vertex_indices"])
    except (OSError, KeyError, ValueError) as error:
        raise BadInput(f"ICT-FaceKit cannot be read from '{folder}': {error}.", "Name its folder.") from error
    quads = np.where(quads < 0, quads[:, :1], quads)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    distinct = (np.diff(np.sort(triangles, axis=1), axis=1) > 0).all(axis=1)
    triangles = triangles[distinct & (triangles < SKIN).all(axis=1)]

    template = head.template.astype(np.float64)
    own = landmarks_68(head, template, 0.0)
    neutral = align(neutral[marks], own, with_scale=False).apply(neutral)
    surface = Surface(neutral, np.ascontiguousarray(triangles, np.int32))

    spread = _Spread(head)
    laid = ~np.any([head.region(name) for name in LOOSE], axis=0)
    warp = RBFInterpolator(own[17:], neutral[marks[17:]] - own[17:], smoothing=1e-6)
    # Far from the landmarks the warp would run away: its mean there, by distance.
    near = np.exp(-((np.linalg.norm(template[:, None] - own[17:], axis=2).min(axis=1) / 0.06) ** 2))[:, None]
    moved = near * warp(template) + (1 - near) * (neutral[marks[17:]] - own[17:]).mean(axis=0)
    for _ in range(ROUNDS):
        guess = template + moved
        places, facing = surface.closest(guess)
        held = laid & (np.linalg.norm(places - guess, axis=1) < 2 * SLIP)
        held &= (vertex_normals(guess, head.triangles) * facing).sum(axis=1) > 0.6
        moved = spread(held, places - template, 3.0)
    corners, weights = surface.closest_corners(template + moved)
    guess = template + moved
    held = laid & (np.linalg.norm((neutral[corners] * weights[..., None]).sum(1) - guess, axis=1) < SLIP)
    values = np.concatenate([neutral[None], modes])[:, corners]  # (1 + K, V, 3, 3)
    values = np.einsum("kvcd,vc->vkd", values, weights)
    values[:, 0] -= template
    whole = spread(held, values.reshape(len(template), -1), 30.0).reshape(values.shape)
    return replace(
        head,
        head_id=f"{head.head_id}+ict",
        template=(template + whole[:, 0]).astype(np.float32),
        shape_dirs=np.ascontiguousarray(whole[:, 1:].transpose(0, 2, 1), np.float32),
    )


class _Spread:
    """Carries values from some vertices to all, bending as little as possible; eyeballs move as one piece."""

    def __init__(self, head: Head) -> None:
        count, t = head.vertex_count, head.triangles
        pairs = np.concatenate([t[:, [0, 1]], t[:, [1, 2]], t[:, [2, 0]]])
        pairs = np.unique(np.sort(np.concatenate([pairs, _bridges(head)]), axis=1), axis=0)
        rows, columns = np.concatenate([pairs, pairs[:, ::-1]]).T
        links = csr_array((np.ones(len(rows)), (rows, columns)), shape=(count, count))
        degree = np.asarray(links.sum(axis=1)).ravel()
        self._bend = csr_array(diags_array(np.ones(count)) - diags_array(1 / degree) @ links)
        self._parts = [head.region(name) for name in ("left_eyeball", "right_eyeball")]
        self._lids = head.region("eyelids")
        self._side = np.sign(head.template[:, 0])

    def __call__(self, held: NDArray[np.bool_], values: Floats, stiffness: float) -> Floats:
        weight = np.where(held, stiffness, 1e-6)
        matrix = (self._bend.T @ self._bend + diags_array(weight)).tocsc()
        out = np.asarray(splu(matrix).solve(weight[:, None] * values * held[:, None]))
        for ball, side in zip(self._parts, (1, -1), strict=True):
            out[ball] = out[self._lids & (self._side == side)].mean(axis=0)
        return out


def _bridges(head: Head) -> NDArray[np.int64]:
    """(P, 2) links from what floats free, as teeth and eyeballs do, to the nearest skin."""
    loose = np.any([head.region(name) for name in ("teeth", "tongue", "left_eyeball", "right_eyeball")], axis=0)
    skin = np.flatnonzero(~loose)
    inside = np.flatnonzero(loose)
    away = np.linalg.norm(head.template[inside][:, None] - head.template[skin][None], axis=2)
    return np.stack([inside, skin[away.argmin(axis=1)]], axis=1)
