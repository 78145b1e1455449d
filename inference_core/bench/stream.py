"""One face in a stream: decode, track, crop, normals, N2FNet, fit, as `n2f track` does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.bench.child import run_child
from inference_core.clip import VideoWriter
from inference_core.formats.options import DEFAULT_HEAD
from inference_core.perception.image import read_photo

CLIP_SIDE = 512
CLIP_FPS = 30.0


@dataclass(frozen=True)
class StreamTimes:
    """`stages` name -> CPU ms a frame of that stage's threads. `identity_s`: once a clip, between the two passes."""

    frames: int
    faces_per_second: float
    stages: dict[str, float]
    identity_s: float
    peak_memory_mb: float | None

    @property
    def cpu_ms(self) -> float:
        """A frame's, all stages together."""
        return sum(self.stages.values())


def measure_stream(photo: Path, frames: int, folder: Path, head: str = DEFAULT_HEAD) -> StreamTimes:
    """Track `frames` frames of a camera that moves about a photo; in a process of its own.

    Raises:
        Internal: when that process fails.
    """
    clip = folder / "clip.mp4"
    write_clip(read_photo(photo).rgb, frames, clip)
    answer = cast("dict[str, Any]", run_child("stream", head, str(clip), str(folder / "track")))
    report = answer["report"]
    seconds = report["seconds"]
    passes = seconds.get("follow", 0.0) + seconds["perform"]
    return StreamTimes(
        frames=report["frames"],
        faces_per_second=report["valid_frames"] / max(passes, 1e-9),
        stages={name: each["cpu_ms"] for name, each in report["milliseconds_per_frame"].items()},
        identity_s=seconds.get("identity", 0.0),
        peak_memory_mb=answer["peak_memory_mb"],
    )


def write_clip(rgb: NDArray[np.uint8], frames: int, path: Path) -> None:
    """A camera that sways, turns and comes nearer before the picture `rgb` (H, W, 3)."""
    height, width = rgb.shape[:2]
    scale = CLIP_SIDE / min(height, width)
    with VideoWriter(path, (CLIP_SIDE, CLIP_SIDE), CLIP_FPS) as writer:
        for index in range(frames):
            phase = 2 * np.pi * index / 90
            zoom = scale * (1.05 + 0.05 * float(np.sin(phase)))
            turned = cv2.getRotationMatrix2D((width / 2, height / 2), 4 * float(np.sin(1.7 * phase)), zoom)
            matrix = np.asarray(turned, dtype=np.float64)
            matrix[:, 2] += CLIP_SIDE / 2 - np.array([width, height]) / 2 + 12 * np.sin([0.9 * phase, 1.3 * phase])
            moved = cv2.warpAffine(rgb, matrix, (CLIP_SIDE, CLIP_SIDE), borderMode=cv2.BORDER_REFLECT)
            writer.write(np.asarray(moved, dtype=np.uint8))
