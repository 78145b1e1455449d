"""The maps as files beside a take: EXR and npy of each, pictures of what is seen, `maps.json` that tells of them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head import Camera, Head
from inference_core.maps.exr import write_exr
from inference_core.maps.surface import SurfaceMaps

DESCRIPTION = "maps.json"
VERSION = 1
SPACES = {
    "position_head": "m, head space: +X the subject's left, +Y up, +Z out of the face",
    "position_camera": "m, camera space: +X right, +Y down, +Z into the scene",
    "position_image": "px: x and y in the photo, z towards the camera from the head's farthest point (PRNet's space)",
    "uv_normals": "unit vectors, head space",
}
NAMES = (
    DESCRIPTION,
    *(f"{name}{ending}" for name in (*SPACES, "image_to_uv") for ending in (".exr", ".npy")),
    "visibility.png",
    "confidence.png",
)


def write_maps(folder: Path, maps: SurfaceMaps, camera: Camera, picture: tuple[int, int], suffix: str = "") -> None:
    """All files into a folder; `suffix` goes before the names' endings.

    In npy NaN stands where there is no surface; in EXR alpha is 0 there, and 1 elsewhere.

    Raises:
        OSError: where one cannot be written.
    """
    layers = {
        "position_head": maps.head,
        "position_camera": maps.camera,
        "position_image": maps.image,
        "uv_normals": maps.normals,
    }
    for name, values in layers.items():
        _write_layer(folder, f"{name}{suffix}", values, maps.sheet.surface)
    pixels = np.isfinite(maps.image_to_uv[..., 0])
    third = np.zeros((*pixels.shape, 1), np.float32)
    _write_layer(folder, f"image_to_uv{suffix}", np.concatenate([maps.image_to_uv, third], axis=2), pixels, 2)
    _write_grey(folder / f"visibility{suffix}.png", maps.visible.astype(np.float32))
    _write_grey(folder / f"confidence{suffix}.png", maps.confidence)
    path = folder / Path(DESCRIPTION).with_stem(f"{Path(DESCRIPTION).stem}{suffix}")
    path.write_text(description(maps, camera, picture), encoding="utf-8", newline="\n")


def description(maps: SurfaceMaps, camera: Camera, picture: tuple[int, int]) -> str:
    """What maps.json holds."""
    head: Head = maps.sheet.head
    values = {
        "format": "n2f-maps",
        "version": VERSION,
        "head_id": head.head_id,
        "head_sha256": head.sha256,
        "size": maps.sheet.size,
        "uv": "row 0 is v = 1, the first texel's centre is (0.5, 0.5)",
        "maps": SPACES | {"image_to_uv": f"u, v of what a pixel shows; {maps.scale:.6g} px a pixel of the photo"},
        "picture": list(picture),
        "camera": {
            "rotation": camera.rotation.tolist(),
            "translation": camera.translation.tolist(),
            "intrinsics": camera.intrinsics.tolist(),
        },
        "landmarks_68": _points(maps.landmarks, maps.landmarks_px),
        "face_mesh": {"index": head.mediapipe_index.tolist()} | _points(maps.dense, maps.dense_px),
    }
    return json.dumps(values, ensure_ascii=False)


def _points(head_space: NDArray[np.float64], pixels: NDArray[np.float64]) -> dict[str, list[list[float]]]:
    return {"head": np.round(head_space, 7).tolist(), "image": np.round(pixels, 3).tolist()}


def _write_layer(folder: Path, name: str, values: NDArray[np.float32], there: NDArray[np.bool_], kept: int = 3) -> None:
    """(H, W, 3) values: EXR with alpha, npy of the first `kept` channels."""
    np.save(folder / f"{name}.npy", values[..., :kept])
    whole = np.concatenate([np.nan_to_num(values), there[..., None].astype(np.float32)], axis=2)
    write_exr(folder / f"{name}.exr", whole)


def _write_grey(path: Path, values: NDArray[np.float32]) -> None:
    grey = np.round(values * 255).astype(np.uint8)
    _done, data = cv2.imencode(".png", grey, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    path.write_bytes(data.tobytes())
