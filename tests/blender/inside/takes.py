"""What the tests of takes need: a performance on disk, an avatar that plays it, its curves."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
from helpers import Floats
from performances import noisy, performance

from n2f_blender.files.head import load_head
from n2f_blender.files.take import load_take
from n2f_blender.formats.smoothing import Smoothing
from n2f_blender.scene.avatar import Avatar, AvatarOptions, build_avatar
from n2f_blender.scene.performance import PerformanceOptions
from n2f_blender.scene.takes import (
    takes_of,
)
from n2f_blender.scene.writing import sheets

RAW = Smoothing(0, 0, 0, 0)


def write_performance(folder: Path, egg: Path, name: str, seed: int = 1, raw: bool = False, **choices: object) -> Path:
    path = folder / name / "take.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = performance(egg, seed, **choices)  # type: ignore[arg-type]
    np.savez(path, **arrays)
    raw_path = path.with_name("raw.npz")
    raw_path.unlink(missing_ok=True)
    if raw:
        np.savez(raw_path, **noisy(arrays))
    return path


def build_performance(path: Path, egg: Path, **options: object) -> Avatar:
    performance_options = PerformanceOptions(smoothing=RAW, **options)  # type: ignore[arg-type]
    avatar_options = AvatarOptions(performance=performance_options)
    return build_avatar(bpy.context, load_take(path), path, load_head(egg), avatar_options)


def curve_of(avatar: Avatar, part: str, path: str, index: int = 0, take: int = 0) -> bpy.types.FCurve:
    (found,) = [
        curve
        for curve in sheets(takes_of(avatar)[take])[part].curves
        if (curve.data_path, curve.array_index) == (path, index)
    ]
    return found


def keys_of(curve: bpy.types.FCurve) -> Floats:
    points = np.empty(len(curve.keyframe_points) * 2, np.float32)
    curve.keyframe_points.foreach_get("co", points)
    return points.reshape(-1, 2).astype(np.float64)
