"""ICT-FaceKit identities: a model made from light-stage scans that neither N2FNet nor the fit has ever seen.

ICT Face Model Light, USC Institute for Creative Technologies, MIT licence. The data are not part of this repository.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.geometry import Surface, align, refine_alignment
from inference_core.evaluation.measures import ALIGNMENT_POINTS, COMPLETE_METRES, MM, REGIONS, Errors, visible_skin
from inference_core.evaluation.methods import Guess, Seen
from inference_core.head import Camera, Head, landmarks_68, pose_head, vertex_normals
from inference_core.head.rotations import matrix_from_vector, vector_from_matrix
from inference_core.perception.mediapipe_runtime import FaceMesher
from inference_core.training.n2fnet.config import HeadSpace
from inference_core.training.n2fnet.crop import CROP_SIZE, crop_intrinsics
from inference_core.training.n2fnet.draw import FACING, draw_rotations, draw_translations
from inference_core.training.raster import interpolate, rasterise

Floats = NDArray[np.float64]

ICT_STREAM = 0x1C7
NARROW_FACE = 6706  # vertices before this one: the face without ears, neck and scalp
CM = 0.01


@dataclass(frozen=True, eq=False)
class Scan:
    """One posed ICT head and what is seen of it."""

    vertices: Floats  # (V, 3) m
    seen: Seen
    landmarks: Floats  # (68, 3) m


class IctModel:
    """The linear model in metres, its origin between the eyes' and the mouth's height as heads have it."""

    def __init__(self, folder: Path) -> None:
        with np.load(folder / "ict_facekit.npz", allow_pickle=False) as data:
            self.neutral = data["neutral"].astype(np.float64) * CM
            self.identity = data["identity"].astype(np.float32) * np.float32(CM)
            self.expression = data["expression"].astype(np.float32) * np.float32(CM)
            self.names = tuple(str(name) for name in data["expression_names"])
            quads = data["faces"]
        self.landmark_vertices = np.array(json.loads((folder / "landmarks68.json").read_text())["vertex_indices"])
        quads = np.where(quads < 0, quads[:, :1], quads)
        triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
        distinct = (np.diff(np.sort(triangles, axis=1), axis=1) > 0).all(axis=1)
        self.triangles = np.ascontiguousarray(triangles[distinct], np.int32)
        # Head space has its origin inside the head; where exactly does not matter to any measure.
        self.neutral -= self.neutral[self.landmark_vertices].mean(axis=0) - np.array([0.0, 0.0, 0.05])
        self.face = self._visible_face()
        self.face_triangles = np.isin(self.triangles, self.face).all(axis=1)

    def _visible_face(self) -> NDArray[np.int64]:
        """Indices of the face's vertices that a level camera sees: no insides of lids and nostrils, no underside."""
        seen: list[NDArray[np.int32]] = []
        for yaw in (-50, -25, 0, 25, 50):
            turn = matrix_from_vector(np.radians((0, yaw, 0)))
            points = self.neutral @ (FACING @ turn).T + (0, 0, 1)
            raster = rasterise(points, self.triangles, np.array([3000.0, 3000.0, 400.0, 400.0]), (800, 800))
            seen.append(self.triangles[np.unique(raster.triangle[raster.triangle >= 0])].ravel())
        visible = np.unique(np.concatenate(seen))
        return visible[visible < NARROW_FACE].astype(np.int64)

    def draw(self, rng: np.random.Generator, expressive: bool) -> Floats:
        """(V, 3): a random person; `expressive` adds a handful of expression units."""
        vertices = self.neutral + np.tensordot(rng.normal(size=len(self.identity)), self.identity, axes=1)
        if expressive:
            usable = [i for i, name in enumerate(self.names) if not name.startswith("eyeLook")]
            chosen = rng.choice(usable, rng.integers(2, 7), replace=False)
            weights = rng.beta(1.2, 2.0, len(chosen))
            vertices = vertices + np.tensordot(weights, self.expression[chosen], axes=1)
        return np.asarray(vertices)


