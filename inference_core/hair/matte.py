"""Where a photo shows hair: the network's classes on three squares, laid onto the photo's own edges."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head.model import Float32s, Floats, Mask
from inference_core.perception.crop import CropFrame, cut, face_frame
from inference_core.perception.faces import Face
from inference_core.perception.image import Photo
from inference_core.perception.normals import CLASSES, OCCLUDER, NormalEstimator

SIZE = 512
SQUARES = ((2.6, 0.08), (2.2, 0.03), (1.85, 0.0))
"""Margin of each square, and how far it is shifted towards the crown, of its side. The first holds long and high hair;
the others lie where the classes are surer, later ones over earlier ones."""
SEAM = 0.06
"""Of a square's side: how wide two squares' answers fade into each other."""
EDGE_RADIUS, EDGE_TRUST = 0.010, 4e-4
"""Of the guided filter: radius over the side, variance of 0..1 colour."""
GROWN = 0.07
"""Of the square's side: how far hair may go on beyond where the classes end."""
SPECK = 0.02
"""Of the largest piece's area."""
MOUTH = (13, 14)
"""Face Mesh's points between the lips."""
HAIR, BACKGROUND = CLASSES.index("hair"), CLASSES.index("background")
SKIN = tuple(CLASSES.index(name) for name in ("face", "skin_other", "eyes", "mouth_inside"))


@dataclass(frozen=True, eq=False)
class Matte:
    """A square of the photo, `frame`, at SIZE px. Shares are 0..1."""

    frame: CropFrame
    rgb: NDArray[np.uint8]  # (SIZE, SIZE, 3)
    hair: Float32s  # (SIZE, SIZE)
    skin: Float32s
    cover: Float32s  # hats, hands, glasses
    known: Mask  # (SIZE, SIZE): the photo, not what lies beyond it

    @property
    def mask(self) -> Mask:
        """(SIZE, SIZE): more hair than anything else."""
        return np.asarray(self.hair > 0.5)


def matte_of(photo: Photo, face: Face, intrinsics: Floats, normals: NormalEstimator) -> Matte:
    """Runs `normals` once a square. `intrinsics` (4,) fx fy cx cy px: those of the fitted camera."""
    whole, *parts = (_frame(face, intrinsics, margin, raised) for margin, raised in SQUARES)
    rgb = cut(photo.rgb, whole)
    planes = _classes(rgb, whole, normals)
    for frame in parts:
        planes = _joined(planes, _classes(cut(photo.rgb, frame), frame, normals), whole, frame)
    guide = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255.0)
    hair = np.clip(_guided(guide, planes[HAIR]), 0, 1)
    skin = np.asarray(sum(planes[index] for index in SKIN), dtype=np.float32)
    mouth = whole.to_crop(face.points[MOUTH, :2].astype(np.float64)).mean(axis=0)
    known = whole.inside(photo.size)
    sure_of = _within(whole, parts[0])
    above = np.arange(SIZE)[:, None] < mouth[1]
    never = ~known | (skin > 0.5) | ((planes[BACKGROUND] > 0.9) & (sure_of > 0.9)) | ~above
    grown = guide_grown(rgb, hair, hair * (sure_of > 0.5), never)
    hair = np.where(above & (sure_of < 0.5), grown, np.maximum(hair, grown))
    hair = of_the_head(hair, float(mouth[1]))
    return Matte(whole, rgb, hair, skin, planes[OCCLUDER], known)


def _frame(face: Face, intrinsics: Floats, margin: float, raised: float) -> CropFrame:
    frame = face_frame(face.points, intrinsics, face.roll, SIZE, margin)
    centre = frame.square.centre - raised * frame.square.side * frame.square.axes[:, 1]
    return replace(frame, square=replace(frame.square, centre=centre))


def _classes(rgb: NDArray[np.uint8], frame: CropFrame, normals: NormalEstimator) -> Float32s:
    """(K, SIZE, SIZE) probabilities."""
    seen = normals.estimate(rgb, frame.intrinsics)
    large = [cv2.resize(plane, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR) for plane in seen.classes]
    return np.asarray(large, dtype=np.float32)


