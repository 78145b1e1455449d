"""The head's mesh laid onto a face of another topology: non-rigid iterated closest points.

Curves that both faces have are held exactly; elsewhere a vertex is drawn to the closest place of the surface that
faces its way, along that surface's normal, so that the mesh slides as it likes. Rounds begin soft (the head bends as
little as possible; Amberg, Romdhani and Vetter, "Optimal step nonrigid ICP", 2007) and end hard. Ears keep their
sculpted form and move as one piece: folds of two ears do not correspond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from inference_core.head import vertex_normals
from inference_core.training.geometry import Surface, align

from .curves import matched_curves
from .cut import Cut
from .ict import IctFace
from .identity import mirrored
from .landmarks import BRIDGE_TOP, CHIN, NOSE_BASE, NOSE_TIP, NOSTRILS, front_spots
from .source import Flags, Floats, Ints
from .spreading import Spreading

ROUNDS = (  # stiffness of the pull, reach m, least cosine between the normals, pull of the ears to their place
    (0.02, 0.030, 0.3, 0.02), (0.02, 0.030, 0.3, 0.02), (0.05, 0.020, 0.5, 0.04), (0.1, 0.015, 0.5, 0.1),
    (0.3, 0.012, 0.6, 0.2), (0.5, 0.010, 0.6, 0.4), (1.0, 0.008, 0.6, 0.6), (2.0, 0.008, 0.6, 1.0),
    (4.0, 0.006, 0.6, 1.6), (8.0, 0.006, 0.6, 2.0), (8.0, 0.006, 0.6, 2.0),
)  # fmt: skip
ON_CURVES = 3.0  # times the stiffness
SLIDE = 0.003  # m that a place may lie beside the closest one
WARP_REACH = 0.05  # m from the landmarks at which the first guess fades out
EAR_SHIFT = np.array([0.0021, 0.0005, -0.0047])  # m, left ear: MakeHuman's lies that far inside and before the scans'
EAR_ROOT = 0.007  # m around an ear where the skin follows it instead of the surface


@dataclass(frozen=True, eq=False)
class Laid:
    """vertices (V,3) m on the face; curve (K,) vertices held on curves; root (V,) skin that follows an ear."""

    vertices: Floats
    face: IctFace
    curve: Ints
    root: Flags


def nose_and_chin(template: Floats, triangles: Ints) -> Floats:
    """(10,3) m: iBUG 27 to 35 and 8 on the head, found by geometry."""
    top, tip = template[BRIDGE_TOP, 1], template[NOSE_TIP, 1]
    bridge = [(0.0, top + (tip - top) * share) for share in (0.0, 1 / 3, 2 / 3, 1.0)]
    base = [(x, template[NOSE_BASE, 1] + height) for x, height in NOSTRILS]
    nose = front_spots(template, triangles, np.array([*bridge, *base])).points(template, triangles)
    return np.concatenate([nose, template[CHIN][None]])


def lay(cut: Cut, template: Floats, apart: Floats, ears: Flags, hidden: Flags, face: IctFace) -> Laid:
    """Lay the head on the face. ears, hidden (V,): as the head's regions; the face is moved into head space first."""
    triangles = cut.triangles()
    own, marks = nose_and_chin(template, triangles), face.marks[[*range(27, 36), 8]]
    curve, goals = matched_curves(cut, template, apart, face)
    rigid = align(
        np.concatenate([goals, face.neutral[marks]]), np.concatenate([template[curve], own]), with_scale=False
    )
    face, goals = face.placed(rigid.rotation, rigid.translation), rigid.apply(goals)
    skin = cut.parts["skin"] & ~hidden
    near_ear = cKDTree(template[ears & skin]).query(template)[0] < EAR_ROOT
    root = skin & ~ears & near_ear
    surface, spreading = Surface(face.neutral, face.triangles), Spreading(cut, template)
    moved = _first_guess(template, np.concatenate([template[curve], own]), np.concatenate([goals, face.neutral[marks]]))
    shift = np.where(template[:, :1] > 0, EAR_SHIFT, EAR_SHIFT * [-1.0, 1.0, 1.0])
    moved[ears] = shift[ears]
    for stiffness, reach, cosine, ear in ROUNDS:
        place = template + moved
        on_face, facing = surface.closest(place)
        away = on_face - place
        slid = place + facing * (away * facing).sum(axis=1)[:, None]
        goal = np.where((np.linalg.norm(slid - on_face, axis=1) < SLIDE)[:, None], slid, on_face)
        alike = (vertex_normals(place, triangles) * facing).sum(axis=1) > cosine
        drawn = skin & ~ears & ~root & alike & (np.linalg.norm(away, axis=1) < reach)
        weight, values = np.zeros(len(template)), np.zeros_like(template)
        weight[drawn], values[drawn] = stiffness, (goal - template)[drawn]
        weight[ears], values[ears] = ear, shift[ears]
        weight[curve], values[curve] = ON_CURVES * max(stiffness, 1.0), goals - template[curve]
        moved = spreading(weight, values)
        moved = 0.5 * (moved + mirrored(moved, cut.mirror))
    return Laid(template + moved, face, curve, root)


def _first_guess(template: Floats, here: Floats, there: Floats) -> Floats:
    """(V,3) offsets: a thin plate through the landmarks, nothing far from them."""
    _, distinct = np.unique(here.round(5), axis=0, return_index=True)
    here, there = here[distinct], there[distinct]
    near = np.exp(-((cKDTree(here).query(template)[0] / WARP_REACH) ** 2))[:, None]
    return np.asarray(near * RBFInterpolator(here, there - here, smoothing=1e-5)(template))
