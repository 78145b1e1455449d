"""python -m inference_core.evaluation.normals.showcase: the pictures of docs/normals.md, JPEG under 400 KB each.

normals_faces.jpg   photo, normals, normals of the fitted head: photos and a clip that may be shown
normals_lights.jpg  the Perry-Smith scan under three lights, and its normals each time (needs bpy; CC BY 3.0)
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.normals.downstream import crop_of
from inference_core.evaluation.normals.prior import full_fit
from inference_core.evaluation.normals.truths import CACHE, LIGHTS, LIGHTS_YAW, of_renders
from inference_core.perception.normals import BUNDLED_NORMALS, NormalEstimator
from inference_core.reconstruct.models import Models
from inference_core.training.extractor.cycles import same_face
from inference_core.training.extractor.realphotos import DATA, RealFace, real_faces

Bytes = NDArray[np.uint8]
CELL = 192  # px
GAP = 8
MOST_BYTES = 400_000
CARPHONE_FRAMES = 10


def coloured(normals: NDArray[np.float32], where: NDArray[np.bool_]) -> Bytes:
    """(H, W, 3): a normal map as is usual, black outside."""
    return np.asarray((normals + 1) * 127.5 * where[..., None], np.uint8)


def face_cells(models: Models, face: RealFace) -> list[Bytes]:
    """Photo, the network's normals on the face, the fitted head's normals."""
    crop = crop_of(face)
    found = models.normals.estimate(crop.rgb, crop.frame.intrinsics)
    fit = full_fit(models, crop, found)
    seen = np.linalg.norm(fit.normals, axis=2) > 0.5
    return [crop.rgb, coloured(found.normals, found.face_mask), coloured(fit.normals, seen)]


def light_cells(estimator: NormalEstimator, folder: Path) -> list[list[Bytes]]:
    """Per light: the render, the network's normals, the true ones."""
    cells = []
    for truth in of_renders(same_face(folder, LIGHTS, LIGHTS_YAW, CACHE)):
        found = estimator.estimate(truth.crop.rgb, truth.crop.frame.intrinsics)
        known = np.linalg.norm(truth.normals, axis=2) > 0.5
        cells.append([truth.crop.rgb, coloured(found.normals, found.face_mask), coloured(truth.normals, known)])
    return cells


def arranged(groups: Sequence[Sequence[Bytes]], across: int) -> Bytes:
    """Each group side by side, `across` groups in a row, white between them."""
    made = []
    for group in groups:
        cells = [cv2.resize(cell, (CELL, CELL), interpolation=cv2.INTER_AREA) for cell in group]
        made.append(
            cv2.copyMakeBorder(np.concatenate(cells, axis=1), 0, GAP, 0, GAP, cv2.BORDER_CONSTANT, None, (255,) * 3)
        )
    while len(made) % across:
        made.append(np.full_like(made[0], 255))
    rows = [np.concatenate(made[i : i + across], axis=1) for i in range(0, len(made), across)]
    return np.asarray(np.concatenate(rows)[:-GAP, :-GAP], np.uint8)


def write_small(path: Path, rgb: Bytes) -> None:
    """JPEG of the best quality that stays under MOST_BYTES."""
    for quality in range(92, 40, -4):
        data = cv2.imencode(".jpg", rgb[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()
        if len(data) < MOST_BYTES:
            break
    path.write_bytes(data)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="showcase", description=__doc__)
    parser.add_argument("--weights", type=Path, default=BUNDLED_NORMALS)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    chosen = parser.parse_args(arguments)
    models = Models.load(normals=chosen.weights)
    faces = [face for face in real_faces(chosen.data, CARPHONE_FRAMES) if face.may_be_shown]
    write_small(chosen.out / "normals_faces.jpg", arranged([face_cells(models, face) for face in faces], 2))
    scan = chosen.data / "lee_perry_smith"
    if scan.is_dir():
        cells = light_cells(models.normals, scan)
        write_small(chosen.out / "normals_lights.jpg", arranged(cells, 1))


if __name__ == "__main__":
    main()
