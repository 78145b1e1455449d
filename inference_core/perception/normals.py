"""From the crop to a normal map with a face mask, by the network normals.onnx."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.errors import ModelMissing
from inference_core.perception.session import Network

BUNDLED_NORMALS: Final = Path(__file__).parents[1] / "assets" / "normals.onnx"

CLASSES: Final = ("background", "face", "eyes", "mouth_inside", "skin_other", "hair", "occluder")
"""Order of the network's class probabilities. `face` is visible facial skin with brows, nose, lips, lids and beard."""
FACE: Final = CLASSES.index("face")

SMALL_PIECE: Final = 0.05
"""Pieces of the mask below this share of its largest piece are specks; glasses or hair cut off larger ones."""

Float32s = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class NormalMap:
    """Surface directions of a crop (H, W).

    `normals` (H, W, 3) float32 in the crop camera's normal frame (+X right, +Y up, +Z to the camera), unit length
    everywhere (not masked). `face_mask` (H, W) bool: where they describe facial skin. `classes` (H, W, K) float32
    probabilities in the order CLASSES. `sigma` (H, W) float32: expected angular error, rad.
    """

    normals: Float32s
    face_mask: NDArray[np.bool_]
    classes: Float32s
    sigma: Float32s

    @property
    def masked(self) -> Float32s:
        """(H, W, 3): the normals, 0 outside the face mask; what N2FNet takes."""
        return np.asarray(self.normals * self.face_mask[..., None], dtype=np.float32)


class NormalEstimator:
    """Loads the network once; raises ModelMissing when it is absent, damaged or not this interface."""

    def __init__(self, path: Path = BUNDLED_NORMALS, threads: int | None = None) -> None:
        self._network = Network(path, threads)
        if self._network.inputs != ("rgb",) or set(self._network.outputs) != {"normals", "classes", "sigma"}:
            raise ModelMissing(f"The network {path.name} is not one for normals.", "Install the package again.")

    def estimate(self, rgb: NDArray[np.uint8]) -> NormalMap:
        """Normals of a crop (256, 256, 3) uint8."""
        pixels = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255.0)
        values = self._network.run({"rgb": pixels})
        normals = values["normals"][0].transpose(1, 2, 0)
        # The network's own unit length is that of its precision; the fit relies on ours.
        length = np.linalg.norm(normals, axis=2, keepdims=True)
        classes = values["classes"][0].transpose(1, 2, 0)
        return NormalMap(
            normals=np.ascontiguousarray(normals / np.maximum(length, 1e-6)),
            face_mask=without_specks(classes.argmax(axis=2) == FACE),
            classes=np.ascontiguousarray(classes),
            sigma=np.ascontiguousarray(values["sigma"][0, 0]),
        )


def without_specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) bool with only the connected pieces that are not small against the largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count <= 2:
        return mask
    area = np.asarray(stats)[:, cv2.CC_STAT_AREA].copy()
    area[0] = 0  # the background
    return np.asarray((area >= SMALL_PIECE * area.max())[np.asarray(labels)] & mask)
