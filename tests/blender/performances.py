"""Performances made from nothing: smooth motion, as the arrays of a take. No bpy, no core."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

try:  # inside bpy the tests are no package
    from reference import random_take
except ImportError:
    from tests.blender.reference import random_take

Arrays = dict[str, NDArray[np.generic]]


def performance(
    head_path: Path,
    seed: int = 1,
    frames: int = 40,
    fps: float = 25.0,
    lost: Sequence[tuple[int, int]] = (),
    cuts: Sequence[int] = (),
    first: int = 0,
    source: str = "nobody.mp4",
    timestamp: NDArray[np.float64] | None = None,
) -> Arrays:
    """Every parameter moves on slow waves.

    `lost`: rows [first, end) without a face. `first`: the first source frame.
    """
    random = np.random.default_rng(seed)
    arrays = random_take(head_path, seed, frames, source)
    seconds = np.arange(first, first + frames) / fps if timestamp is None else timestamp

    def waves(name: str, size: float, offset: float = 0.0) -> None:
        shape = arrays[name].shape
        count = int(np.prod(shape[1:]))
        speed, phase = random.uniform(3, 9, count), random.uniform(0, 6.28, count)
        moved = offset + size * np.sin(seconds[:, None] * speed + phase)
        arrays[name] = moved.reshape(shape).astype(np.float32)

    waves("expression", 0.4, 0.4)
    waves("eyelids", 0.5, 0.5)
    waves("jaw", 0.15)
    waves("neck", 0.2)
    waves("eyes", 0.25)
    waves("head_rotation", 0.3)
    arrays["head_rotation"][:, 0] += np.float32(np.pi)
    waves("head_translation", 0.03)
    arrays["head_translation"][:, 2] += np.float32(0.7)
    valid = np.ones(frames, dtype=bool)
    for begin, end in lost:
        valid[begin:end] = False
    arrays["valid"] = valid
    arrays["confidence"] = np.where(valid, 0.9 + 0.1 * np.sin(np.arange(frames)), 0.0).astype(np.float32)
    arrays["frame_index"] = np.arange(first, first + frames, dtype=np.int32)
    arrays["timestamp"] = seconds.astype(np.float64)
    meta = json.loads(str(arrays["meta"])) | {"fps": fps, "cuts": list(cuts), "source": source}
    arrays["meta"] = np.array(json.dumps(meta))
    return arrays


def noisy(arrays: Arrays, seed: int = 2, size: float = 0.01) -> Arrays:
    """The same with noise on everything that moves: a raw take."""
    random = np.random.default_rng(seed)
    moving = ("expression", "eyelids", "jaw", "neck", "eyes", "head_rotation")
    shaken = {name: arrays[name] + random.normal(scale=size, size=arrays[name].shape) for name in moving}
    shaken["head_translation"] = arrays["head_translation"] + random.normal(
        scale=0.1 * size, size=arrays["head_translation"].shape
    )
    return arrays | {name: values.astype(np.float32) for name, values in shaken.items()}
