"""Dark lines that belong to a face and that masks mistake for the rims of glasses: eyeliner and the folds of age.

Strokes on the visible skin, in pixels of the picture; they darken light and change neither normals nor classes.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import project
from inference_core.training.extractor.subject import SIZE, Subject

Floats = NDArray[np.float64]
Float32s = NDArray[np.float32]

UPPER_LIDS = ((39, 38, 37, 36), (42, 43, 44, 45))  # from the inner corner to the outer
LOWER_LIDS = ((39, 40, 41), (42, 47, 46))
FOLDS = ((31, 48), (35, 54))  # wing of the nose, corner of the mouth
MIDDLE = 33  # below the nose


def draw_liner(subject: Subject, depth: Float32s, rgb: Float32s, rng: np.random.Generator) -> None:
    """A drawn line along both upper lids, with a wing beyond the outer corners."""
    wing, rise = rng.uniform(0.0, 0.014), rng.uniform(0.0, 0.9)
    up = subject.marks[27] - subject.marks[33]
    up = up / np.linalg.norm(up)
    lines = []
    for lid in UPPER_LIDS:
        rim = subject.marks[list(lid)]
        out = rim[-1] - rim[0]
        out = out / np.linalg.norm(out)
        lines.append(np.concatenate([rim, rim[-1:] + wing * (out + rise * up)]))
    _darken(subject, lines, depth, rgb, rng.uniform(0.001, 0.003), rng.uniform(0.5, 0.97), 0.4)


def draw_folds(subject: Subject, depth: Float32s, rgb: Float32s, rng: np.random.Generator) -> None:
    """The folds from the nose past the mouth, and those below the eyes; soft, of some depth."""
    reach = rng.uniform(0.6, 1.3)
    lines = []
    for wing, corner in FOLDS:
        start, end = subject.marks[wing], subject.marks[corner]
        aside = start - subject.marks[MIDDLE]
        start = start + 0.35 * aside
        end = end + 0.5 * aside
        bow = 0.25 * aside
        u = np.linspace(0, reach, 9)[:, None]
        lines.append(start + u * (end - start) + 4 * u * (1 - u) * bow)
    if rng.random() < 0.5:
        down = subject.marks[33] - subject.marks[27]
        below = rng.uniform(0.12, 0.3)
        lines += [np.asarray(subject.marks[list(lid)] + below * down) for lid in LOWER_LIDS]
    _darken(subject, lines, depth, rgb, rng.uniform(0.0008, 0.003), rng.uniform(0.1, 0.6), rng.uniform(0.5, 1.6))


def _darken(
    subject: Subject, lines: list[Floats], depth: Float32s, rgb: Float32s, width: float, strength: float, blur: float
) -> None:
    """Strokes `width` m thick through camera-space points (N, 3), where the head `depth` (H, W) shows them."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for points in lines:
        pixels = np.asarray(project(points, subject.intrinsics))
        column, row = (np.clip(pixels[:, axis].astype(int), 0, SIZE - 1) for axis in (0, 1))
        seen = points[:, 2] < depth[row, column] + 0.006
        segments = np.stack([pixels[:-1], pixels[1:]], axis=1)[seen[:-1] & seen[1:]]
        if len(segments) == 0 or np.abs(segments).max() > 4000:
            continue
        thick = max(1, round(width * subject.intrinsics[0] / float(points[:, 2].mean())))
        cv2.polylines(mask, list((segments * 16).astype(np.int32)), False, (255.0,), thick, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), blur)
    rgb *= 1 - np.float32(strength) * soft[..., None] * np.isfinite(depth)[..., None]
