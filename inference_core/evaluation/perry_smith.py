"""Lee Perry-Smith's head scan (Infinite-Realities, CC BY 3.0): a real face with its real skin, only ever measured on.

The file has no unit. It is scaled so that the eyes' middles stand PUPIL_DISTANCE apart: the middles between each eye's
corners, for the scan's eyes are shut.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.face_points import find_face_points
from inference_core.evaluation.target import Target, carried_regions, lay_head, visible_vertices
from inference_core.head import Head
from inference_core.perception.face_mesh import FaceMesher
from inference_core.training.extractor.scan import read_scan
from inference_core.training.geometry import Floats
from inference_core.training.raster import Raster

PUPIL_DISTANCE = 0.064  # m, the mean of men (Gordon et al., 2012 Anthropometric Survey of U.S. Army Personnel)
EYE_CORNERS = [33, 133, 362, 263]  # Face Mesh's, right eye and left
LOWEST = -0.13  # m below the eyes: shoulders end there


@dataclass(frozen=True, eq=False)
class PerrySmith:
    """The scan in metres and its colours."""

    target: Target
    corner_uv: Floats  # (T, 3, 2), v down
    colour: NDArray[np.float32]  # (H, W, 3) 0..255

    def paint(self, raster: Raster) -> NDArray[np.float32]:
        """The texture as a raster shows it (H, W, 3), 0..255."""
        return _textured(raster, self.corner_uv, self.colour)


def _textured(raster: Raster, corner_uv: Floats, colour: NDArray[np.float32]) -> NDArray[np.float32]:
    uv = (corner_uv[raster.triangle] * raster.barycentric[..., None]).sum(axis=2)
    height, width = colour.shape[:2]
    column = np.clip((uv[..., 0] * width).astype(int), 0, width - 1)
    row = np.clip((uv[..., 1] * height).astype(int), 0, height - 1)
    return np.asarray(colour[row, column])


def read_perry_smith(head: Head, folder: Path, mesher: FaceMesher) -> PerrySmith:
    """Read LeePerrySmith.glb and color.jpg (needs Blender's module bpy), find its points, size and regions."""
    scan = read_scan(folder)
    vertices, place = np.unique(scan.points.round(7), axis=0, return_inverse=True)
    triangles = np.ascontiguousarray(place.reshape(-1)[scan.triangles], np.int32)
    corner_uv = scan.uv[scan.triangles]
    colour = np.asarray(255 * scan.colour ** (1 / 2.2), np.float32)

    def paint(raster: Raster) -> NDArray[np.float32]:
        return _textured(raster, corner_uv, colour)

    everything = np.ones(len(vertices), np.bool_)
    points = find_face_points([vertices], vertices, triangles, everything, mesher, paint)
    corners = points.on(vertices)[EYE_CORNERS].reshape(2, 2, 3)
    eyes = corners.mean(axis=1)
    vertices = (vertices - eyes.mean(axis=0)) * (PUPIL_DISTANCE / np.linalg.norm(eyes[1] - eyes[0]))
    usable = visible_vertices(vertices, triangles) & (vertices[:, 1] > LOWEST)
    regions = carried_regions(head, lay_head(head, vertices, triangles, usable, points), vertices, usable)
    return PerrySmith(Target(vertices, triangles, regions, points), corner_uv, colour)
