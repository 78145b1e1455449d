"""The detail as files beside a take: pictures of heights and normals, and `detail.json`, which says what they are."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.detail.names import (
    DESCRIPTION,
    DISPLACEMENT,
    MOVING_DISPLACEMENT,
    MOVING_NORMAL,
    NORMAL,
    REGIONS,
)
from inference_core.detail.pictures import RANGE, height_picture, normal_picture, pore_slopes, region_pictures
from inference_core.detail.regions import REGIONS as FACE_REGIONS
from inference_core.detail.relief import Relief
from inference_core.head import Head

VERSION = 1


def write_detail(folder: Path, head: Head, relief: Relief) -> None:
    """All files into a folder.

    Raises:
        OSError: one cannot be written.
    """
    static, moving = relief.static, relief.moving
    _write_png(folder / DISPLACEMENT, height_picture(static.heights))
    _write_png(folder / NORMAL, normal_picture(static.slopes + pore_slopes(head, len(static.heights))))
    if moving is not None:
        _write_png(folder / MOVING_DISPLACEMENT, height_picture(moving.heights))
        _write_png(folder / MOVING_NORMAL, normal_picture(moving.slopes))
        for name, picture in zip(REGIONS, region_pictures(head), strict=True):
            _write_png(folder / name, picture)
    (folder / DESCRIPTION).write_text(description(head, relief), encoding="utf-8", newline="\n")


def description(head: Head, relief: Relief) -> str:
    """What detail.json holds."""
    known = relief.confidence > 0.5
    heights = np.abs(relief.static.heights[known])
    values: dict[str, object] = {
        "format": "n2f-detail",
        "version": VERSION,
        "head_id": head.head_id,
        "head_sha256": head.sha256,
        "kind": "static" if relief.moving is None else "moving",
        "size": len(relief.static.heights),
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
    if relief.moving is not None:
        values["moving"] = {
            "displacement": MOVING_DISPLACEMENT,
            "normal": MOVING_NORMAL,
            "regions": [
                {"name": region.name, "mask": REGIONS[row // 3], "channel": row % 3, "expressions": region.expressions}
                for row, region in enumerate(FACE_REGIONS)
            ],
        }
    return json.dumps(values, indent=2, ensure_ascii=False)


def _write_png(path: Path, picture: NDArray[np.uint16] | NDArray[np.uint8]) -> None:
    """(H, W) or RGB (H, W, 3)."""
    order = picture if picture.ndim == 2 else picture[..., ::-1]
    _done, data = cv2.imencode(".png", order, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    path.write_bytes(data.tobytes())
