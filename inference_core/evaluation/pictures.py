"""Error maps: where a result is off, painted on the true head, as in the paper's figure 5."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from inference_core.evaluation.measures import aligned_gap, evaluation_regions
from inference_core.evaluation.methods import Guess, Method, Seen
from inference_core.evaluation.samples import Sample
from inference_core.evaluation.scans import scan_gap
from inference_core.evaluation.views import View
from inference_core.head import Camera, Head, pose_head, vertex_normals
from inference_core.training.n2fnet.crop import CROP_SIZE
from inference_core.training.raster import interpolate, rasterise

Image = NDArray[np.uint8]
Floats = NDArray[np.float64]

WORST_MM = 4.0
SKIN = np.array([205.0, 200.0, 195.0])
TO_MAP = np.array([1.0, -1.0, -1.0])
LABEL_HEIGHT = 26


@dataclass(frozen=True, eq=False)
class Example:
    """A true face to show: posed vertices (V, 3) m under the crop's camera, its region `face` (V,), and how far (V,) m
    each true vertex lies from a method's answer."""

    title: str
    seen: Seen
    camera: Camera
    vertices: Floats
    triangles: NDArray[np.int32]
    face: NDArray[np.bool_]
    gap: Callable[[Guess], Floats]


def example_of_sample(head: Head, title: str, sample: Sample, seen: Seen) -> Example:
    """A render of a head."""

    def gap(guess: Guess) -> Floats:
        return aligned_gap(head, pose_head(head, guess.parameters), sample.vertices)[0]

    face = evaluation_regions(head)["face"]
    return Example(title, seen, sample.camera, sample.vertices, head.triangles, face, gap)


def example_of_view(head: Head, title: str, view: View, seen: Seen) -> Example:
    """A face of another mesh."""

    def gap(guess: Guess) -> Floats:
        return scan_gap(head, pose_head(head, guess.parameters), view.target)

    target = view.target
    return Example(title, seen, view.camera, target.vertices, target.triangles, target.regions["face"], gap)


def _shaded(example: Example, colours: Floats) -> Image:
    """(256, 256, 3) RGB of the true face in colours (V, 3), lit from the viewer."""
    points = example.camera.to_camera(example.vertices)
    raster = rasterise(points, example.triangles, example.camera.intrinsics, (CROP_SIZE, CROP_SIZE))
    normals = vertex_normals(points, example.triangles) * TO_MAP
    values = interpolate(raster, example.triangles, np.concatenate([normals, colours], axis=1))
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


def error_sheet(examples: Sequence[Example], methods: Mapping[str, Method]) -> Image:
    """One row per face: the normals given, the truth, then the error map of every method. RGB."""
    rows = []
    for example in examples:
        seen = example.seen
        given = ((seen.normals * seen.face[..., None] + 1) * 127.5).astype(np.uint8)
        plain = np.broadcast_to(SKIN, example.vertices.shape)
        tiles = [_labelled(given, example.title), _labelled(_shaded(example, plain), "truth")]
        for name, method in methods.items():
            gap = example.gap(method(seen))
            colours = np.where(example.face[:, None], _heat(gap * 1000), SKIN)
            mean = gap[example.face].mean() * 1000
            tiles.append(_labelled(_shaded(example, colours), f"{name}: {mean:.2f} mm"))
        rows.append(np.concatenate(tiles, axis=1))
    scale = np.repeat(_heat(np.linspace(0, WORST_MM, rows[0].shape[1]))[None].astype(np.uint8), 12, axis=0)
    return np.concatenate([*rows, _labelled(scale, f"0 to {WORST_MM:.0f} mm, true vertex to the result's surface")])


def write_sheet(path: Path, sheet: Image) -> None:
    """PNG at three quarters of the size and in 256 colours: small enough for a repository."""
    smaller = Picture.fromarray(sheet).resize(
        (sheet.shape[1] * 3 // 4, sheet.shape[0] * 3 // 4), Picture.Resampling.BOX
    )
    smaller.quantize(256, dither=Picture.Dither.NONE).save(path, optimize=True)
