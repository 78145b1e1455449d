"""Error maps: where a result is off, painted on the true head, as in the paper's figure 5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.evaluation.measures import aligned_gap, evaluation_regions
from inference_core.evaluation.methods import Method, Seen
from inference_core.evaluation.samples import Sample
from inference_core.head import Head, pose_head, vertex_normals
from inference_core.training.n2fnet.crop import CROP_SIZE
from inference_core.training.raster import interpolate, rasterise

Image = NDArray[np.uint8]

WORST_MM = 4.0
SKIN = np.array([205.0, 200.0, 195.0])
TO_MAP = np.array([1.0, -1.0, -1.0])
LABEL_HEIGHT = 26


def _shaded(head: Head, sample: Sample, vertices: NDArray[np.float64], colours: NDArray[np.float64]) -> Image:
    """(256, 256, 3) RGB of posed vertices in the sample's camera, lit from the viewer."""
    points = sample.camera.to_camera(vertices)
    raster = rasterise(points, head.triangles, sample.camera.intrinsics, (CROP_SIZE, CROP_SIZE))
    normals = vertex_normals(points, head.triangles) * TO_MAP
    values = interpolate(raster, head.triangles, np.concatenate([normals, colours], axis=1))
    light = 0.35 + 0.65 * np.clip(values[..., 2:3], 0, 1)
    seen = (raster.triangle >= 0)[..., None]
    return np.asarray(np.where(seen, values[..., 3:] * light, 255), dtype=np.uint8)


def _heat(millimetres: NDArray[np.float64]) -> NDArray[np.float64]:
    """(V, 3) RGB, blue at 0 to red at WORST_MM."""
    level = np.clip(millimetres / WORST_MM * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(level[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1], dtype=np.float64)


def _labelled(image: Image, text: str) -> Image:
    strip = np.full((LABEL_HEIGHT, image.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, text, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
    return np.concatenate([strip, image])


def error_sheet(head: Head, pairs: Sequence[tuple[Sample, Seen]], methods: Mapping[str, Method]) -> Image:
    """One row per sample: the normals given, the true head, then every method's head and its error map. RGB."""
    face = evaluation_regions(head)["face"]
    plain = np.broadcast_to(SKIN, (head.vertex_count, 3))
    rows = []
    for sample, seen in pairs:
        given = ((seen.normals * seen.face[..., None] + 1) * 127.5).astype(np.uint8)
        tiles = [_labelled(given, "normals"), _labelled(_shaded(head, sample, sample.vertices, plain), "truth")]
        for name, method in methods.items():
            result = pose_head(head, method(seen).parameters)
            gap, moved = aligned_gap(head, result, sample.vertices)
            tiles.append(_labelled(_shaded(head, sample, moved, plain), name))
            colours = np.where(face[:, None], _heat(gap * 1000), SKIN)
            error = f"error, mean {gap[face].mean() * 1000:.2f} mm"
            tiles.append(_labelled(_shaded(head, sample, sample.vertices, colours), error))
        rows.append(np.concatenate(tiles, axis=1))
    scale = np.repeat(_heat(np.linspace(0, WORST_MM, rows[0].shape[1]))[None].astype(np.uint8), 12, axis=0)
    return np.concatenate([*rows, _labelled(scale, f"0 to {WORST_MM:.0f} mm, true vertex to the result's surface")])


def write_sheet(path: Path, sheet: Image) -> None:
    """PNG."""
    path.write_bytes(cv2.imencode(".png", np.ascontiguousarray(sheet[..., ::-1]))[1].tobytes())
