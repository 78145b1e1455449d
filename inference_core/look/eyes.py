"""Eyes: iris and white as the photo has them, painted on the ball where a photo shows ten pixels of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from inference_core.head.model import Float32s, Floats
from inference_core.look.atlas import Atlas
from inference_core.look.colour import believed
from inference_core.perception.crop import CropFrame, cut
from inference_core.perception.faces import Face
from inference_core.perception.image import Photo
from inference_core.perception.sampling import Square

IRIS_POINTS = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))
"""Face Mesh's iris points: middle and four on the rim; the subject's right eye, then the left."""
LID_POINTS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
"""Face Mesh's rims of the lids, the subject's right eye, then the left."""
PATCH = 64
"""px of the square about an eye in which its colours are read."""
USUAL_IRIS = np.array([92.0, 66.0, 48.0])
USUAL_WHITE = np.array([226.0, 219.0, 212.0])
WHITE_RANGE = (0.70, 1.0)
"""Least and most of the usual white that a photo's white is believed to be: what is darker is the lids' shadow."""
BRIGHTEST = 0.8
"""Quantile of what lies between lids and iris above which it is neither lash nor shadow."""
CAST = 0.06
"""How far a white's hue may be from the usual, as on old photographs; what is redder still is the lids' red."""
IRIS_RADIUS = (5.3e-3, 6.4e-3)
"""m: half of what irises measure across, 10.6 to 12.8 mm (Ruefer, Schroeder and Erb, Cornea 24, 2005)."""
PUPIL = 0.36
"""Of the iris' radius, indoors."""


@dataclass(frozen=True, eq=False)
class EyeColours:
    """sRGB 0..255 of both eyes; `found`: read off the photo, not the usual. `radius_px`: the iris', nan if unknown."""

    iris: Floats  # (3,)
    white: Floats  # (3,)
    found: bool
    radius_px: float


def eye_colours(photo: Photo, face: Face) -> EyeColours:
    """What the photo shows within the irises and beside them, between the lids."""
    iris, white, radii = [], [], []
    for ring, lids in zip(IRIS_POINTS, LID_POINTS, strict=True):
        points = face.points[:, :2]
        radius = float(np.linalg.norm(points[list(ring[1:])] - points[ring[0]], axis=1).mean())
        side = 6.0 * radius
        frame = CropFrame(Square(points[ring[0]].astype(np.float64), side, 0.0), PATCH, photo.intrinsics)
        patch = cut(photo.rgb, frame).reshape(-1, 3).astype(np.float64)
        opening = np.zeros((PATCH, PATCH), np.uint8)
        rim = frame.to_crop(points[list(lids)].astype(np.float64))
        cv2.fillPoly(opening, [np.round(rim * 16).astype(np.int32)], (1,), shift=4)
        row, column = np.mgrid[0:PATCH, 0:PATCH] + 0.5
        away = np.hypot(row - PATCH / 2, column - PATCH / 2).ravel() / PATCH * side / radius
        between = opening.ravel() > 0
        iris.append(patch[between & (away > 0.45) & (away < 0.85)])
        white.append(patch[between & (away > 1.25)])
        radii.append(radius)
    return _read(np.concatenate(iris), np.concatenate(white), float(np.mean(radii)))


def _read(iris: Floats, white: Floats, radius: float) -> EyeColours:
    usual = EyeColours(USUAL_IRIS, USUAL_WHITE, False, radius)
    if len(iris) < 40 or radius < 2.0:
        return usual
    # Reflections are brighter, lashes and the lid's shadow darker than the iris.
    grey = iris.mean(axis=1)
    low, high = np.quantile(grey, [0.25, 0.7])
    colour = np.median(iris[(grey >= low) & (grey <= high)], axis=0)
    if len(white) < 40:
        return EyeColours(colour, USUAL_WHITE, True, radius)
    bright = white[white.mean(axis=1) >= np.quantile(white.mean(axis=1), BRIGHTEST)]
    shown = np.median(bright, axis=0)
    return EyeColours(colour, believed(shown, USUAL_WHITE, WHITE_RANGE, CAST), True, radius)


def paint_eyes(atlas: Atlas, colours: EyeColours, degrees: float) -> tuple[NDArray[np.int64], Float32s]:
    """The eyeballs' texels (K,) and their colours (K, 3), with an iris of the half-angle `degrees`."""
    part, head = atlas.part("eyes"), atlas.head
    place = part.interpolate(head.template)
    middle = np.where(place[:, :1] > 0, head.joint_template[3], head.joint_template[4])
    x, y, z = (place - middle).T
    angle = np.degrees(np.arctan2(np.hypot(x, y), z)) / degrees  # 0 the middle of the pupil, 1 the iris' rim
    turn = np.arctan2(y, x)
    fibres = _fibres(turn, angle)
    iris = colours.iris * (0.92 + 0.30 * _bump(angle, 0.52, 0.16) + 0.16 * fibres)[:, None]
    iris = iris * (1.0 - 0.55 * _step(angle, 0.80, 1.0))[:, None]  # the limbal ring
    pupil = np.array([9.0, 8.0, 8.0])
    inner = _step(angle, PUPIL - 0.05, PUPIL + 0.05)[:, None]
    red = np.array([1.0, 0.93, 0.90]) ** (2.0 * _step(angle, 1.6, 3.4))[:, None]
    white = colours.white * red
    outer = _step(angle, 0.93, 1.10)[:, None]
    colour = (pupil * (1 - inner) + iris * inner) * (1 - outer) + white * outer
    return part.texels, np.clip(colour, 0.0, 255.0).astype(np.float32)


def iris_degrees(radius_px: float, depth_m: float, focal_px: float, ball_m: float) -> float:
    """The half-angle of an iris of `radius_px` seen at `depth_m`, on a ball of `ball_m`; a human's on ours: 29."""
    radius = np.clip(radius_px * depth_m / focal_px, *IRIS_RADIUS)
    return float(np.degrees(np.arcsin(np.clip(radius / ball_m, 0.0, 1.0))))


def _fibres(turn: Floats, angle: Floats) -> Floats:
    """-1..1: the stroma's threads, which run outwards and wander a little."""
    random = np.random.default_rng(7)
    waves = np.zeros_like(turn)
    for count in (23, 37, 61, 89):
        phase, wander = random.uniform(0, 2 * np.pi), random.uniform(-3, 3)
        waves += np.sin(count * turn + phase + wander * angle)
    return waves / 4.0


def _step(values: Floats, low: float, high: float) -> Floats:
    along = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(along * along * (3 - 2 * along))


def _bump(values: Floats, middle: float, width: float) -> Floats:
    return np.asarray(np.exp(-(((values - middle) / width) ** 2)))
