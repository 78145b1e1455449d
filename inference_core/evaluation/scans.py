"""A result measured against a mesh of another topology: CD by region, MNE, CR and NME."""

from __future__ import annotations

import numpy as np

from inference_core.evaluation.measures import ALIGNMENT_POINTS, COMPLETE_METRES, MM, REGIONS, Errors, Mask
from inference_core.evaluation.methods import Guess
from inference_core.evaluation.metric_mesh import MetricMesh
from inference_core.evaluation.registration import skin_surface
from inference_core.evaluation.target import Target
from inference_core.evaluation.views import View
from inference_core.head import Head, mediapipe_points, pose_head
from inference_core.perception.landmarks import IBUG_68
from inference_core.training.geometry import Alignment, Floats, align, refine_alignment

NAN = float("nan")


def compare_scan(head: Head, guess: Guess, view: View) -> Errors:
    """Errors of a posed head under a camera. NME is over the 51 inner points, placed on both meshes by Face Mesh."""
    vertices = pose_head(head, guess.parameters)
    errors = compare_surface(head, vertices, view.target)
    points, weight = view.target.points(head)
    inner = np.isin(head.mediapipe_index, IBUG_68[17:]) & (weight > 0)
    shown = guess.camera.project(mediapipe_points(head, vertices)[inner])
    truth = view.camera.project(points)
    place = {int(index): row for row, index in enumerate(head.mediapipe_index)}
    between = np.linalg.norm(truth[place[int(IBUG_68[36])]] - truth[place[int(IBUG_68[45])]])
    error = float(100 * np.linalg.norm(shown - truth[inner], axis=1).mean() / between)
    return Errors(**{**errors.__dict__, "landmarks": error})


def compare_surface(head: Head, vertices: Floats, target: Target) -> Errors:
    """The same without a camera: posed head (V, 3) m in any place."""
    scaled_gap, _, _ = _gaps(head, vertices, target, with_scale=True)
    gap, normals, motion = _gaps(head, vertices, target, with_scale=False)
    face = target.regions["face"]
    cosine = np.clip(((normals @ motion.rotation.T) * target.normals()).sum(axis=1), -1, 1)[face]
    return Errors(
        distance={name: _mean(gap, mask) for name, mask in target.regions.items()},
        vertex_distance=dict.fromkeys(REGIONS, NAN),
        scaled_distance=_mean(scaled_gap, face),
        normal=float(np.arccos(cosine).mean()),
        complete=float((gap[face] < COMPLETE_METRES).mean()),
        landmarks=NAN,
    )


def scan_gap(head: Head, vertices: Floats, target: Target) -> Floats:
    """(V,) m: distance from every true vertex to the result after rigid alignment; 0 outside the regions."""
    return _gaps(head, vertices, target, with_scale=False)[0]


def _mean(gap: Floats, mask: Mask) -> float:
    return float(gap[mask].mean() * MM) if mask.any() else NAN


def _gaps(head: Head, vertices: Floats, target: Target, with_scale: bool) -> tuple[Floats, Floats, Alignment]:
    """NoW's alignment: inner landmarks first, then the face's points to the surface."""
    surface = skin_surface(head, vertices)
    start, some = start_of_alignment(head, vertices, target, with_scale)
    motion = refine_alignment(surface, some, start, with_scale, steps=10)
    used = np.any(list(target.regions.values()), axis=0)
    gap, normals = np.zeros(len(target.vertices)), np.zeros_like(target.vertices)
    places, normals[used] = surface.closest(motion.undo(target.vertices[used]))
    gap[used] = np.linalg.norm(motion.apply(places) - target.vertices[used], axis=1)
    return gap, normals, motion


def start_of_alignment(
    head: Head, vertices: Floats, target: Target, with_scale: bool = False
) -> tuple[Alignment, Floats]:
    """The motion by the inner landmarks of a posed head (V, 3) m, and the true points (N, 3) m that refine it."""
    points, weight = target.points(head)
    known = np.isin(head.mediapipe_index, IBUG_68[17:]) & (weight > 0)
    start = align(mediapipe_points(head, vertices)[known], points[known], with_scale)
    return start, _some(target, target.regions["face"])


def _some(target: Target, where: Mask) -> Floats:
    """(N, 3) m: vertices to align by."""
    found = np.flatnonzero(where)
    return np.asarray(target.vertices[found[:: max(1, len(found) // ALIGNMENT_POINTS)]])


def compare_metric_mesh(mesh: MetricMesh, target: Target) -> Errors:
    """Errors of MediaPipe's mesh, over what it covers of each region; no normals and no landmarks' error of its own."""
    known = target.face_points.weight[IBUG_68[17:]] > 0
    true = target.face_points.on(target.vertices)[IBUG_68[17:]][known]
    gap = {}
    for with_scale in (False, True):
        motion = align(mesh.landmarks()[known], true, with_scale)
        seen = _some(target, target.regions["face"] & mesh.covers(motion.undo(target.vertices)))
        motion = refine_alignment(mesh.surface, seen, motion, with_scale, steps=10)
        back = motion.undo(target.vertices)
        covered = mesh.covers(back)
        gap[with_scale] = np.linalg.norm(motion.apply(mesh.surface.closest(back)[0]) - target.vertices, axis=1)
    face = target.regions["face"] & covered
    return Errors(
        distance={
            name: NAN if name == "ears" else _mean(gap[False], mask & covered) for name, mask in target.regions.items()
        },
        vertex_distance=dict.fromkeys(REGIONS, NAN),
        scaled_distance=_mean(gap[True], face),
        normal=NAN,
        complete=float((gap[False][face] < COMPLETE_METRES).mean()),
        landmarks=NAN,
    )
