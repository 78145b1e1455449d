"""MakeHuman's CC0 skins, brows and irises, drawn at random: what the faces of another mesh are painted with.

The skins fit MakeHuman's base mesh, whose texture coordinates the Open Head keeps. They are pictures of real skin, with
lips, lids and cropped hair; brows are laid on at the Open Head's brow landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.errors import BadInput
from inference_core.head import Head
from inference_core.training.geometry import Floats

Float32s = NDArray[np.float32]
Picture = NDArray[np.uint8]
RIGHT_BROW, LEFT_BROW, NOSE = slice(17, 22), slice(22, 27), slice(27, 31)  # iBUG; the nose from bridge to tip
BROW_RISE = 0.05  # of its length: hairs stand above the line of the landmarks
IRIS_PLACE, IRIS_RADIUS = (0.2935, 0.7005), 0.1150  # in the eye textures, as shares of their side


@dataclass(frozen=True, eq=False)
class Look:
    """One person's. Pictures are sRGB; colours 0..1, sRGB."""

    skin: Picture  # (N, N, 3) texture with brows
    eye: Picture  # (K, K, 3) texture, the iris about IRIS_PLACE
    hair: Float32s  # (3,)
    hair_thickness: float  # m; 0: the skin's own cropped hair
    hairline: float  # 0..1 of the scalp's field
    cloth: Float32s  # (3,)


class Wardrobe:
    """Reads the folder once.

    Raises:
        BadInput: where it is not MakeHuman's.
    """

    def __init__(self, head: Head, folder: Path) -> None:
        system = folder / "system"
        self._skins = sorted((system / "skins" / "textures").glob("*_diffuse*.png"))
        self._brows = sorted((system / "eyebrows").glob("*/*.png"))
        self._eyes = sorted((system / "eyes" / "materials").glob("*_eye.png"))
        if not (self._skins and self._brows and self._eyes):
            raise BadInput(f"'{folder}' holds no skins, brows and eyes of MakeHuman.", "Name the folder of system/.")
        right, left, nose = (_landmark_uv(head, points) for points in (RIGHT_BROW, LEFT_BROW, NOSE))
        self._brow_lines = (right, left[::-1])
        self._up = (nose[0] - nose[-1]) / np.linalg.norm(nose[0] - nose[-1])
        self._read: dict[Path, Picture] = {}

    def draw(self, rng: np.random.Generator) -> Look:
        """Deterministic by `rng`."""
        path = self._skins[rng.integers(len(self._skins))]
        dark = "dark" in path.name
        tone = rng.uniform(0.85, 1.1) * rng.uniform(0.96, 1.04, 3)
        level = (np.arange(256)[:, None] / 255) ** rng.uniform(0.8, 1.15) * tone
        curve = np.asarray(255 * np.clip(level, 0, 1), np.uint8)[None]
        skin = np.asarray(cv2.LUT(np.ascontiguousarray(self._picture(path)[..., :3]), curve), np.uint8)
        hair = _hair_colour(rng, dark)
        brow = self._picture(self._brows[rng.integers(len(self._brows))])
        opacity = rng.uniform(0.6, 1.0)
        for line in self._brow_lines:
            _lay_brow(skin, brow, line, self._up, hair * 0.6, opacity)
        eyes = [p for p in self._eyes if not dark or "brown" in p.name]
        return Look(
            skin=skin,
            eye=self._picture(eyes[rng.integers(len(eyes))])[..., :3],
            hair=hair.astype(np.float32),
            hair_thickness=float(rng.uniform(0.004, 0.016)) if rng.random() < 0.6 else 0.0,
            hairline=float(rng.uniform(0.35, 0.6)),
            cloth=muted(rng).astype(np.float32),
        )

    def _picture(self, path: Path) -> Picture:
        """(H, W, 4) RGBA."""
        if path not in self._read:
            found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
            if found is None:
                raise BadInput(f"'{path.name}' cannot be read.", "Copy MakeHuman's assets again.")
            if found.shape[2] == 3:
                found = np.concatenate([found, np.full_like(found[..., :1], 255)], axis=2)
            self._read[path] = np.ascontiguousarray(found[..., [2, 1, 0, 3]])
        return self._read[path]


def muted(rng: np.random.Generator) -> Floats:
    """(3,) a colour as clothes and walls have it: more grey than not."""
    return np.asarray(np.clip(rng.uniform(0.05, 0.8) + rng.normal(0, 0.07, 3), 0.02, 0.9))