def ict_scans(head: Head, folder: Path, count: int, seed: int, expressive: bool) -> Iterator[Scan | None]:
    """Random ICT heads with true normals; landmarks by Face Mesh on a plain rendering. None where it finds no face."""
    model = IctModel(folder)
    mesher = FaceMesher()
    space = HeadSpace()
    try:
        for number in range(count):
            rng = np.random.default_rng((ICT_STREAM, seed, int(expressive), number))
            vertices = model.draw(rng, expressive)
            rotation = draw_rotations(rng, 1, space)
            translation = draw_translations(rng, 1, space)
            marks = vertices[model.landmark_vertices]
            intrinsics = crop_intrinsics(rng, marks[None] @ rotation[0].T + translation[0], space, exact=True)[0]
            camera = Camera(vector_from_matrix(rotation[0]), translation[0], intrinsics)
            yield _seen(head, model, mesher, vertices, marks, camera)
    finally:
        mesher.close()


def _seen(
    head: Head, model: IctModel, mesher: FaceMesher, vertices: Floats, marks: Floats, camera: Camera
) -> Scan | None:
    points = camera.to_camera(vertices)
    raster = rasterise(points, model.triangles, camera.intrinsics, (CROP_SIZE, CROP_SIZE))
    normals = interpolate(raster, model.triangles, vertex_normals(points, model.triangles))
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    normals *= np.array([1, -1, -1], np.float32)
    face = (raster.triangle >= 0) & model.face_triangles[raster.triangle]
    light = 0.35 + 0.65 * np.clip(normals @ np.array([0.3, 0.4, 0.87], np.float32), 0, 1)
    colour = np.where(face[..., None], np.array([215.0, 170.0, 150.0]), np.array([200.0, 190.0, 185.0]))
    picture = np.where((raster.triangle >= 0)[..., None], colour * light[..., None], 90).astype(np.uint8)
    found = mesher.points(picture)
    if found is None:
        return None
    seen = Seen(
        normals=normals,
        face=face,
        points=found[head.mediapipe_index, :2],
        intrinsics=camera.intrinsics,
        normal_weight=face.astype(np.float32),
        point_weight=np.ones(len(head.mediapipe_index)),
    )
    return Scan(vertices, seen, marks)


def compare_scan(head: Head, guess: Guess, model: IctModel, scan: Scan) -> Errors:
    """Errors against a mesh of another topology: NoW's alignment from the inner landmarks, then scan to mesh.

    Only the face has a number; a region of one mesh is not that of another.
    """
    result = pose_head(head, guess.parameters)
    outside = head.triangles[visible_skin(head)[head.triangles].any(axis=1)]
    surface = Surface(result, outside, vertex_normals(result, head.triangles))
    ours = landmarks_68(head, result, 0.0)
    truth, normals = scan.vertices[model.face], vertex_normals(scan.vertices, model.triangles)[model.face]
    step = max(1, len(truth) // ALIGNMENT_POINTS)
    gaps = []
    for with_scale in (True, False):
        start = align(ours[17:], scan.landmarks[17:], with_scale)
        motion = refine_alignment(surface, truth[::step], start, with_scale, steps=10)
        places, there = surface.closest(motion.undo(truth))
        gaps.append(np.linalg.norm(motion.apply(places) - truth, axis=1))
    scaled, gap = gaps
    cosine = np.clip(((there @ motion.rotation.T) * normals).sum(axis=1), -1, 1)
    missing = dict.fromkeys(REGIONS, float("nan"))
    return Errors(
        distance={**missing, "face": float(gap.mean() * MM)},
        vertex_distance=missing,
        scaled_distance=float(scaled.mean() * MM),
        normal=float(np.arccos(cosine).mean()),
        complete=float((gap < COMPLETE_METRES).mean()),
        landmarks=float("nan"),
    )
