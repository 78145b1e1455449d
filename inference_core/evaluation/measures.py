"""The measures of the notes: CD, MNE, CR and NME, for one reconstructed head against the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.geometry import Surface, refine_alignment, rigid_alignment
from inference_core.head import Head, vertex_normals

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

REGIONS = ("face", "eyes", "nose", "mouth", "ears")
COMPLETE_METRES = 0.002
MM = 1000.0
# The seven points from which the NoW benchmark starts its alignment: eye corners, nose base, mouth corners.
SEVEN_LANDMARKS = (36, 39, 42, 45, 33, 48, 54)
EYE_CORNERS = (36, 45)
ALIGNMENT_POINTS = 500


@dataclass(frozen=True)
class Errors:
    """One head. Distances in mm after rigid alignment on the face, without scale."""

    distance: dict[str, float]  # CD per region: true vertex to the closest point of the result
    vertex_distance: dict[str, float]  # true vertex to the same vertex of the result
    normal: float  # MNE: mean angle between true normal and the normal at the closest point, rad
    complete: float  # CR: share of the true face's vertices within 2 mm
    landmarks: float  # NME: 68 projected points against truth by the distance of the outer eye corners, per cent


def visible_skin(head: Head) -> Mask:
    """(V,): lids' insides, nostrils and the mouth bag have no counterpart in a scan, and eyes are no skin."""
    unseen = np.zeros(head.vertex_count, np.bool_)
    for name in ("hidden", "inner_mouth", "teeth", "tongue", "left_eyeball", "right_eyeball"):
        unseen |= head.region(name)
    return ~unseen


def evaluation_regions(head: Head) -> dict[str, Mask]:
    """(V,) per region, visible skin only."""
    visible = visible_skin(head)
    return {name: head.region(name) & visible for name in REGIONS}


def compare_heads(head: Head, result: Floats, truth: Floats) -> Errors:
    """Errors of `result` (V, 3) against `truth` (V, 3), both posed heads of the same mesh, m. NME is left at nan."""
    regions = evaluation_regions(head)
    face = regions["face"]
    # Without the skin's inside: else a lip's closest point may lie in the mouth, facing the wrong way.
    outside = head.triangles[visible_skin(head)[head.triangles].any(axis=1)]
    surface = Surface(result, outside, vertex_normals(result, head.triangles))
    true_normals = vertex_normals(truth, head.triangles)

    by_vertex = rigid_alignment(result[face], truth[face])
    some = np.flatnonzero(face)[:: max(1, int(face.sum()) // ALIGNMENT_POINTS)]
    rotation, translation = refine_alignment(surface, truth[some], by_vertex)
    used = np.any(list(regions.values()), axis=0)
    places = np.zeros_like(truth)
    normals = np.zeros_like(truth)
    places[used], normals[used] = surface.closest((truth[used] - translation) @ rotation)
    gap = np.linalg.norm(places @ rotation.T + translation - truth, axis=1)
    vertex_gap = np.linalg.norm(result @ by_vertex[0].T + by_vertex[1] - truth, axis=1)
    cosine = np.clip(((normals @ rotation.T) * true_normals).sum(axis=1), -1, 1)
    return Errors(
        distance={name: float(gap[mask].mean() * MM) for name, mask in regions.items()},
        vertex_distance={name: float(vertex_gap[mask].mean() * MM) for name, mask in regions.items()},
        normal=float(np.arccos(cosine[face]).mean()),
        complete=float((gap[face] < COMPLETE_METRES).mean()),
        landmarks=float("nan"),
    )


def landmark_error(result: Floats, truth: Floats) -> float:
    """NME, per cent: mean distance of points (68, 2) px over the true distance of the outer eye corners."""
    between = np.linalg.norm(truth[EYE_CORNERS[0]] - truth[EYE_CORNERS[1]])
    return float(100 * np.linalg.norm(result - truth, axis=1).mean() / between)