def _joined(planes: Float32s, inner: Float32s, whole: CropFrame, part: CropFrame) -> Float32s:
    """The whole square's classes, and within a part's square its own."""
    place = _place(whole, part)
    share = _within(whole, part)
    x, y = np.moveaxis(place.astype(np.float32) - np.float32(0.5), -1, 0)
    return np.asarray(
        [
            outer + share * (cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) - outer)
            for outer, plane in zip(planes, inner, strict=True)
        ],
        dtype=np.float32,
    )


def _place(whole: CropFrame, part: CropFrame) -> Floats:
    """(SIZE, SIZE, 2): where the whole square's pixels lie in a part's square, px."""
    row, column = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64) + 0.5
    return part.to_crop(whole.to_photo(np.stack([column, row], axis=-1)))


def _within(whole: CropFrame, part: CropFrame) -> Float32s:
    """(SIZE, SIZE): 1 well within a part's square, 0 outside."""
    place = _place(whole, part)
    border = np.minimum(place, SIZE - place).min(axis=-1)
    return np.asarray(np.clip(border / (SEAM * SIZE), 0, 1), dtype=np.float32)


def guide_grown(rgb: NDArray[np.uint8], hair: Float32s, surely: Float32s, surely_none: Mask) -> Float32s:
    """(SIZE, SIZE) 0..1: hair by its colour close to surely known hair, where the classes end: crowns of high hair.

    Rother, Kolmogorov and Blake, GrabCut (SIGGRAPH 2004), from the classes instead of a rectangle.
    """
    half = SIZE // 2
    small = cv2.resize(rgb, (half, half), interpolation=cv2.INTER_AREA)
    sure = cv2.resize(surely, (half, half), interpolation=cv2.INTER_AREA) > 0.8
    likely = cv2.resize(hair, (half, half), interpolation=cv2.INTER_AREA) > 0.5
    never = cv2.resize(surely_none.astype(np.uint8), (half, half), interpolation=cv2.INTER_NEAREST) > 0
    never &= ~sure
    away = np.asarray(cv2.distanceTransform((~sure).astype(np.uint8), cv2.DIST_L2, 5))
    near = (away < GROWN * half) & ~never
    if sure.sum() < 60 or near.sum() < 60:
        return np.zeros_like(hair)
    labels = np.where(near, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    labels[near & (likely | (away < 0.3 * GROWN * half))] = cv2.GC_PR_FGD
    labels[sure] = cv2.GC_FGD
    labels[away > 2.5 * GROWN * half] = cv2.GC_BGD
    cv2.setRNGSeed(0)
    cv2.grabCut(small, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 2, cv2.GC_INIT_WITH_MASK)
    found = ((labels == cv2.GC_PR_FGD) & near).astype(np.float32)
    return np.asarray(cv2.resize(cv2.GaussianBlur(found, (0, 0), 0.8), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR))


def of_the_head(hair: Float32s, mouth: float) -> Float32s:
    """Without pieces that lie wholly below the `mouth` (row, px), or are specks: collars, suits, other people."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats((hair > 0.4).astype(np.uint8), connectivity=4)
    top, area = np.asarray(stats)[:, cv2.CC_STAT_TOP], np.asarray(stats)[:, cv2.CC_STAT_AREA]
    kept = (top < mouth) & (area > SPECK * area[1:].max(initial=1))
    kept[0] = True  # what is no hair
    return np.where(kept[np.asarray(labels)], hair, 0).astype(np.float32)


def _guided(guide: Float32s, values: Float32s) -> Float32s:
    """He, Sun and Tang, Guided Image Filtering (ECCV 2010): `values` (S, S) with the edges of `guide` (S, S)."""
    side = 2 * round(EDGE_RADIUS * len(guide)) + 1

    def mean(plane: Float32s) -> Float32s:
        return np.asarray(cv2.blur(plane, (side, side)), dtype=np.float32)

    middle, average = mean(guide), mean(values)
    slope = (mean(guide * values) - middle * average) / (mean(guide * guide) - middle * middle + np.float32(EDGE_TRUST))
    return np.asarray(mean(slope) * guide + mean(average - slope * middle), dtype=np.float32)
