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
from inference_core.perception.sight import sight_lines, to_camera

BUNDLED_NORMALS: Final = Path(__file__).parents[1] / "assets" / "normals.onnx"

CLASSES: Final = ("background", "face", "eyes", "mouth_inside", "skin_other", "hair", "occluder")
"""Order of the network's class probabilities. `face` is visible facial skin with brows, nose, lips, lids and beard."""
FACE: Final = CLASSES.index("face")
OCCLUDER: Final = CLASSES.index("occluder")

FRAME_NOTE: Final = ("normal_frame", "sight")
"""Key and value in the network's file: its normals are those of `perception.sight`; camera space without the note."""

SMALL_PIECE: Final = 0.05
"""Pieces of the mask below this share of its largest piece are specks; glasses or hair cut off larger ones."""

ISLAND: Final = 0.02
"""What covers less than this share of the face, and lies within it, is a brow or a fold taken for a rim of glasses."""

WITHIN: Final = 0.75
"""So much of an island's border is face."""

Float32s = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class NormalMap:
    """Surface directions of a crop (H, W).

    `normals` (H, W, 3) float32 in the crop camera's normal frame (+X right, +Y up, +Z to the camera), unit length
    everywhere (not masked). `face_mask` (H, W) bool: where they describe facial skin. `sigma` (H, W) float32: expected
    angular error, rad. `classes` (K, h, w) float32 probabilities in the order CLASSES, at the network's own resolution.
    """

    normals: Float32s
    face_mask: NDArray[np.bool_]
    sigma: Float32s
    classes: Float32s

    @property
    def masked(self) -> Float32s:
        """(H, W, 3): the normals, 0 outside the face mask; what N2FNet takes."""
        return np.asarray(self.normals * self.face_mask[..., None], dtype=np.float32)

    @property
    def labels(self) -> NDArray[np.uint8]:
        """(H, W): the likeliest class of each pixel."""
        return np.asarray(_enlarged(self.classes, len(self.sigma)).argmax(axis=0), dtype=np.uint8)


class NormalEstimator:
    """Loads the network once.

    `threads`: 0 takes as many as there are cores, up to four; a pipeline that works on several frames at once wants 1.

    Raises:
        ModelMissing: where it is absent, damaged or not this interface.
    """

    def __init__(self, path: Path = BUNDLED_NORMALS, threads: int = 0) -> None:
        self.path = path
        self._network = Network(path, threads)
        if self._network.inputs != ("rgb",) or set(self._network.outputs) != {"normals", "classes", "sigma"}:
            raise ModelMissing(f"The network {path.name} is not one for normals.", "Install the package again.")
        self._size = self._network.side("rgb")
        key, value = FRAME_NOTE
        self._along_sight = self._network.notes.get(key) == value

    def estimate(
        self, rgb: NDArray[np.uint8], intrinsics: NDArray[np.float64] | None = None, *, mirrored: bool = True
    ) -> NormalMap:
        """Normals of a crop (H, H, 3) uint8 under its camera, `intrinsics` (4,) fx fy cx cy px.

        Without intrinsics the crop counts as seen straight ahead: right only for a face in the middle of its photo.
        `mirrored`: the network also sees the mirror image, and both answers are averaged. A face and its mirror image
        then have the same normals exactly, for twice the time; docs/network_variants.md says what that is worth.
        """
        side = len(rgb)
        small = cv2.resize(rgb.astype(np.float32), (self._size, self._size), interpolation=cv2.INTER_LINEAR)
        planes = np.asarray(small, dtype=np.float32).transpose(2, 0, 1) / np.float32(255.0)
        batch = np.stack([planes, planes[:, :, ::-1]]) if mirrored else planes[None]
        values = self._network.run({"rgb": np.ascontiguousarray(batch)})
        normals = _one_answer(values["normals"], directions=True)
        if self._along_sight:
            normals = to_camera(normals, sight_lines(intrinsics, side, normals.shape[-1]))
        classes, sigma = _one_answer(values["classes"]), _one_answer(values["sigma"])
        # Enlarging is linear: what was averaged before it costs a seventh. Planes, because numpy is slow on threes.
        x, y, z, error = _enlarged(np.concatenate([normals, sigma]), side)
        # The network's own unit length is lost between pixels; the fit relies on it.
        shorten = 1 / np.maximum(np.sqrt(x * x + y * y + z * z), 1e-6)
        probabilities = _enlarged(classes, side)
        others = np.zeros_like(error)
        for number, plane in enumerate(probabilities):
            if number != FACE:
                np.maximum(others, plane, out=others)
        face = remove_small_components(probabilities[FACE] > others)
        return NormalMap(
            normals=np.asarray(cv2.merge([x * shorten, y * shorten, z * shorten]), dtype=np.float32),
            face_mask=fill_small_holes(face, ~face & (probabilities[OCCLUDER] >= others)),
            sigma=error,
            classes=classes,
        )


def _one_answer(values: Float32s, *, directions: bool = False) -> Float32s:
    """(1, C, h, w) -> its only answer; (2, C, h, w), of a photo and its mirror image -> the mean for the photo."""
    if len(values) == 1:
        return np.asarray(values[0], dtype=np.float32)
    back = values[1][:, :, ::-1].copy()
    if directions:
        back[0] *= -1  # a mirror turns their x
    return np.asarray((values[0] + back) * np.float32(0.5), dtype=np.float32)


def _enlarged(planes: Float32s, side: int) -> Float32s:
    """(C, h, w) -> (C, side, side), linearly."""
    large = [cv2.resize(plane, (side, side), interpolation=cv2.INTER_LINEAR) for plane in planes]
    return np.asarray(large, dtype=np.float32)


def remove_small_components(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) bool with only the connected pieces that are not small against the largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    if count <= 2:
        return mask
    area = np.asarray(stats)[:, cv2.CC_STAT_AREA].copy()
    area[0] = 0  # the background
    return np.asarray((area >= SMALL_PIECE * area.max())[np.asarray(labels)] & mask)


def fill_small_holes(mask: NDArray[np.bool_], covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(H, W) bool mask, and in it those pieces of what is `covered` that are small and have it around them."""
    x, y, width, height = cv2.boundingRect(covered.astype(np.uint8))
    if width == 0:
        return mask
    # With a border of one: what touches the picture's border has none there.
    part = np.s_[max(y - 1, 0) : y + height + 1, max(x - 1, 0) : x + width + 1]
    filled = mask.copy()
    filled[part] |= _small_holes(mask[part], covered[part], ISLAND * int(np.count_nonzero(mask)))
    return filled


def _small_holes(mask: NDArray[np.bool_], covered: NDArray[np.bool_], most: float) -> NDArray[np.bool_]:
    """(H, W): the pieces of what is `covered` of less than `most` px that have the mask around them."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(covered.astype(np.uint8), connectivity=8)
    labels = np.asarray(labels)
    border, inside = np.zeros(count), np.zeros(count)
    for axis in (0, 1):
        pieces, face = np.swapaxes(labels, 0, axis), np.swapaxes(mask, 0, axis)
        hidden = np.swapaxes(covered, 0, axis)
        for here, there in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:])):
            edge = np.nonzero(hidden[here] & ~hidden[there])
            border += np.bincount(pieces[here][edge], minlength=count)
            inside += np.bincount(pieces[here][edge], face[there][edge], minlength=count)
    small = np.asarray(stats)[:, cv2.CC_STAT_AREA] < most
    return np.asarray((small & (inside > WITHIN * border))[labels])  # never the first, not covered: it has no border