def _hair_colour(rng: np.random.Generator, dark: bool) -> Floats:
    if dark or rng.random() < 0.35:
        return np.array([0.07, 0.06, 0.055]) * rng.uniform(0.6, 1.6)
    if rng.random() < 0.25:
        return np.array([0.62, 0.60, 0.58]) * rng.uniform(0.6, 1.2)
    return np.array([0.42, 0.29, 0.18]) * rng.uniform(0.5, 1.5)


def _landmark_uv(head: Head, points: slice) -> Floats:
    """(n, 2) MakeHuman's texture coordinates, v down, of iBUG points from 17 on."""
    at = slice(points.start - 17, points.stop - 17)
    corners = triangle_uv(head)[head.landmark_triangles[at]]
    return np.asarray((corners * head.landmark_barycentric[at][..., None]).sum(axis=1))


def triangle_uv(head: Head) -> Floats:
    """(T, 3, 2) MakeHuman's texture coordinates of the head's triangles, v down: each corner's in its polygon."""
    splits = np.array([[0, 1, 2], [0, 2, 3], [1, 2, 3], [0, 1, 3]])
    names, places = head.quads[:, splits].reshape(-1, 3), head.uv_quads[:, splits].reshape(-1, 3)
    order = np.argsort(_key(names), kind="stable")
    found = order[np.searchsorted(_key(names)[order], _key(head.triangles))]
    corner = (names[found][:, None, :] == head.triangles[:, :, None]).argmax(axis=2)
    uv = head.worn_by_makehuman.uv.astype(np.float64) * (1, -1) + (0, 1)
    return np.asarray(uv[np.take_along_axis(places[found], corner, axis=1)])


def _key(triangles: NDArray[np.int32]) -> NDArray[np.int64]:
    """(N,) one number for each set of three vertices (N, 3)."""
    low, middle, high = np.sort(triangles.astype(np.int64), axis=1).T
    return np.asarray((low << 42) + (middle << 21) + high)


def _lay_brow(skin: Picture, brow: Picture, line: Floats, up: Floats, colour: Floats, opacity: float) -> None:
    """Paint the texture's lower brow onto `line` (5, 2) of the skin's, outer to inner; `up` (2,) is the forehead's."""
    alpha = _lower(brow[..., 3].astype(np.float32) / 255)
    strength = alpha.sum(axis=0)
    column = np.flatnonzero(strength > 0.02 * strength.max())
    at = np.linspace(column[0], column[-1], len(line))
    row = np.interp(at, np.arange(alpha.shape[1]), _middle(alpha))
    third = len(column) // 3
    if strength[column[:third]].sum() > strength[column[-third:]].sum():  # the thick, inner end lies on the left
        at, row = at[::-1], row[::-1]
    goal = line * skin.shape[0]
    length = float(np.linalg.norm(goal[-1] - goal[0]))
    scale = length / float(np.ptp(at))
    goal = goal + BROW_RISE * length * up
    # Points above the line say how thick the brow is: as thick for its length as in the texture.
    source = np.stack([at, row], axis=1)
    source = np.concatenate([source, source + np.array([0.0, -50.0])])
    goal = np.concatenate([goal, goal + 50 * scale * up])
    corner = np.floor(goal.min(axis=0) - length).astype(int)
    size = np.ceil(np.ptp(goal, axis=0) + 2 * length).astype(int)
    matrix, _, _, _ = np.linalg.lstsq(np.column_stack([source, np.ones(len(source))]), goal - corner, rcond=None)
    smooth = cv2.GaussianBlur(alpha, (0, 0), 0.4 / scale)  # the brow becomes smaller: what is between its pixels, too
    laid = opacity * cv2.warpAffine(smooth, matrix.T, (int(size[0]), int(size[1])))[..., None]
    window = skin[corner[1] : corner[1] + size[1], corner[0] : corner[0] + size[0]]
    window[:] = (window * (1 - laid) + laid * 255 * colour).astype(np.uint8)


def _lower(alpha: Float32s) -> Float32s:
    """(h, W) the lower of two brows that stand above each other: below the emptiest row between them."""
    rows = alpha.sum(axis=1)
    share = np.cumsum(rows) / rows.sum()
    between = np.flatnonzero((share > 0.3) & (share < 0.7))
    return alpha[between[rows[between].argmin()] :]


def _middle(alpha: Float32s) -> Floats:
    """(W,) the row in the middle of each column's hair."""
    rows = np.arange(alpha.shape[0])[:, None]
    return np.asarray((alpha * rows).sum(axis=0) / np.maximum(alpha.sum(axis=0), 1e-6), np.float64)
