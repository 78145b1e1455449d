"""The measures of the notes: CD, MNE, CR and NME, for one reconstructed head against the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference_core.head import Head, vertex_normals
from inference_core.training.geometry import Surface, align, refine_alignment

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

REGIONS = ("face", "eyes", "nose", "mouth", "ears")
COMPLETE_METRES = 0.002
MM = 1000.0
EYE_CORNERS = (36, 45)
ALIGNMENT_POINTS = 500


@dataclass(frozen=True)
class Errors:
    """One head. Distances in mm after rigid alignment on the face, without scale."""

    distance: dict[str, float]  # CD per region: true vertex to the closest point of the result
    vertex_distance: dict[str, float]  # true vertex to the same vertex of the result
    scaled_distance: float  # CD on the face with the scale aligned too, the NoW benchmark's first protocol
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


class _Aligned:
    """A result brought onto the truth: alignments and, per true vertex, the closest point and the normal there."""

    def __init__(self, head: Head, result: Floats, truth: Floats, used: Mask) -> None:
        face = evaluation_regions(head)["face"]
        # Without the skin's inside: else a lip's closest point may lie in the mouth, facing the wrong way.
        outside = head.triangles[visible_skin(head)[head.triangles].any(axis=1)]
        surface = Surface(result, outside, vertex_normals(result, head.triangles))
        self.by_vertex = align(result[face], truth[face])
        some = np.flatnonzero(face)[:: max(1, int(face.sum()) // ALIGNMENT_POINTS)]
        self.motion = refine_alignment(surface, truth[some], self.by_vertex)
        places, normals = np.zeros_like(truth), np.zeros_like(truth)
        places[used], normals[used] = surface.closest(self.motion.undo(truth[used]))
        self.gap = np.linalg.norm(self.motion.apply(places) - truth, axis=1) * used
        self.normals = normals @ self.motion.rotation.T
        scaled = refine_alignment(surface, truth[some], align(result[face], truth[face], True), True)
        near = surface.closest(scaled.undo(truth[face]))[0]
        self.scaled_gap = np.linalg.norm(scaled.apply(near) - truth[face], axis=1)


def aligned_gap(head: Head, result: Floats, truth: Floats) -> tuple[Floats, Floats]:
    """Distance (V,) m from every true vertex of the face to the result, 0 elsewhere; and the result aligned, (V, 3)."""
    aligned = _Aligned(head, result, truth, evaluation_regions(head)["face"])
    return aligned.gap, aligned.motion.apply(result)


def compare_heads(head: Head, result: Floats, truth: Floats) -> Errors:
    """Errors of `result` (V, 3) against `truth` (V, 3), both posed heads of the same mesh, m. NME is left at nan."""
    regions = evaluation_regions(head)
    face = regions["face"]
    aligned = _Aligned(head, result, truth, np.any(list(regions.values()), axis=0))
    vertex_gap = np.linalg.norm(aligned.by_vertex.apply(result) - truth, axis=1)
    cosine = np.clip((aligned.normals * vertex_normals(truth, head.triangles)).sum(axis=1), -1, 1)
    return Errors(
        distance={name: float(aligned.gap[mask].mean() * MM) for name, mask in regions.items()},
        vertex_distance={name: float(vertex_gap[mask].mean() * MM) for name, mask in regions.items()},
        scaled_distance=float(aligned.scaled_gap.mean() * MM),
        normal=float(np.arccos(cosine[face]).mean()),
        complete=float((aligned.gap[face] < COMPLETE_METRES).mean()),
        landmarks=float("nan"),
    )


def landmark_error(result: Floats, truth: Floats) -> float:
    """NME, per cent: mean distance of points (68, 2) px over the true distance of the outer eye corners."""
    between = np.linalg.norm(truth[EYE_CORNERS[0]] - truth[EYE_CORNERS[1]])
    return float(100 * np.linalg.norm(result - truth, axis=1).mean() / between)
