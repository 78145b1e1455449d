"""The detail as files beside a take: pictures of heights and normals, and `detail.json`, which says what they are."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.detail.names import DESCRIPTION, DISPLACEMENT, NORMAL
from inference_core.detail.pictures import RANGE, height_picture, normal_picture, pore_slopes
from inference_core.detail.relief import Relief
from inference_core.head import Head

VERSION = 1


def write_detail(folder: Path, head: Head, relief: Relief) -> None:
    """All files into a folder.

    Raises:
        OSError: one cannot be written.
    """
    _write_png(folder / DISPLACEMENT, height_picture(relief.heights))
    _write_png(folder / NORMAL, normal_picture(relief.slopes + pore_slopes(head, len(relief.heights))))
    (folder / DESCRIPTION).write_text(description(head, relief), encoding="utf-8", newline="\n")


def description(head: Head, relief: Relief) -> str:
    """What detail.json holds."""
    known = relief.confidence > 0.5
    heights = np.abs(relief.heights[known])
    values = {
        "format": "n2f-detail",
        "version": VERSION,
        "head_id": head.head_id,
        "head_sha256": head.sha256,
        "kind": "static",
        "size": len(relief.heights),
        "displacement": DISPLACEMENT,
        "range_mm": RANGE,
        "normal": NORMAL,
        "pores": "synthesised, the same for everybody; in the normals, not in the displacement",
        "amplitude_mm": {
            "usual": round(float(np.median(heights)), 3) if known.any() else 0.0,
            "most": round(float(np.percentile(heights, 99)), 3) if known.any() else 0.0,
        },
        "coverage": round(relief.seen, 3),
        "mirrored": round(relief.mirrored, 3),
    }
    return json.dumps(values, indent=2, ensure_ascii=False)


def _write_png(path: Path, picture: NDArray[np.uint16]) -> None:
    """(H, W) or RGB (H, W, 3), 16 bits a channel."""
    order = picture if picture.ndim == 2 else picture[..., ::-1]
    _done, data = cv2.imencode(".png", order, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    path.write_bytes(data.tobytes())
